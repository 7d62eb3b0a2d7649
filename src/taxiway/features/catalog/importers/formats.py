"""The formats that can be imported, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from taxiway.features.catalog.importers import backstage, backstage_config, cortex, opslevel, port
from taxiway.features.catalog.importers.report import Input, Item, Options

Convert = Callable[[Sequence[Input], Options], Iterator[Item]]

FORMATS: Mapping[str, Convert] = {
    "backstage": backstage.convert,
    "backstage-config": backstage_config.convert,
    "cortex": cortex.convert,
    "opslevel": opslevel.convert,
    "port": port.convert,
}
KINDS = frozenset({"Component", "Resource", "System", "Domain", "API", "Group", "User"})
"""Kinds that foreign types may be mapped to."""
