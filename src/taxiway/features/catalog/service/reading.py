"""What a registered location reads: where it points to, and every document there within its rights."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.core.context import Platform
from taxiway.features.catalog.model import Location
from taxiway.features.catalog.sources.memory import FileMemory
from taxiway.features.catalog.sources.read import Item, read_target
from taxiway.features.catalog.sources.targets import Target, open_in_repository, open_target
from taxiway.model.errors import InputError
from taxiway.plugin import SourcedEntity


def open_location(platform: Platform, item: Location) -> Target:
    """Where a location points to now."""
    if item.repository is not None:
        return open_in_repository(platform, item.repository, item.target)
    return open_target(platform, item.type, item.target)


def read_items(platform: Platform, opened: Target, trusted: bool, memory: FileMemory | None = None) -> Iterator[Item]:
    """The documents of an opened target, and of what it leads to within its rights. Files that `memory` knows to be
    unchanged are left out."""

    def follow(kind: str, target: str) -> Target:
        found = open_target(platform, kind, target)
        # A repository must not make the catalog read what its owner could not register.
        if opened.repository is not None and not trusted and (found.repository is None or found.owner != opened.owner):
            raise InputError(f"'{target}' belongs to another owner: register it by itself", code="catalog.not_yours")
        return found

    return read_target(opened, follow, memory)


def root_entity(item: Location) -> SourcedEntity:
    """The Location entity that stands for a registered location."""
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {"name": item.entity_ref.partition("/")[2]},
        "spec": {"type": item.type, "target": item.target},
    }
    return SourcedEntity(document, item.reference)
