"""All SQL of pulls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.core.store.upsert import upsert
from taxiway.features.pulls.tables import commit_check, pull, pull_review
from taxiway.model.access import Scope

Row = Mapping[str, Any]


def next_number(conn: Connection, repository_uid: str) -> int:
    """The number of the next pull request of a repository; they count from 1."""
    query = select(func.max(pull.c.number)).where(pull.c.repository_uid == repository_uid)
    return int(conn.execute(query).scalar() or 0) + 1


def add_pull(tx: Tx, values: Row) -> None:
    """Insert. ConflictError when another transaction took the number."""
    tx.conn.execute(insert(pull).values(**values))


def get_pull(conn: Connection, repository: str, number: int) -> Row | None:
    """The newest pull request of this number: a repository may have been made again under its name."""
    query = select(pull).where(pull.c.repository == repository, pull.c.number == number)
    row = conn.execute(query.order_by(pull.c.id.desc()).limit(1)).mappings().first()
    return None if row is None else dict(row)


def pull_by_id(conn: Connection, pull_id: str) -> Row | None:
    """One pull request."""
    row = conn.execute(select(pull).where(pull.c.id == pull_id)).mappings().first()
    return None if row is None else dict(row)


def change_pull(tx: Tx, row: Row, **values: Any) -> bool:
    """Set columns of a pull request that is still as `row` shows it; False when it is not."""
    statement = update(pull).where(pull.c.id == row["id"], pull.c.version == row["version"])
    done = tx.conn.execute(statement.values(**values, updated_at=tx.now, version=row["version"] + 1))
    return done.rowcount == 1


def open_twin(conn: Connection, repository_uid: str, base: str, head: str) -> Row | None:
    """The open pull request of two branches."""
    query = select(pull).where(
        pull.c.repository_uid == repository_uid, pull.c.base == base, pull.c.head == head, pull.c.state == "open"
    )
    row = conn.execute(query).mappings().first()
    return None if row is None else dict(row)


def touched_by(conn: Connection, repository: str, branch: str) -> list[Row]:
    """Open pull requests from or into a branch."""
    query = select(pull).where(pull.c.repository == repository, pull.c.state == "open")
    query = query.where(or_(pull.c.base == branch, pull.c.head == branch)).order_by(pull.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def open_pulls(conn: Connection, repository: str) -> list[Row]:
    """Open pull requests of a repository."""
    query = select(pull).where(pull.c.repository == repository, pull.c.state == "open").order_by(pull.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def merging(conn: Connection) -> list[Row]:
    """Pull requests whose merge has begun and is not finished."""
    query = select(pull).where(pull.c.merging.is_not(None)).order_by(pull.c.id)
    return [dict(row) for row in conn.execute(query).mappings()]


def pulls(conn: Connection, scope: Scope, filters: Row, after: Sequence[Any], limit: int) -> list[Row]:
    """Newest first. `filters` are columns that must be equal."""
    query = select(pull).where(visible(scope, pull.c.owner))
    for name, value in filters.items():
        if value is not None:
            query = query.where(pull.c[name] == value)
    if after:
        query = query.where(pull.c.id < str(after[0]))
    return [dict(row) for row in conn.execute(query.order_by(pull.c.id.desc()).limit(limit)).mappings()]


def add_review(tx: Tx, values: Row) -> None:
    """Insert."""
    tx.conn.execute(insert(pull_review).values(**values))


def reviews(conn: Connection, pull_id: str, after: Sequence[Any] = (), limit: int = 10_000) -> list[Row]:
    """Reviews of a pull request, oldest first."""
    query = select(pull_review).where(pull_review.c.pull_id == pull_id)
    if after:
        query = query.where(pull_review.c.id > str(after[0]))
    return [dict(row) for row in conn.execute(query.order_by(pull_review.c.id).limit(limit)).mappings()]


def dismiss_review(tx: Tx, pull_id: str, review_id: str, by: str, reason: str) -> bool:
    """Take a verdict back; False when there is none that holds."""
    statement = update(pull_review).where(
        pull_review.c.pull_id == pull_id,
        pull_review.c.id == review_id,
        pull_review.c.verdict != "comment",
        pull_review.c.dismissed_at.is_(None),
    )
    values = {"dismissed_at": tx.now, "dismissed_by": by, "dismissed_reason": reason}
    return tx.conn.execute(statement.values(**values)).rowcount == 1


def dismiss_stale(tx: Tx, pull_id: str, head_sha: str, by: str, reason: str) -> None:
    """Take back every approval of another commit than `head_sha`."""
    statement = update(pull_review).where(
        pull_review.c.pull_id == pull_id,
        pull_review.c.verdict == "approve",
        pull_review.c.commit != head_sha,
        pull_review.c.dismissed_at.is_(None),
    )
    tx.conn.execute(statement.values(dismissed_at=tx.now, dismissed_by=by, dismissed_reason=reason))


def put_check(tx: Tx, values: Row) -> None:
    """Insert or replace the state of a check."""
    key = ["repository_uid", "commit", "name", "source"]
    statement = upsert(tx.conn, commit_check).values(**values)
    tx.conn.execute(statement.on_conflict_do_update(index_elements=key, set_=dict(values)))


def checks(conn: Connection, repository_uid: str, commit: str) -> list[Row]:
    """Checks of a commit, by name."""
    query = select(commit_check).where(commit_check.c.repository_uid == repository_uid, commit_check.c.commit == commit)
    query = query.order_by(commit_check.c.name, commit_check.c.source)
    return [dict(row) for row in conn.execute(query).mappings()]
