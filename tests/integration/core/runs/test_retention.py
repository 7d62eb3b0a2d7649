"""What is over goes: logs first, then the runs; what still works, or may be asked for, stays."""

from __future__ import annotations

import pytest
from sqlalchemy import func, insert, select, update

from factories.runs import Bench, Scripted
from taxiway.core.http import idempotency as keys
from taxiway.core.runs import retention
from taxiway.core.store.tables import idempotency, run, run_log, run_step
from taxiway.model.errors import NotFoundError
from taxiway.plugin import StepContext


def say(ctx: StepContext) -> None:
    ctx.log("one")
    ctx.log("two")


def age(bench: Bench, days: int, *ids: str) -> None:
    """Make runs that ended, and their lines, so many days older."""
    by = days * retention.DAY

    def work(tx: object) -> None:
        conn = tx.conn
        conn.execute(update(run).where(run.c.id.in_(ids)).values(ended_at=run.c.ended_at - by))
        conn.execute(update(run_log).where(run_log.c.run_id.in_(ids)).values(at=run_log.c.at - by))

    bench.platform.store.write(work)


def count(bench: Bench, table: object) -> int:
    with bench.platform.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_logs_go_before_runs_and_say_so(bench: Bench) -> None:
    bench.runs.register("k", Scripted(say=say))
    old, older, fresh = (bench.start("k", "say", "say") for _ in range(3))
    for run_id in (old, older, fresh):
        bench.wait(run_id)
    age(bench, 100, old)
    age(bench, 400, older)
    assert retention.remove_old_rows(bench.runs.parts, None, None) == (0, 0)
    assert retention.remove_old_rows(bench.runs.parts, 365, 90) == (1, 1)
    with pytest.raises(NotFoundError):
        bench.runs.get(older)
    assert [step.state for step in bench.runs.get(old).steps] == ["succeeded", "succeeded"]
    lines = bench.runs.logs(old, step=None, after=0, limit=10)
    assert [step for step, _ in lines] == ["s1", "s2"]
    assert "removed 90 days after the run ended" in lines[0][1].text
    assert len(bench.runs.logs(fresh, step=None, after=0, limit=10)) == 4
    assert retention.remove_old_rows(bench.runs.parts, 365, 90) == (0, 0)
    assert count(bench, run_step) == 4


def test_many_go_in_small_transactions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    bench.runs.register("k", Scripted(say=say))
    ids = [bench.start("k", "say") for _ in range(5)]
    for run_id in ids:
        bench.wait(run_id)
    age(bench, 400, *ids)
    assert retention.remove_old_rows(bench.runs.parts, 365, 90) == (5, 0)
    assert (count(bench, run), count(bench, run_log)) == (0, 0)


def test_a_child_stays_while_its_parent_works(bench: Bench) -> None:
    bench.runs.register("k", Scripted(say=say, wait=lambda ctx: ctx.wait_for("never", None)))
    parent = bench.start("k", "wait")
    bench.wait(parent, "waiting")
    child = bench.start("k", "say", parent_id=parent)
    bench.wait(child)
    age(bench, 400, child)
    assert retention.remove_old_rows(bench.runs.parts, 365, None) == (0, 0)
    bench.runs.cancel(bench.ctx(), parent)
    bench.wait(parent)
    assert retention.remove_old_rows(bench.runs.parts, 365, None) == (1, 0)


def test_keys_are_forgotten_after_a_day(bench: Bench) -> None:
    store, now = bench.platform.store, bench.platform.clock.now()
    rows = [
        {"principal": "a", "key": str(hours), "request_digest": "", "created_at": now - hours * 3600 * 1_000_000}
        for hours in (1, 23, 25, 100)
    ]
    store.write(lambda tx: tx.conn.execute(insert(idempotency), rows) and None)
    keys.forget_old(store)
    with store.read() as conn:
        assert sorted(conn.execute(select(idempotency.c.key)).scalars()) == ["1", "23"]
