"""Compiles what a caller may see into SQL, for every list."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, false, true

from taxiway.model.access import Scope


def visible(scope: Scope, owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """The WHERE clause for `scope` on a table whose `owner` column holds an entity reference."""
    if scope.everything:
        return true()
    if not scope.owners:
        return false()
    return owner.in_(sorted(scope.owners))
