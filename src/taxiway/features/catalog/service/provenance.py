"""Where every value of an entity comes from: source, file and line, since when, and what it won over.

All of it is found when somebody asks: sources from the layers, since when from the history, lines from the files. What
a source says is told only to those who may see it; that its value won is told to all who may read the entity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.features.catalog.model import OWN, PUSHED
from taxiway.features.catalog.overlays import OURS, Layer, Origin, Path, in_order, origins
from taxiway.features.catalog.repository import history, layers, locations, orphans, past, reading
from taxiway.features.catalog.repository.entities import Known, known_by_refs
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.history import Version
from taxiway.features.catalog.service.field_lines import Written, line_at, says, written_at
from taxiway.features.catalog.service.properties import HIDDEN, explain_properties
from taxiway.kit.pointer import pointer
from taxiway.model.errors import NotFoundError

READ, SEE_SOURCES = "catalog.entity.read", "catalog.location.read"
MAX_FIELDS = 4000
MAX_TEXT = 200
MAX_VERSIONS = 500
DERIVED = frozenset({("metadata", "namespace"), ("metadata", "annotations", "backstage.io/source-location")})
"""What the catalog adds where a document does not say it."""
Mark = tuple[Path, bytes]


@dataclass
class _Source:
    """A layer with what is known of its source. `written` is its file, or why there is none to look into."""

    layer: Layer
    source_id: str
    name: str
    location: str
    line: int
    role: str
    seen: bool
    written: Written | str | None = None


def provenance_of(ctx: OpContext, ref: str) -> dict[str, Any]:
    """{ref, etag, sources, fields, truncated}. NotFoundError for an entity that there is not for the caller."""
    scope, sources_scope = ctx.scope(READ), ctx.scope(SEE_SOURCES)
    with ctx.platform.store.read() as conn:
        known = known_by_refs(conn, [ref]).get(ref)
        if known is None or not reading.refs_seen(conn, [ref], visible_to(scope)):
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="catalog.no_entity")
        [(_, text, location, line)] = orphans.documents(conn, [ref])
        stack = layers.of_refs(conn, [ref]).get(ref, [])
        versions = history.versions(conn, ref, past.owned(scope), visible_to(scope), None, MAX_VERSIONS)
        rows = {layer.source_id: locations.get(conn, layer.source_id) for layer in stack if layer.source_id != OWN}
        keeper = locations.get(conn, known.source_id)
    document = orjson.loads(text)
    own = next((layer for layer in stack if layer.source_id == OWN), None) or Layer(OWN, _bare(document))
    found: list[_Source] = []
    for layer in in_order(own, [layer for layer in stack if layer.source_id != OWN]):
        if layer.source_id == OWN:
            name = known.source_id if keeper is None else keeper.reference
            found.append(_Source(layer, known.source_id, name, location, line, "owner", True))
            continue
        row = rows[layer.source_id]
        seen = sources_scope.everything or (row is not None and row.owner in sources_scope.owners)
        place = (layer.location, layer.line) if seen else ("", 0)
        name = layer.source_id if seen else HIDDEN
        found.append(_Source(layer, layer.source_id, name, *place, "overlay", seen))
    etag = document["metadata"]["etag"]
    for source in found:
        repository = keeper.repository if keeper is not None and source.role == "owner" else None
        source.written = _look(ctx, source, repository, ref, etag)
    return _told(ctx, known, etag, document, found, versions)


def _look(ctx: OpContext, source: _Source, repository: str | None, ref: str, etag: str) -> Written | str | None:
    if not source.seen:
        return HIDDEN
    if source.source_id.startswith(PUSHED):
        return None
    return written_at(ctx.platform, source.location, repository, ref, etag)


def _told(
    ctx: OpContext, known: Known, etag: str, document: Any, sources: Sequence[_Source], versions: Sequence[Version]
) -> dict[str, Any]:
    # A hidden source has no name of its own here; one that is left out does not show at all.
    ids = {one.layer.source_id: one.source_id if one.seen else f"hidden:{n}" for n, one in enumerate(sources)}
    by_id = {one.layer.source_id: one for one in sources}
    applied = [one.layer for one in sources if one.layer.refused is None]
    every = list(islice(origins(document, applied), MAX_FIELDS + 1))
    since = _since(document, [one for one in versions if one.uid == known.uid])
    fields = [_field(origin, by_id, ids, since) for origin in every[:MAX_FIELDS]]
    return {
        "ref": known.ref,
        "etag": etag,
        "sources": [_source(one, ids) for one in sources if one.seen or one.layer.refused is None],
        "fields": [*fields, *_computed(ctx, known.ref)],
        "truncated": len(every) > MAX_FIELDS,
    }


def _source(one: _Source, ids: Mapping[str, str]) -> dict[str, Any]:
    written = one.written
    return {
        "id": ids[one.layer.source_id],
        "role": one.role,
        "name": one.name,
        "precedence": one.layer.precedence,
        "state": "applied" if one.layer.refused is None else "refused",
        "detail": one.layer.refused,
        "location": one.location if one.seen else None,
        "line": one.line if one.seen else None,
        "lines": "read" if isinstance(written, Written) else "document" if written is None else "unknown",
        "lines_detail": written if isinstance(written, str) else None,
    }


def _field(
    origin: Origin,
    sources: Mapping[str, _Source],
    ids: Mapping[str, str],
    since: Mapping[Mark, tuple[int, bool]],
) -> dict[str, Any]:
    source = None if origin.source_id is None or origin.path in OURS else sources[origin.source_id]
    line = None
    if source is not None:
        written = source.written
        if isinstance(written, Written):
            line = line_at(written, source.layer.document, origin.own_path)
            if source.role == "owner" and origin.path in DERIVED and not says(written, origin.path):
                source = None
        elif written is None:
            line = source.line
    at, at_least = since.get(_mark(origin.path, origin.value), (None, False))
    return {
        "pointer": pointer(origin.path),
        "value": _cut(origin.value),
        "source_id": None if source is None else ids[source.layer.source_id],
        "line": line,
        "since_at": at,
        "at_least": at_least,
        "rule": None,
        "over": [{"source_id": ids[id_], "value": _cut(value)} for id_, value in origin.over if sources[id_].seen],
    }


def _since(document: Any, versions: Sequence[Version]) -> dict[Mark, tuple[int, bool]]:
    """Since when each value is what it is, as far as versions that follow each other tell, newest first."""
    found: dict[Mark, tuple[int, bool]] = {}
    alive = set(_marks(document, ()))
    for newer, version in pairwise([None, *versions]):
        if version is None or not alive or (newer is not None and newer.version != version.version + 1):
            break
        alive &= set(_marks(orjson.loads(version.doc), ()))
        oldest = version.version == 1
        found.update(dict.fromkeys(alive, (version.started_at, not oldest)))
        if oldest:
            break
    # What an older version did not have began with the one behind it, and that is certain.
    return {mark: (at, at_least and mark in alive) for mark, (at, at_least) in found.items()}


def _marks(value: Any, path: Path) -> Iterator[Mark]:
    # An item of a list is known by what it is, not by its place.
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _marks(item, (*path, key))
    elif isinstance(value, list) and value:
        for item in value:
            yield from _marks(item, (*path, "-"))
    else:
        yield path, orjson.dumps(value)


def _mark(path: Path, value: Any) -> Mark:
    return tuple("-" if isinstance(key, int) else key for key in path), orjson.dumps(value)


def _computed(ctx: OpContext, ref: str) -> list[dict[str, Any]]:
    return [
        {
            "pointer": pointer(["properties", item["name"]]),
            "value": _cut(item["value"]),
            "source_id": None,
            "line": None,
            "since_at": item["computed_at"],
            "at_least": False,
            "rule": item["rule"],
            "over": [],
        }
        for item in explain_properties(ctx, ref)
    ]


def _bare(document: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in document["metadata"].items() if key not in ("uid", "etag")}
    return {**document, "metadata": metadata}


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " …"
