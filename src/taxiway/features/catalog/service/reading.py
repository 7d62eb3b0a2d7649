"""What a registered location reads: where it points to, and every document there within its rights."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.core.context import Platform
from taxiway.features.catalog.model import Location
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.memory import FileMemory
from taxiway.features.catalog.sources.read import OpenTarget, Parser, read_target
from taxiway.features.catalog.sources.targets import Target, open_in_repository, open_target
from taxiway.features.catalog.sources.trees import Tree
from taxiway.model.errors import InputError
from taxiway.plugin import SourcedEntity


def open_location(platform: Platform, item: Location) -> Target:
    """Where a location points to now."""
    if item.repository is not None:
        return open_in_repository(platform, item.repository, item.target)
    return open_target(platform, item.type, item.target)


def read_items(
    platform: Platform,
    opened: Target,
    trusted: bool,
    memory: FileMemory | None = None,
    parser: Parser | None = None,
) -> Iterator[Item]:
    """The documents of an opened target, and of what it leads to within its rights. Files that `memory` knows to be
    unchanged are left out."""

    def follow(kind: str, target: str) -> Target:
        found = open_target(platform, kind, target)
        # A repository must not make the catalog read what its owner could not register.
        if opened.repository is not None and not trusted and (found.repository is None or found.owner != opened.owner):
            raise InputError(f"'{target}' belongs to another owner: register it by itself", code="catalog.not_yours")
        if opened.remote and not trusted and not found.remote:
            raise InputError(f"'{target}' is not on another host: register it by itself", code="catalog.not_yours")
        return found

    return read_target(opened, follow, memory, parser)


def root_entity(item: Location) -> SourcedEntity:
    """The Location entity that stands for a registered location."""
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {"name": item.entity_ref.partition("/")[2]},
        "spec": {"type": item.type, "target": item.target},
    }
    return SourcedEntity(document, item.reference)


def follow_from(platform: Platform, tree: Tree, trusted: bool) -> OpenTarget:
    """What Locations in a configured source's files may lead to: its own tree, and anything when it is trusted."""
    base = tree.location("").removeprefix("url:")

    def follow(kind: str, target: str) -> Target:
        if base and target.startswith(base):
            return Target(tree, target.removeprefix(base).partition("?")[0])
        if not trusted:
            raise InputError(
                f"'{target}' is not in the same repository: register it by itself", code="catalog.not_yours"
            )
        return open_target(platform, kind, target)

    return follow
