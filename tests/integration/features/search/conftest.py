"""The served catalog of the catalog's tests."""

from __future__ import annotations

from factories.catalog import admin, forge, publish, server

__all__ = ["admin", "forge", "publish", "server"]
