"""SQL of notices and mail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select, update

from taxiway.core.runs import repository as runs
from taxiway.core.store.database import Tx
from taxiway.core.store.upsert import upsert
from taxiway.features.approvals.model import Mail, Notice, wait_of
from taxiway.features.approvals.tables import mail, notice
from taxiway.model.run import Run


def waiting(conn: Connection, limit: int, before: str | None) -> list[Run]:
    """Runs that wait for an approval, newest first; those that were made `before` a run."""
    return runs.waiting_for_approval(conn, limit, before)


def run_for_update(tx: Tx, run_id: str) -> Run:
    """The run as it stands, locked."""
    return runs.load_for_update(tx, run_id)


def widen(tx: Tx, waits: Run, step_id: str, key: str, ref: str) -> None:
    """Let `ref` decide as well, beside those who were asked, for this attempt of the step."""
    step = next(one for one in waits.steps if one.id == step_id)
    more = {"attempt": step.attempt, "refs": [ref]}
    runs.set_step(tx, waits.id, step_id, checkpoints={**step.checkpoints, key: more})


def notices(conn: Connection, run_ids: Collection[str]) -> list[Notice]:
    """What people were told of these runs, in order."""
    query = select(notice).where(notice.c.run_id.in_(run_ids)).order_by(notice.c.at, notice.c.id)
    return [Notice(**row._mapping) for row in conn.execute(query)]


def add_notice(tx: Tx, made: Notice) -> bool:
    """Note it; False when it was told already."""
    row = upsert(tx.conn, notice).values(**asdict(made)).on_conflict_do_nothing()
    return bool(tx.conn.execute(row).rowcount)


def add_mails(tx: Tx, made: Sequence[Mail]) -> None:
    """Keep mail that is to be sent."""
    if made:
        tx.conn.execute(insert(mail), [asdict(one) for one in made])


def mails(conn: Connection, notice_ids: Collection[str]) -> list[Mail]:
    """The mail of some notices."""
    return [Mail(**row._mapping) for row in conn.execute(select(mail).where(mail.c.notice_id.in_(notice_ids)))]


def outdated(conn: Connection, some: Collection[Mail]) -> list[Mail]:
    """Those of them that ask for what was decided meanwhile, or is asked anew."""
    rows = conn.execute(select(notice).where(notice.c.id.in_({one.notice_id for one in some}))).all()
    waits = {found.id: wait_of(found) for found in runs.load_all(conn, {row.run_id for row in rows})}
    asked = {row.id: (wait := waits.get(row.run_id)) is not None and wait.name == row.wait for row in rows}
    return [one for one in some if not asked.get(one.notice_id)]


def due(conn: Connection, now: int, limit: int) -> list[Mail]:
    """Mail whose time has come, the oldest first."""
    query = select(mail).where(mail.c.state == "waiting", mail.c.next_at <= now)
    return [Mail(**row._mapping) for row in conn.execute(query.order_by(mail.c.next_at, mail.c.id).limit(limit))]


def claim(tx: Tx, mail_id: str) -> bool:
    """Take a mail to send it; False when somebody else did."""
    mine = (mail.c.id == mail_id, mail.c.state == "waiting")
    return bool(tx.conn.execute(update(mail).where(*mine).values(state="sending", next_at=tx.now)).rowcount)


def change_mail(tx: Tx, mail_id: str, **values: Any) -> None:
    """Write what became of a mail."""
    tx.conn.execute(update(mail).where(mail.c.id == mail_id).values(**values))


def is_lost(conn: Connection, before: int) -> bool:
    """Whether there is mail that somebody took before this time and never told of."""
    return conn.execute(select(mail.c.id).where(mail.c.state == "sending", mail.c.next_at < before)).first() is not None


def give_up(tx: Tx, before: int, error: str) -> None:
    """Write that nobody knows of mail that is lost."""
    lost = (mail.c.state == "sending", mail.c.next_at < before)
    tx.conn.execute(update(mail).where(*lost).values(state="unknown", error=error))
