"""Where an entity comes from: the Location entities that lead to its file, up to the registered location."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Any

import orjson

from taxiway.core.context import Platform
from taxiway.features.catalog.repository import ancestry, reading
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.ancestry import Placed
from taxiway.features.catalog.repository.filters import Clause
from taxiway.features.catalog.sources.targets import open_target
from taxiway.model.errors import NotFoundError, TaxiwayError


@dataclass(frozen=True)
class Ancestor:
    """A document as JSON text, and the references of what it came from."""

    document: str
    parents: Sequence[str]


def ancestors_of(platform: Platform, ref: str, scope: Clause) -> list[Ancestor]:
    """The entity and all that leads to it, nearest first. NotFoundError when there is none that may be seen."""
    with platform.store.read() as conn:
        start = ancestry.placed(conn, ref, scope)
        if start is None:
            raise NotFoundError(f"No such entity {ref}", code="catalog.no_entity")
        source = rows.get(conn, start.source_id)
        known = ancestry.locations_of(conn, start.source_id, scope)
    root = source.entity_ref if source is not None else None
    patterns = {place.ref: _patterns(platform, place, orjson.loads(text)) for place, text in known if place.ref != root}
    places = {place.ref: place for place, _ in known}
    parents: dict[str, list[str]] = {}
    wave = [start]
    while wave:
        for place in wave:
            parents[place.ref] = _parents(place, patterns, root if root in places else None)
        wave = [places[name] for name in dict.fromkeys(p for place in wave for p in parents[place.ref])]
        wave = [place for place in wave if place.ref not in parents]
    with platform.store.read() as conn:
        texts = reading.texts_by_refs(conn, parents, scope, scope)
    return [Ancestor(texts[name], found) for name, found in parents.items() if name in texts]


def _parents(place: Placed, patterns: Mapping[str, Sequence[str]], root: str | None) -> list[str]:
    if place.ref == root:
        return []
    found = [
        name
        for name, wanted in patterns.items()
        if name != place.ref and any(fnmatch.fnmatchcase(place.location, pattern) for pattern in wanted)
    ]
    return found or ([root] if root is not None else [])


def _patterns(platform: Platform, place: Placed, document: Mapping[str, Any]) -> list[str]:
    spec = document.get("spec", {})
    targets = [spec.get("target"), *(spec.get("targets") or [])]
    return [_full(platform, place.location, spec, target) for target in targets if isinstance(target, str) and target]


def _full(platform: Platform, location: str, spec: Mapping[str, Any], target: str) -> str:
    if "://" not in target and not target.startswith(("/", "git:")):
        kind, _, file = location.partition(":")
        scheme, sign, path = file.rpartition("://")
        return f"{kind}:{scheme}{sign}{normpath(join(dirname(path), target))}"
    kind = str(spec.get("type") or ("file" if target.startswith("/") else "url"))
    try:
        found = open_target(platform, kind, target)
        return found.tree.location(found.path)
    except TaxiwayError:
        return f"{kind}:{target}"
