"""The formats that can be imported, by name. The module of one is imported when somebody imports from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import cast

from taxiway.features.catalog.importers.report import Input, Item, Options

Convert = Callable[[Sequence[Input], Options], Iterator[Item]]

FORMATS = frozenset({"backstage", "backstage-config", "cortex", "opslevel", "port"})
KINDS = frozenset({"Component", "Resource", "System", "Domain", "API", "Group", "User"})
"""Kinds that foreign types may be mapped to."""


def converter(name: str) -> Convert:
    """What converts documents of one of FORMATS."""
    return cast(Convert, import_module(f"{__package__}.{name.replace('-', '_')}").convert)
