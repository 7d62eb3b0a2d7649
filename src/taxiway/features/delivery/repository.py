"""All SQL of delivery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.features.delivery.tables import pipeline
from taxiway.model.access import Scope

Row = Mapping[str, Any]


def add_pipeline(tx: Tx, values: Row) -> bool:
    """Insert unless its run has one; whether it is new."""
    if get_pipeline(tx.conn, values["id"]) is not None:
        return False
    tx.conn.execute(insert(pipeline).values(**values))
    return True


def get_pipeline(conn: Connection, pipeline_id: str) -> Row | None:
    """One pipeline."""
    row = conn.execute(select(pipeline).where(pipeline.c.id == pipeline_id)).mappings().first()
    return None if row is None else dict(row)


def change_pipeline(tx: Tx, pipeline_id: str, **values: Any) -> None:
    """Set columns of a pipeline."""
    statement = update(pipeline).where(pipeline.c.id == pipeline_id)
    tx.conn.execute(statement.values(**values, version=pipeline.c.version + 1))


def living(conn: Connection, repository_uid: str) -> list[str]:
    """Ids of the pipelines of a repository that have not ended."""
    alive = pipeline.c.state.in_(("queued", "running", "waiting"))
    return list(conn.scalars(select(pipeline.c.id).where(pipeline.c.repository_uid == repository_uid, alive)))


def unreleased(conn: Connection, repository: str) -> Row | None:
    """The newest green pipeline of a repository, when it has an artefact but no release."""
    statement = (
        select(pipeline)
        .where(pipeline.c.repository == repository, pipeline.c.digest.is_not(None), pipeline.c.state == "succeeded")
        .order_by(pipeline.c.id.desc())
        .limit(1)
    )
    row = conn.execute(statement).mappings().first()
    return dict(row) if row is not None and row["release_id"] is None else None


def any_unreleased(conn: Connection) -> bool:
    """Whether any green pipeline has an artefact but no release."""
    waiting = (pipeline.c.release_id.is_(None), pipeline.c.digest.is_not(None), pipeline.c.state == "succeeded")
    return conn.execute(select(pipeline.c.id).where(*waiting).limit(1)).first() is not None


def pipelines(conn: Connection, scope: Scope, repository: str | None, after: Sequence[Any], limit: int) -> list[Row]:
    """Newest first."""
    statement = select(pipeline).where(visible(scope, pipeline.c.owner))
    if repository:
        statement = statement.where(pipeline.c.repository == repository)
    if after:
        statement = statement.where(pipeline.c.id < after[0])
    return [dict(row) for row in conn.execute(statement.order_by(pipeline.c.id.desc()).limit(limit)).mappings()]
