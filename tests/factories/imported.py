"""Judges what an import made as the catalog will: by the kinds that ship, and those that are among it."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.features.catalog.importers.report import Item
from taxiway.features.catalog.kinds import META, shipped, with_document
from taxiway.features.catalog.validation import validate


def validate_all(items: Sequence[Item]) -> None:
    """Raises InputError for the first entity that the catalog would refuse."""
    entities = [item.entity for item in items if item.entity is not None]
    kinds = shipped().announcing(frozenset(one["metadata"]["name"] for one in entities if one["kind"] == "Kind"))
    for entity in entities:
        validate(entity, kinds)
        if entity["kind"] in META:
            kinds = with_document(kinds, entity, "import")
