"""Reads of the catalog. Documents come out as JSON text: relations and errors are spliced in, nothing is parsed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, func, select, true

from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.kinds import inverse_in
from taxiway.features.catalog.tables import catalog_problem, entity, entity_doc, relation

MAX_RELATIONS = 50_000
Edge = tuple[str, str]
"""(type, target ref)."""


def texts_by_refs(
    conn: Connection,
    refs: Iterable[str],
    where: ColumnElement[bool] | None = None,
    scope: ColumnElement[bool] | None = None,
) -> dict[str, str]:
    """The documents of `refs` that exist (and satisfy `where`), by ref. See `edges_of` for `scope`."""
    found: dict[str, str] = {}
    for batch in chunks(refs):
        condition = entity.c.ref.in_(batch)
        found.update(texts(conn, condition if where is None else condition & where, scope=scope))
    return found


def texts(
    conn: Connection,
    where: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (entity.c.ref,),
    limit: int | None = None,
    offset: int | None = None,
    scope: ColumnElement[bool] | None = None,
) -> dict[str, str]:
    """Documents as JSON text by ref, in order. The page is chosen on the narrow rows alone."""
    page = select(entity.c.id).where(where).order_by(*order).limit(limit).offset(offset)
    ids = list(conn.scalars(page))
    return texts_by_ids(conn, ids, scope)


def texts_by_ids(conn: Connection, ids: Sequence[int], scope: ColumnElement[bool] | None = None) -> dict[str, str]:
    """Documents as JSON text by ref, in the order of `ids`. See `edges_of` for `scope`."""
    rows: dict[int, tuple[str, str]] = {}
    for batch in chunks(ids):
        statement = select(entity.c.id, entity.c.ref, entity_doc.c.doc).join(
            entity_doc, entity_doc.c.entity_id == entity.c.id
        )
        read = conn.execute(statement.where(entity.c.id.in_(batch))).all()
        rows.update({id_: (ref, doc) for id_, ref, doc in read})
    edges = edges_of(conn, {id_: ref for id_, (ref, _) in rows.items()}, scope)
    problems = _problems(conn, [ref for ref, _ in rows.values()])
    return {
        rows[id_][0]: _splice(rows[id_][1], edges.get(id_, ()), problems.get(rows[id_][0], ()))
        for id_ in ids
        if id_ in rows
    }


def edges_of(
    conn: Connection, refs: Mapping[int, str], scope: ColumnElement[bool] | None = None
) -> dict[int, list[Edge]]:
    """The relations of entities (id → ref) in both directions, each sorted by type and target; those that others state
    only of what `scope` lets through."""
    found: dict[int, set[Edge]] = {id_: set() for id_ in refs}
    ids, inverse = {ref: id_ for id_, ref in refs.items()}, inverse_in(conn)
    for batch in chunks(refs):
        stated = select(relation.c.source_id, relation.c.type, relation.c.target)
        for id_, type_, target in conn.execute(stated.where(relation.c.source_id.in_(batch))).all():
            found[id_].add((type_, target))
    for names in chunks(ids):
        statement = (
            select(relation.c.target, relation.c.type, entity.c.ref)
            .join(entity, entity.c.id == relation.c.source_id)
            .where(relation.c.target.in_(names), true() if scope is None else scope)
            .limit(MAX_RELATIONS * len(names))
        )
        for target, type_, ref in conn.execute(statement).all():
            found[ids[target]].add((inverse(type_), ref))
    return {id_: sorted(edges) for id_, edges in found.items()}


def text_by_uid(conn: Connection, uid: str, where: ColumnElement[bool]) -> str | None:
    """The document of a uid as JSON text, or None."""
    return next(iter(texts(conn, where & (entity.c.uid == uid), scope=where).values()), None)


def refs_seen(conn: Connection, refs: Iterable[str], where: ColumnElement[bool]) -> set[str]:
    """Those of `refs` that exist and satisfy `where`."""
    found: set[str] = set()
    for batch in chunks(refs):
        found.update(conn.scalars(select(entity.c.ref).where(entity.c.ref.in_(batch), where)))
    return found


def count(conn: Connection, where: ColumnElement[bool]) -> int:
    """How many entities satisfy `where`."""
    return int(conn.scalar(select(func.count()).select_from(entity).where(where)) or 0)


def joined(items: Iterable[str | None]) -> bytes:
    """A JSON array of documents; None becomes null."""
    return b"[%b]" % ",".join(["null" if item is None else item for item in items]).encode()


def projected(items: Iterable[str | None], fields: Sequence[str]) -> list[str | None]:
    """Documents with only the given dotted paths; keys that contain dots are found greedily. No fields: unchanged."""
    if not fields:
        return list(items)
    result: list[str | None] = []
    for item in items:
        if item is None:
            result.append(None)
            continue
        document = orjson.loads(item)
        kept: dict[str, Any] = {}
        for path in fields:
            _copy(document, kept, path)
        result.append(orjson.dumps(kept).decode())
    return result


def _copy(source: Any, into: dict[str, Any], path: str) -> None:
    if not isinstance(source, dict):
        return
    if path in source:
        into[path] = source[path]
        return
    parts = path.split(".")
    for size in range(len(parts) - 1, 0, -1):
        key = ".".join(parts[:size])
        if isinstance(source.get(key), dict):
            inner = into.setdefault(key, {})
            _copy(source[key], inner, ".".join(parts[size:]))
            if not inner:
                del into[key]
            return


def _problems(conn: Connection, refs: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for batch in chunks(refs):
        for row in conn.execute(select(catalog_problem).where(catalog_problem.c.ref.in_(batch))):
            where = row.location if row.line is None else f"{row.location}, line {row.line}"
            message = f"{row.detail} ({where}). {row.remedy}"
            item = {
                "type": "backstage.io/catalog-processing",
                "level": "error",
                "message": message,
                "error": {"name": "InputError", "message": message},
            }
            found.setdefault(row.ref, []).append(item)
    return found


def _splice(doc: str, edges: Sequence[Edge], problems: Sequence[Mapping[str, Any]]) -> str:
    relations = [{"type": type_, "targetRef": target} for type_, target in edges]
    extra = f',"relations":{orjson.dumps(relations).decode()}'
    if problems:
        extra += f',"status":{orjson.dumps({"items": list(problems)}).decode()}'
    return doc[:-1] + extra + "}"
