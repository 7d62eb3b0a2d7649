"""One answer over the catalog and the contributed documents, of what the caller may read only; and keeping the latter.

Both sides rank in the same tiers, so that they are merged by tier: entities first where they are even.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog.repository import search as catalog
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.service.query import index_of
from taxiway.features.search import repository
from taxiway.features.search.highlight import excerpt, marked
from taxiway.kit.words import words_of
from taxiway.model.errors import InputError
from taxiway.plugin import SearchDocument, SearchSource

CATALOG = "software-catalog"
ENTITIES = "catalog.entity.read"
MAX_TERM = 100
MAX_DOCUMENTS = 5000
"""Of one collection; the rest is left out, and logged."""
EVERY_SECONDS = 10
FIELDS = {
    "kind": "kind",
    "namespace": "metadata.namespace",
    "name": "metadata.name",
    "type": "spec.type",
    "componenttype": "spec.type",
    "lifecycle": "spec.lifecycle",
    "owner": "relations.ownedby",
}
"""Fields of a catalog document that are filtered by, and the catalog's own paths. Other fields are paths already."""


@dataclass(frozen=True)
class Question:
    """What is looked for. No types: all of them. `filters` maps fields to values, any of which will do."""

    term: str
    types: Sequence[str]
    filters: Mapping[str, Sequence[str]]
    limit: int
    offset: int


@dataclass(frozen=True)
class Answer:
    """Results in Backstage's form, and how many there are in all."""

    results: Sequence[Mapping[str, Any]]
    total: int


def search(ctx: OpContext, question: Question) -> Answer:
    """Results, best first. InputError for a type that nobody contributes, or a term that is too long."""
    if len(question.term) > MAX_TERM:
        raise InputError(f"a search term has at most {MAX_TERM} characters: shorten it", code="search.long_term")
    sources = {source.key: source for source in _sources(ctx.platform)}
    unknown = sorted(set(question.types) - {CATALOG, *sources})
    if unknown:
        known = ", ".join([CATALOG, *sources])
        raise InputError(f"the document type '{unknown[0]}' is not known: use one of {known}", code="search.bad_type")
    wanted = {key: one for key, one in sources.items() if not question.types or key in question.types}
    most = question.offset + question.limit
    with index_of(ctx.platform).reading() as (conn, view):
        entities = ctx.scope(ENTITIES)
        found = catalog.Found([], 0, words_of(question.term))
        if not question.types or CATALOG in question.types:
            paths = {FIELDS.get(key.lower(), key): values for key, values in question.filters.items()}
            lens = catalog.lens_of(conn, view, visible_to(entities), paths)
            found = catalog.search(conn, view, question.term, lens, most)
        pages: list[tuple[int, int]] = []
        count = 0
        if wanted and (found.words or not question.term.strip()):
            where = repository.seen({key: ctx.scope(one.permission) for key, one in wanted.items()}, entities)
            pages, count = repository.search(conn, words_of(question.term), where, question.filters, most)
        both = sorted([(tier, 0, one) for tier, one in found.ranked] + [(tier, 1, one) for tier, one in pages], key=_by)
        chosen = both[question.offset : most]
        hits = catalog.hits(conn, [one for _, side, one in chosen if side == 0])
        texts = repository.pages(conn, [one for _, side, one in chosen if side == 1])
    tags = (f"<{ctx.platform.new_id()}>", f"</{ctx.platform.new_id()}>")
    results = []
    for rank, (tier, side, one) in enumerate(chosen, question.offset + 1):
        whole = found.meant if tier == catalog.WORST else ()
        if side == 0 and one in hits:
            results.append(_of_entity(hits[one], rank, found.words, whole, tags))
        elif side == 1 and one in texts:
            results.append(_of_page(texts[one], rank, found.words, tags))
    return Answer(results, found.total + count)


def refresh(platform: Platform) -> int:
    """Read every collection anew whose state changed, and forget those that are gone. How many that were."""
    changed = 0
    for source in _sources(platform):
        try:
            changed += _refresh(platform, source)
        except Exception as error:
            # A source may be anybody's: the others go on, and this one is asked again when anything happens.
            platform.log.warning("search.source_failed", source=source.key, error=str(error))
    return changed


def _refresh(platform: Platform, source: SearchSource) -> int:
    with platform.store.read() as conn:
        held = repository.states(conn, source.key)
    there = dict(source.collections())
    changed = [name for name, state in there.items() if held.get(name) != state]
    for name in changed:
        _store(platform, source.key, name, there[name], _documents(platform, source, name))
    gone = sorted(held.keys() - there.keys())
    for name in gone:
        _store(platform, source.key, name, None, ())
    return len(changed) + len(gone)


def _documents(platform: Platform, source: SearchSource, name: str) -> list[SearchDocument]:
    found = list(islice(source.documents(name), MAX_DOCUMENTS + 1))
    if len(found) > MAX_DOCUMENTS:
        platform.log.warning("search.too_many_documents", source=source.key, collection=name, kept=MAX_DOCUMENTS)
    return found[:MAX_DOCUMENTS]


def _store(platform: Platform, type_: str, name: str, state: str | None, items: Sequence[SearchDocument]) -> None:
    def work(tx: Tx) -> None:
        repository.replace(tx.conn, type_, name, state, items)

    platform.store.write(work)


def _sources(platform: Platform) -> list[SearchSource]:
    return platform.registry.all("search_source", SearchSource)


def _by(item: tuple[int, int, int]) -> tuple[int, int]:
    return item[:2]


def _of_entity(
    hit: catalog.Hit, rank: int, words: Sequence[str], whole: Sequence[str], tags: tuple[str, str]
) -> dict[str, Any]:
    document = {
        "title": hit.title or hit.name,
        "text": hit.description,
        "location": f"/catalog/{hit.kind}/{hit.namespace}/{hit.name}",
        "kind": hit.kind,
        "namespace": hit.namespace,
        "name": hit.name,
        "ref": hit.ref,
        "type": hit.type or "other",
        "componentType": hit.type or "other",
        "lifecycle": hit.lifecycle or "",
        "owner": hit.owner or "",
        "tags": list(hit.tags),
    }
    fields = {"title": hit.title or hit.name, "name": hit.name, "text": hit.description, "tags": " ".join(hit.tags)}
    highlights = {key: marked(value, words, whole, tags) for key, value in fields.items()}
    if not any(highlights.values()):
        highlights["text"] = marked(hit.body, words, whole, tags)
    return _result(CATALOG, document, rank, highlights, tags)


def _of_page(page: repository.Page, rank: int, words: Sequence[str], tags: tuple[str, str]) -> dict[str, Any]:
    document = {**page.fields, "title": page.title, "text": excerpt(page.text), "location": page.location}
    if page.entity_ref:
        document["entityRef"] = page.entity_ref
    highlights = {"title": marked(page.title, words, (), tags), "text": marked(page.text, words, (), tags)}
    return _result(page.type, document, rank, highlights, tags)


def _result(
    type_: str, document: Mapping[str, Any], rank: int, highlights: Mapping[str, str | None], tags: tuple[str, str]
) -> dict[str, Any]:
    result: dict[str, Any] = {"type": type_, "document": document, "rank": rank}
    fields = {key: value for key, value in highlights.items() if value is not None}
    if fields:
        result["highlight"] = {"preTag": tags[0], "postTag": tags[1], "fields": fields}
    return result
