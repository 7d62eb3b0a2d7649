"""Reads of single entities and lists: for other features as values, for the API as JSON text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.watch import CommitWatch
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.repository import history, listing, properties, reading
from taxiway.features.catalog.repository.filters import Clause, documented, equal_filters, visible_to
from taxiway.features.catalog.repository.index.catalog_index import CatalogIndex
from taxiway.features.catalog.repository.past import owned
from taxiway.features.catalog.repository.query import Listed, Query
from taxiway.model.access import EVERYTHING
from taxiway.model.entity import ref_of

MAX_LIST = 10_000
READ = "catalog.entity.read"
INDEX = "catalog.index"
PROPERTIES = "properties"


def get_entity(platform: Platform, ref: str) -> dict[str, Any] | None:
    """The entity of a full reference (`kind:namespace/name`; the namespace may be left out), or None."""
    full = full_ref(ref)
    with platform.store.read() as conn:
        text = reading.texts_by_refs(conn, [full]).get(full)
    return None if text is None else orjson.loads(text)


def last_known(platform: Platform, ref: str) -> dict[str, Any] | None:
    """The entity of a full reference as it is, or as it was when it went; None when history does not hold it."""
    found = get_entity(platform, ref)
    if found is not None:
        return found
    with platform.store.read() as conn:
        versions = history.versions(conn, full_ref(ref), owned(EVERYTHING), visible_to(EVERYTHING), None, 1)
    return orjson.loads(versions[0].doc) if versions else None


def list_entities(
    platform: Platform, *, kind: str | None = None, filters: Mapping[str, str] = {}
) -> list[dict[str, Any]]:
    """Entities by ref, at most 10,000. `filters` maps dotted paths (`spec.type`) to the value each must have."""
    wanted = dict(filters) if kind is None else {**filters, "kind": kind}
    with platform.store.read() as conn:
        return [orjson.loads(text) for text in reading.texts(conn, equal_filters(wanted), limit=MAX_LIST).values()]


def list_documented(platform: Platform) -> list[dict[str, Any]]:
    """Entities, by ref and at most 10,000, that have docs and may have them in a repository of the forge here."""
    with platform.store.read() as conn:
        return [orjson.loads(text) for text in reading.texts(conn, documented(), limit=MAX_LIST).values()]


def index_of(platform: Platform) -> CatalogIndex:
    """The index in memory of this process."""
    found: CatalogIndex | None = platform.services.get(INDEX)
    return found or platform.services.setdefault(INDEX, _index(platform))


def has_index(platform: Platform) -> bool:
    """Whether anybody asked this process for its index: a worker beside the server may answer nobody."""
    return INDEX in platform.services


def text_of_entity(ctx: OpContext, ref: str) -> str | None:
    """The document of a full reference as JSON text; None when there is none that the caller may see."""
    scope = ctx.scope(READ)
    with index_of(ctx.platform).reading() as (conn, view):
        found = reading.texts_by_refs(conn, [ref], visible_to(scope), visible_to(scope))
        if view is not None and scope.everything:
            view.state.texts.keep(found)
    return found.get(ref)


def page_of_entities(ctx: OpContext, query: Query, *, limit: int, offset: int = 0, with_total: bool = True) -> Listed:
    """A page of what the caller may see."""
    scope = _scope(ctx)
    with index_of(ctx.platform).reading() as (conn, view):
        return listing.page(conn, query, scope, limit=limit, offset=offset, with_total=with_total, view=view)


def ids_of_entities(ctx: OpContext, query: Query) -> list[int]:
    """The ids of all that the caller may see, in order."""
    scope = _scope(ctx)
    with index_of(ctx.platform).reading() as (conn, view):
        return listing.ids(conn, query, scope, view)


def with_properties(ctx: OpContext, texts: Sequence[str], fields: Sequence[str]) -> Sequence[str]:
    """Documents as they are, with their computed values where `fields` asks for some: no document holds them."""
    if not any(path == PROPERTIES or path.startswith(f"{PROPERTIES}.") for path in fields):
        return texts
    refs = [str(ref_of(orjson.loads(text))) for text in texts]
    with ctx.platform.store.read() as conn:
        values = properties.values_of(conn, refs)
    return [_with(text, values.get(ref)) for text, ref in zip(texts, refs, strict=True)]


def _with(text: str, values: dict[str, Any] | None) -> str:
    return text if values is None else f'{text[:-1]},"{PROPERTIES}":{orjson.dumps(values).decode()}}}'


def facets_of_entities(ctx: OpContext, keys: Sequence[str], query: Query) -> bytes:
    """Values of fields and how many of what the caller may see have each: the inside of a JSON object."""
    scope = _scope(ctx)
    with index_of(ctx.platform).reading() as (conn, view):
        found = listing.facets_one_by_one(conn, list(dict.fromkeys(keys)), query, scope, view)
        return b",".join(orjson.dumps(key) + b":" + orjson.dumps(values) for key, values in found)


def _index(platform: Platform) -> CatalogIndex:
    return CatalogIndex(platform.store, CommitWatch(platform.settings.store_url()), platform.log)


def _scope(ctx: OpContext) -> Clause:
    return visible_to(ctx.scope(READ))
