"""Entities and refused documents of one kind, for judging them again when the kind is another one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, or_, select

from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.tables import catalog_problem, entity, entity_doc, relation


@dataclass(frozen=True)
class Stored:
    """An entity as it is stored."""

    id: int
    uid: str
    ref: str
    source_id: str
    location: str
    line: int
    doc: str


def stored(conn: Connection, kind: str, after: int, limit: int) -> list[Stored]:
    """Entities of a kind, given in lower case, behind an id."""
    named = (entity.c.id, entity.c.uid, entity.c.ref, entity.c.source_id, entity.c.location, entity.c.line)
    statement = (
        select(*named, entity_doc.c.doc)
        .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
        .where(entity.c.kind == kind, entity.c.id > after)
        .order_by(entity.c.id)
        .limit(limit)
    )
    return [Stored(*row) for row in conn.execute(statement)]


def stated(conn: Connection, ids: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    """The relations (type, target) that entities state."""
    found: dict[int, set[tuple[str, str]]] = {id_: set() for id_ in ids}
    for batch in chunks(ids):
        for row in conn.execute(select(relation).where(relation.c.source_id.in_(batch))):
            found[row.source_id].add((row.type, row.target))
    return found


def forget_faults(conn: Connection, refs: Collection[str], *, stored_only: bool = False) -> None:
    """Remove what made documents of these references invalid: they are judged again. `stored_only`: not of documents
    that were kept because they were refused, which may be newer than what is stored."""
    gone = 0
    for batch in chunks(refs):
        where = [catalog_problem.c.ref.in_(batch), catalog_problem.c.code == "invalid"]
        if stored_only:
            where.append(catalog_problem.c.document.is_(None))
        gone += conn.execute(delete(catalog_problem).where(*where)).rowcount
    if gone:
        feed.touch(conn)


def refused(conn: Connection, kinds: Sequence[str], limit: int, source_id: str | None = None) -> list[Any]:
    """Rows of what was refused of these kinds, given in lower case, as not valid; with `source_id`, of this source."""
    of_kind = or_(*(catalog_problem.c.ref.startswith(f"{kind}:", autoescape=True) for kind in kinds))
    statement = select(catalog_problem).where(catalog_problem.c.code == "invalid", of_kind)
    if source_id is not None:
        statement = statement.where(catalog_problem.c.source_id == source_id)
    return list(conn.execute(statement.order_by(catalog_problem.c.id).limit(limit)))
