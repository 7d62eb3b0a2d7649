"""Superseded versions of entities and who changed what: written beside every change, read by the history operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, insert, select

from taxiway.features.catalog.history_packing import Packed, pack, stands_alone, unpack_chain
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.tables import catalog_change, entity, entity_doc, entity_version, location, relation
from taxiway.model.access import Principal

MAX_READ = 2000


@dataclass(frozen=True)
class Before:
    """An entity as it is about to be replaced."""

    id: int
    row: Mapping[str, Any]
    doc: str


@dataclass(frozen=True)
class Version:
    """One version. `ended_at` None: it is the current one. `doc` is its document as JSON text."""

    id: int
    uid: str
    version: int
    owner: str | None
    source_id: str
    location: str
    line: int
    started_at: int
    ended_at: int | None
    deleted: bool
    doc: str


@dataclass(frozen=True)
class Change:
    """Who made a change, through what, in which request; `state` is the commit that was read, where there is one."""

    actor: str
    via: str
    request_id: str
    state: str | None


def take(conn: Connection, ids: Iterable[int]) -> list[Before]:
    """What is stored of entities, before it is replaced or removed."""
    found: list[Before] = []
    columns = ("id", "ref", "uid", "version", "owner", "source_id", "location", "line", "updated_at")
    for batch in chunks(ids):
        edges: dict[int, list[tuple[str, str]]] = {}
        for edge in conn.execute(select(relation).where(relation.c.source_id.in_(batch))):
            edges.setdefault(edge.source_id, []).append((edge.type, edge.target))
        statement = select(*(entity.c[name] for name in columns), entity_doc.c.doc)
        statement = statement.join(entity_doc, entity_doc.c.entity_id == entity.c.id).where(entity.c.id.in_(batch))
        for row in conn.execute(statement).mappings():
            values = {name: row[name] for name in columns if name not in ("id", "updated_at")}
            values["started_at"] = row["updated_at"]
            values["relations"] = orjson.dumps(sorted(edges.get(row["id"], ()))).decode()
            found.append(Before(row["id"], values, row["doc"]))
    return found


def keep(conn: Connection, now: int, before: Sequence[Before], *, deleted: bool) -> None:
    """Store the versions that ended now. What replaced them must be in the store already."""
    newer = {} if deleted else _documents(conn, [item.id for item in before])
    rows = [
        {
            **item.row,
            "ended_at": now,
            "deleted": deleted,
            "doc": pack(item.doc, None if stands_alone(item.row["version"], deleted) else newer[item.id]),
        }
        for item in before
    ]
    for batch in chunks(rows):
        conn.execute(insert(entity_version), batch)


def note(conn: Connection, now: int, source_id: str, principal: Principal, request_id: str) -> None:
    """Note who changes entities of a source in this transaction."""
    # The commit is known when the location was read in this very transaction.
    state = conn.scalar(select(location.c.state).where(location.c.id == source_id, location.c.refreshed_at == now))
    row = {
        "at": now,
        "source_id": source_id,
        "actor": principal.on_behalf_of or principal.subject,
        "via": principal.via,
        "request_id": request_id,
        "state": state or None,
    }
    conn.execute(insert(catalog_change), row)


def versions(
    conn: Connection,
    ref: str,
    scope: ColumnElement[bool],
    scope_now: ColumnElement[bool],
    before: int | None,
    limit: int,
) -> list[Version]:
    """Versions of a reference, newest first, behind the row id `before`; the current one leads (its id is 0)."""
    current = conn.execute(
        select(entity, entity_doc.c.doc)
        .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
        .where(entity.c.ref == ref, scope_now)
    ).first()
    served = conn.execute(
        select(entity.c.uid, entity_doc.c.doc)
        .join(entity_doc, entity_doc.c.entity_id == entity.c.id)
        .where(entity.c.ref == ref)
    ).first()
    found: list[Version] = []
    if current is not None and before is None:
        found.append(_current(current))
    statement = select(entity_version).where(entity_version.c.ref == ref).order_by(entity_version.c.id.desc())
    allowed = set(conn.scalars(select(entity_version.c.id).where(entity_version.c.ref == ref, scope)))
    rows = list(conn.execute(statement.limit(MAX_READ)))
    texts = _texts(rows, None if served is None else served.uid, None if served is None else served.doc)
    for row in rows:
        if row.id in allowed and (before is None or row.id < before) and len(found) < limit and row.id in texts:
            found.append(_version(row, texts[row.id]))
    return found


def changes(conn: Connection, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Change]:
    """Who made the changes, by (source, time)."""
    found: dict[tuple[str, int], Change] = {}
    wanted = set(keys)
    for batch in chunks({at for _, at in wanted}):
        for row in conn.execute(select(catalog_change).where(catalog_change.c.at.in_(batch))):
            if (row.source_id, row.at) in wanted:
                found[(row.source_id, row.at)] = Change(row.actor, row.via, row.request_id, row.state)
    return found


def forget(conn: Connection, before: int) -> int:
    """Forget versions that ended before a time, and who made changes that no version left tells of; how many."""
    count = conn.execute(delete(entity_version).where(entity_version.c.ended_at < before)).rowcount
    told = select(entity_version.c.started_at).union(select(entity.c.updated_at))
    conn.execute(delete(catalog_change).where(catalog_change.c.at < before, catalog_change.c.at.not_in(told)))
    return count


def _documents(conn: Connection, ids: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for batch in chunks(ids):
        rows = conn.execute(select(entity_doc.c.entity_id, entity_doc.c.doc).where(entity_doc.c.entity_id.in_(batch)))
        found.update({row.entity_id: row.doc for row in rows})
    return found


def _texts(rows: Sequence[Any], uid: str | None, doc: str | None) -> dict[int, str]:
    by_uid: dict[str, list[Any]] = {}
    for row in rows:
        by_uid.setdefault(row.uid, []).append(row)
    texts: dict[int, str] = {}
    for one, group in by_uid.items():
        packed = [Packed(row.version, row.deleted, row.doc) for row in group]
        by_version = unpack_chain(packed, doc if one == uid else None)
        texts.update({row.id: by_version[row.version] for row in group})
    return texts


def _current(row: Any) -> Version:
    return Version(
        0, row.uid, row.version, row.owner, row.source_id, row.location, row.line, row.updated_at, None, False, row.doc
    )


def _version(row: Any, doc: str) -> Version:
    return Version(
        row.id,
        row.uid,
        row.version,
        row.owner,
        row.source_id,
        row.location,
        row.line,
        row.started_at,
        row.ended_at,
        row.deleted,
        doc,
    )
