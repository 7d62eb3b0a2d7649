"""Rows of configured sources and of their parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, update

from taxiway.core.store.bulk import insert_rows
from taxiway.core.store.upsert import upsert
from taxiway.features.catalog.repository.chunks import chunks
from taxiway.features.catalog.repository.index import feed
from taxiway.features.catalog.tables import catalog_problem, catalog_source, catalog_source_part
from taxiway.model.errors import NotFoundError


def get(conn: Connection, source_id: str) -> dict[str, Any] | None:
    """How a source stands, or None."""
    row = conn.execute(select(catalog_source).where(catalog_source.c.id == source_id)).mappings().first()
    return None if row is None else _read(dict(row))


def get_checked(conn: Connection, source_id: str) -> dict[str, Any]:
    """How a source stands. NotFoundError when it was never read."""
    found = get(conn, source_id)
    if found is None:
        raise NotFoundError(f"{source_id} was never read: look at the list of sources", code="catalog.no_source")
    return found


def listed(conn: Connection, prefix: str) -> list[dict[str, Any]]:
    """Every source that was ever read, or pushed, by id; `prefix` is that of its kind."""
    query = select(catalog_source).where(catalog_source.c.id.startswith(prefix, autoescape=True))
    return [_read(dict(row)) for row in conn.execute(query.order_by(catalog_source.c.id)).mappings()]


def note_push(conn: Connection, now: int, source_id: str, counts: Mapping[str, int], *, complete: bool) -> None:
    """Something was pushed: when, and what came of it."""
    told = {
        "state": "held" if counts.get("held") else "ok",
        "counts": orjson.dumps(dict(counts)).decode(),
        "started_at": now,
        "ended_at": now,
    }
    values = {**told, **({"complete_at": now} if complete else {})}
    row = upsert(conn, catalog_source).values(id=source_id, type="push", settings="", **values)
    conn.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


def begin(conn: Connection, now: int, source_id: str, type_: str, settings: str, run_id: str) -> None:
    """A reading begins. With other settings than before, everything is read anew: parts lose their state."""
    known = get(conn, source_id)
    if known is not None and known["settings"] != settings:
        conn.execute(update(catalog_source_part).where(catalog_source_part.c.source_id == source_id).values(state=None))
        conn.execute(update(catalog_source).where(catalog_source.c.id == source_id).values(cursor=None))
    values = {"type": type_, "settings": settings, "run_id": run_id, "started_at": now, "ended_at": None}
    row = upsert(conn, catalog_source).values(id=source_id, state="new", counts="{}", **values)
    conn.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


def end(conn: Connection, source_id: str, **values: Any) -> None:
    """Note how a reading ended. `counts` and `cursor` are values of JSON."""
    for name in ("counts", "cursor"):
        if values.get(name) is not None:
            values[name] = orjson.dumps(values[name]).decode()
    conn.execute(update(catalog_source).where(catalog_source.c.id == source_id).values(**values))


def forget(conn: Connection, source_id: str) -> None:
    """Nothing is known of a source any more."""
    conn.execute(delete(catalog_source_part).where(catalog_source_part.c.source_id == source_id))
    conn.execute(delete(catalog_source).where(catalog_source.c.id == source_id))


def part_state(conn: Connection, source_id: str, part: str) -> Mapping[str, Any] | None:
    """What the plugin keeps with a part, or None."""
    query = select(catalog_source_part.c.state).where(*_part(source_id, part))
    state = conn.scalar(query)
    return None if state is None else orjson.loads(state)


def part_keys(conn: Connection, source_id: str) -> list[str]:
    """The parts that are known of a source."""
    return list(conn.scalars(select(catalog_source_part.c.part).where(catalog_source_part.c.source_id == source_id)))


def part_refs(conn: Connection, source_id: str, part: str) -> list[str]:
    """What a part described when it was read last."""
    refs = conn.scalar(select(catalog_source_part.c.refs).where(*_part(source_id, part)))
    return refs.split("\n") if refs else []


def all_refs(conn: Connection, source_id: str) -> set[str]:
    """What all parts of a source describe."""
    found: set[str] = set()
    for refs in conn.scalars(select(catalog_source_part.c.refs).where(catalog_source_part.c.source_id == source_id)):
        found.update(refs.split("\n"))
    return found - {""}


def parts_of(conn: Connection, source_id: str, refs: Collection[str]) -> dict[str, set[str]]:
    """The parts that describe each of `refs`."""
    wanted, found = set(refs), dict[str, set[str]]()
    query = select(catalog_source_part.c.part, catalog_source_part.c.refs)
    for row in conn.execute(query.where(catalog_source_part.c.source_id == source_id)):
        for ref in wanted.intersection(row.refs.split("\n")):
            found.setdefault(ref, set()).add(row.part)
    return found


def forget_states(conn: Connection, source_id: str, refs: Collection[str]) -> dict[str, str]:
    """Read the parts that describe any of `refs` the next time, whether they changed or not: these, by reference."""
    wanted, places = set(refs), dict[str, str]()
    query = select(catalog_source_part.c.part, catalog_source_part.c.refs)
    for row in conn.execute(query.where(catalog_source_part.c.source_id == source_id)).all():
        if here := wanted.intersection(row.refs.split("\n")):
            places |= dict.fromkeys(here, row.part)
            conn.execute(update(catalog_source_part).where(*_part(source_id, row.part)).values(state=None))
    return places


def put_parts(
    conn: Connection, source_id: str, parts: Mapping[str, tuple[Mapping[str, Any] | None, Iterable[str]]]
) -> None:
    """Parts were read: their state, and what they describe."""
    remove_parts(conn, source_id, parts)
    rows = [
        (source_id, part, None if state is None else orjson.dumps(state).decode(), "\n".join(sorted(refs)))
        for part, (state, refs) in parts.items()
    ]
    insert_rows(conn, catalog_source_part, ("source_id", "part", "state", "refs"), rows)


def set_states(conn: Connection, source_id: str, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Parts that are as they were have other state now."""
    for part, state in states.items():
        statement = update(catalog_source_part).where(*_part(source_id, part))
        conn.execute(statement.values(state=orjson.dumps(state).decode()))


def remove_parts(conn: Connection, source_id: str, parts: Iterable[str]) -> None:
    """Parts are gone."""
    for batch in chunks(parts):
        some = catalog_source_part.c.part.in_(batch)
        conn.execute(delete(catalog_source_part).where(catalog_source_part.c.source_id == source_id, some))


def remove_problems(conn: Connection, source_id: str, parts: Collection[str] | None) -> None:
    """Forget the problems of some parts of a source; None: all of its problems."""
    mine = delete(catalog_problem).where(catalog_problem.c.source_id == source_id)
    some = [mine] if parts is None else [mine.where(catalog_problem.c.part.in_(batch)) for batch in chunks(parts)]
    if sum(conn.execute(statement).rowcount for statement in some):
        feed.touch(conn)


def problem_parts(conn: Connection, source_id: str) -> set[str]:
    """The parts that have problems."""
    query = select(catalog_problem.c.part).where(catalog_problem.c.source_id == source_id).distinct()
    return {part for part in conn.scalars(query) if part is not None}


def place_problems(conn: Connection, source_id: str, places: Mapping[str, str]) -> None:
    """Say of problems that were found while writing in which part they are, by reference."""
    for ref, part in places.items():
        where = (
            catalog_problem.c.source_id == source_id,
            catalog_problem.c.ref == ref,
            catalog_problem.c.part.is_(None),
        )
        conn.execute(update(catalog_problem).where(*where).values(part=part))


def _part(source_id: str, part: str) -> tuple[Any, Any]:
    return catalog_source_part.c.source_id == source_id, catalog_source_part.c.part == part


def _read(row: Mapping[str, Any]) -> dict[str, Any]:
    cursor = row["cursor"]
    return {**row, "counts": orjson.loads(row["counts"]), "cursor": None if cursor is None else orjson.loads(cursor)}
