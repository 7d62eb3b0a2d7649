"""Ranked search over the catalog: every word must be found, each as the beginning of a word too.

Best first: the entity of that very name, whole words in names and titles, beginnings of them, tags, whole words
anywhere, anything. Inside such a tier shorter names come first, unless it is large: then the oldest entities do. When
little is found, names that are one typing error away come last. Everything is narrowed to what the caller may see
before it is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pyroaring import BitMap
from sqlalchemy import Connection, select

from taxiway.features.catalog.documents import words as words_in
from taxiway.features.catalog.repository import names
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.filters import Clause, Sql, limited
from taxiway.features.catalog.repository.fts import ENTITIES, Term, matching, terms
from taxiway.features.catalog.repository.index.bits import Bits
from taxiway.features.catalog.repository.index.catalog_index import View
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.tables import entity, entity_doc
from taxiway.kit.words import words_of
from taxiway.model.entity import DEFAULT_NAMESPACE

_SPACE = re.compile(r"\s+")
FEW = 25
"""With fewer hits than a page has, a typing error is reckoned with."""
SORTED = 1000
"""Tiers up to this size are sorted by name."""
MANY = 5000
"""From so many hits on, whole words elsewhere are not told from beginnings of words."""
WORST = 6
"""The tier of what a typing error may have meant."""
Lens = Callable[[BitMap], BitMap]
"""Narrows entities to those that are asked for and may be seen."""


@dataclass(frozen=True)
class Hit:
    """An entity that was found. `body` is all else that its words were taken from."""

    id: int
    ref: str
    kind: str
    namespace: str
    name: str
    title: str | None
    type: str | None
    lifecycle: str | None
    owner: str | None
    description: str
    tags: Sequence[str]
    body: str


@dataclass(frozen=True)
class Found:
    """(tier, id) of the best hits, best first, and how many there are in all. `words` are those that were looked for,
    `meant` those that took their place."""

    ranked: Sequence[tuple[int, int]]
    total: int
    words: Sequence[str] = ()
    meant: Sequence[str] = ()


def lens_of(conn: Connection, view: View | None, scope: Clause, filters: Mapping[str, Sequence[str]]) -> Lens:
    """What `filters` (path → values, any of which will do) and `scope` let through."""
    wanted = [(key.lower(), [value.lower() for value in values]) for key, values in filters.items()]
    if view is not None:
        bits = Bits(view.state, conn, scope)
        parts = [bits.one_of(key, values) for key, values in wanted]
        if limited(scope) is not None:
            parts.append(bits.visible(scope))
        if not parts:
            return lambda found: found
        return lambda found: BitMap.intersection(found, *parts)
    clause = Sql(scope).all_of([scope, *(Sql(scope).one_of(key, values) for key, values in wanted)])
    if limited(scope) is None and not wanted:
        return lambda found: found
    return lambda found: BitMap(
        one
        for batch in chunks(found)
        for one in conn.scalars(select(entity.c.id).where(entity.c.id.in_(batch), clause))
    )


def search(conn: Connection, view: View | None, term: str, lens: Lens, most: int) -> Found:
    """The best `most` hits for `term`. Without words: everything, by reference."""
    words = words_of(term)
    if not words:
        return Found([], 0) if term.strip() else _everything(conn, lens, most)
    everywhere = lens(matching(conn, ENTITIES, [terms(words)]))
    exact = lens(_of_that_name(conn, term))
    found = everywhere | exact
    tiers = _tiers(conn, words, found, exact)
    if len(found) < FEW and not exact:
        other, meant = _one_error_away(conn, term, words)
        corrected = lens(other) - found
        total = len(found) + len(corrected)
        return Found(_best(conn, [*tiers, (WORST, corrected)], most), total, words, sorted(meant))
    return Found(_best(conn, tiers, most), len(found), words)


def hits(conn: Connection, ids: Sequence[int]) -> dict[int, Hit]:
    """What is shown of entities, by id."""
    columns = [entity.c[name] for name in ("id", "ref", "kind", "namespace", "name", "title")]
    columns += [entity.c[name] for name in ("type", "lifecycle", "owner")]
    statement = select(*columns, entity_doc.c.doc).join(entity_doc, entity_doc.c.entity_id == entity.c.id)
    rows = conn.execute(statement.where(entity.c.id.in_(ids)))
    return {row.id: _hit(row._mapping) for row in rows}


def _hit(row: Mapping[Any, Any]) -> Hit:
    document = orjson.loads(row["doc"])
    metadata = document["metadata"]
    columns = {name: value for name, value in row.items() if name != "doc"}
    body = _SPACE.sub(" ", words_in(document)[3])
    return Hit(**columns, description=metadata.get("description", ""), tags=metadata.get("tags") or (), body=body)


def _everything(conn: Connection, lens: Lens, most: int) -> Found:
    ids = list(conn.scalars(select(entity.c.id).order_by(entity.c.ref)))
    seen = lens(BitMap(ids))
    chosen = [(0, one) for one in ids if one in seen][:most]
    return Found(chosen, len(seen))


def _of_that_name(conn: Connection, term: str) -> BitMap:
    name = term.strip().lower()
    kind, colon, rest = name.rpartition(":")
    namespace, _, short = rest.rpartition("/")
    kinds = [kind] if colon else [one.lower() for one in load_kinds(conn).by_name]
    refs = [f"{one}:{namespace or DEFAULT_NAMESPACE}/{short}" for one in kinds]
    return BitMap(conn.scalars(select(entity.c.id).where(entity.c.ref.in_(refs))))


def _tiers(conn: Connection, words: Sequence[str], found: BitMap, exact: BitMap) -> Iterator[tuple[int, BitMap]]:
    # A generator: a tier is asked for only while the page is not full.
    yield 0, exact
    rest = found - exact
    steps = (
        (1, ENTITIES.names, True),
        (2, ENTITIES.names, False),
        (3, (*ENTITIES.names, "tags"), False),
        (4, (), True),
    )
    for tier, columns, whole in steps:
        if rest and not (tier == 4 and len(found) > MANY):
            here = rest & matching(conn, ENTITIES, [terms(words, whole=whole)], columns)
            yield tier, here
            rest = rest - here
    yield 5, rest


def _best(conn: Connection, tiers: Iterator[tuple[int, BitMap]] | list[Any], most: int) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for tier, ids in tiers:
        if len(chosen) >= most:
            break
        chosen.extend((tier, one) for one in _sorted(conn, ids, most - len(chosen)))
    return chosen


def _sorted(conn: Connection, ids: BitMap, most: int) -> Sequence[int]:
    if len(ids) <= 1 or len(ids) > SORTED:
        return list(ids[:most])
    refs = {
        row[0]: row[1]
        for batch in chunks(ids)
        for row in conn.execute(select(entity.c.id, entity.c.ref).where(entity.c.id.in_(batch)))
    }
    return sorted(refs, key=lambda one: (len(refs[one].rpartition("/")[2]), refs[one]))[:most]


def _one_error_away(conn: Connection, term: str, words: Sequence[str]) -> tuple[BitMap, set[str]]:
    alternatives: list[list[Term]] = []
    meant: set[str] = set()
    for place, word in enumerate(words):
        for other in names.near(conn, word):
            here = [Term(part, True, ENTITIES.names) for part in words_of(other)]
            alternatives.append([*terms(words[:place]), *here, *terms(words[place + 1 :])])
            meant.update(words_of(other))
    if len(words) > 1 or words[0] != term.strip():
        for other in names.near(conn, term.strip()):
            alternatives.append([Term(part, True, ("name",)) for part in words_of(other)])
            meant.update(words_of(other))
    return (matching(conn, ENTITIES, alternatives), meant) if alternatives else (BitMap(), set())
