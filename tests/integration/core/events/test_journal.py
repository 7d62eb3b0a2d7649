"""The event log: places without gaps, a chain that shows tampering, and subscribers that miss nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from factories.platform import MemoryLog, principal
from taxiway.core.events import chain, retention
from taxiway.core.events.checkpoints import folder, read_checkpoints
from taxiway.core.events.journal import Journal
from taxiway.core.events.schemas import EventSchemas
from taxiway.core.events.sealer import Sealer
from taxiway.core.events.subscriptions import Dispatcher
from taxiway.core.events.verify import Verdict, verify
from taxiway.core.leases import Leases
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import event, event_cursor, event_personal
from taxiway.kit.clock import SystemClock
from taxiway.kit.ids import new_ids
from taxiway.kit.signals import Signals
from taxiway.model.access import EVERYTHING, Scope
from taxiway.model.errors import InternalError, UnavailableError
from taxiway.model.event import Event, EventDraft

ALEX = principal("alex")
THING = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
SHAPES = {f"dev.taxiway.{kind}.v1": THING for kind in ("test", "other")}


class Log:
    """A journal with its sealer and dispatcher, driven by hand or in threads."""

    def __init__(self, store: Store, data: Path) -> None:
        clock = SystemClock()
        self.store, self.data = store, data
        self.journal = Journal(store, new_ids(clock), Signals(), schemas=EventSchemas(SHAPES.get))
        self.leases = Leases(store, clock, new_ids(clock))
        self.sealer = Sealer(self.journal, self.leases, clock, MemoryLog(), data)
        self.stop = threading.Event()
        self.threads: list[threading.Thread] = []

    def append(self, count: int = 1, kind: str = "dev.taxiway.test.v1", owner: str | None = None) -> None:
        def work(tx: object) -> None:
            for number in range(count):
                draft = EventDraft(kind, f"thing:{number}", {"n": number, "f": 1.5}, personal={"mail": "a@b"})
                self.journal.append(tx, ALEX, draft, owner=owner)

        self.store.write(work)

    def run(self, work: object) -> None:
        thread = threading.Thread(target=work, args=(self.stop,), daemon=True)
        thread.start()
        self.threads.append(thread)

    def seal_and_checkpoint(self) -> None:
        """What a sealer does from start to clean stop."""
        self.run(self.sealer.run)
        self.wait_sealed()
        self.close()

    def wait_sealed(self) -> None:
        end = time.monotonic() + 10
        while True:
            with self.store.read() as conn:
                if conn.execute(select(event.c.id).where(event.c.seq.is_(None)).limit(1)).first() is None:
                    return
            assert time.monotonic() < end
            time.sleep(0.02)

    def close(self) -> None:
        self.stop.set()
        self.leases.halt_all()
        for thread in self.threads:
            thread.join(3)
        self.stop = threading.Event()
        self.threads = []

    def verify(self) -> Verdict:
        return verify(self.store, self.data)

    def change(self, statement: object) -> None:
        self.store.write(lambda tx: tx.conn.execute(statement) and None)


@pytest.fixture
def log(store: Store, tmp_path: Path) -> Log:
    return Log(store, tmp_path / "data")


def test_sealed_events_have_places_without_gaps_and_are_listed_by_scope(log: Log) -> None:
    log.append(120)
    log.append(5, "dev.taxiway.other.v1", owner="group:default/a")
    assert log.journal.list(EVERYTHING, type_prefix=None, subject=None, after=0, limit=9, newest_first=False) == []
    log.seal_and_checkpoint()
    found = log.journal.list(EVERYTHING, type_prefix=None, subject=None, after=0, limit=500, newest_first=False)
    assert [item.seq for item in found] == list(range(1, 126))
    scope = Scope(owners=frozenset({"group:default/a"}))
    page = log.journal.page(scope, type_prefix="dev.taxiway.other", subject=None, cursor=None, limit=3)
    assert [item.seq for item in page.items] == [125, 124, 123]
    rest = log.journal.page(scope, type_prefix=None, subject=None, cursor=page.next_cursor, limit=3)
    assert [item.seq for item in rest.items] == [122, 121]
    assert log.verify() == Verdict(True, 125)
    assert (folder(log.data) / "checkpoint.key").stat().st_mode & 0o777 == 0o600


def test_what_was_not_committed_goes_into_no_checkpoint(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append(3)
    lease, write = log.leases.try_acquire("sealer"), log.store.write

    def refused(work: Callable[[Tx], object]) -> object:
        def failing(tx: Tx) -> None:
            work(tx)
            raise UnavailableError("the disk is full")

        return write(failing)

    with monkeypatch.context() as patched:
        patched.setattr(log.store, "write", refused)
        with pytest.raises(UnavailableError):
            log.sealer.seal(lease)
    lease.halt.set()
    log.sealer._work(lease)
    assert list(read_checkpoints(log.data)) == []


def test_an_event_that_is_not_as_its_type_says_does_not_commit(log: Log) -> None:
    def write(draft: EventDraft) -> None:
        def work(tx: Tx) -> None:
            tx.conn.execute(insert(event_cursor).values(subscriber="with it", seq=0))
            log.journal.append(tx, ALEX, draft)

        log.store.write(work)

    for data, fault in (({"n": "one"}, "at /n"), ({}, "at the data"), ({"n": 1, "x": object()}, "is not JSON")):
        with pytest.raises(InternalError, match=f"dev.taxiway.test.v1 .*{fault}"):
            write(EventDraft("dev.taxiway.test.v1", "thing:1", data))
    with pytest.raises(InternalError, match=r"dev\.taxiway\.test\.v2 is not known"):
        write(EventDraft("dev.taxiway.test.v2", "thing:1", {"n": 1}))
    with log.store.read() as conn:
        assert conn.execute(select(event_cursor)).all() == []
        assert conn.execute(select(event)).all() == []
    write(EventDraft("dev.taxiway.test.v1", "thing:1", {"n": 1}))


def test_many_events_are_appended_at_once_in_order(log: Log) -> None:
    drafts = [
        (EventDraft("dev.taxiway.test.v1", f"thing:{n}", {"n": n}, personal={"n": n} if n % 2 else None), "group:a")
        for n in range(300)
    ]
    subjects: list[str] = []

    def work(tx: Tx) -> list[str]:
        ids = log.journal.append_many(tx, ALEX, drafts)
        subjects.extend(tx.subjects)
        assert log.journal.append_many(tx, ALEX, []) == []
        return ids

    ids = log.store.write(work)
    assert subjects == ["thing:0"]
    log.seal_and_checkpoint()
    found = log.journal.list(EVERYTHING, type_prefix=None, subject=None, after=0, limit=500, newest_first=False)
    assert [(item.id, item.subject) for item in found] == [(ids[n], f"thing:{n}") for n in range(300)]
    assert (log.journal.personal(ids[1]), log.journal.personal(ids[2])) == ({"n": 1}, None)
    assert log.verify() == Verdict(True, 300)


def test_personal_data_is_outside_the_chain_and_can_be_forgotten(log: Log) -> None:
    log.append(3)
    log.seal_and_checkpoint()
    first = log.journal.list(EVERYTHING, type_prefix=None, subject=None, after=0, limit=1, newest_first=False)[0]
    assert log.journal.personal(first.id) == {"mail": "a@b"}
    log.change(delete(event_personal).where(event_personal.c.event_id == first.id))
    assert log.verify().ok
    log.change(update(event_personal).values(data={"mail": "c@d"}))
    assert "personal data of event 2" in str(log.verify().problem)


def test_an_edit_is_found(log: Log) -> None:
    log.append(10)
    log.seal_and_checkpoint()
    log.change(update(event).where(event.c.seq == 4).values(actor="user:default/mallory"))
    verdict = log.verify()
    assert not verdict.ok
    assert "event 4" in str(verdict.problem)


def test_a_deleted_event_and_a_deleted_tail_are_found(log: Log) -> None:
    log.append(10)
    log.seal_and_checkpoint()
    log.change(delete(event).where(event.c.seq == 10))
    assert "a tail is gone" in str(log.verify().problem)
    log.append(3)
    log.seal_and_checkpoint()
    assert "computed anew" in str(log.verify().problem)
    log.change(delete(event).where(event.c.seq == 2))
    assert "event 2 is missing" in str(log.verify().problem)


def test_a_chain_that_was_computed_anew_is_found(log: Log) -> None:
    log.append(10)
    log.seal_and_checkpoint()
    log.change(update(event).where(event.c.seq == 4).values(actor="user:default/mallory"))

    def again(tx: object) -> None:
        previous = chain.GENESIS
        for row in tx.conn.execute(select(event).order_by(event.c.seq)).all():
            previous = chain.next_hash(previous, row.seq, row)
            tx.conn.execute(update(event).where(event.c.id == row.id).values(hash=previous))

    log.store.write(again)
    assert "computed anew" in str(log.verify().problem)


def test_a_forged_checkpoint_is_found(log: Log) -> None:
    log.append(10)
    log.seal_and_checkpoint()
    path = folder(log.data) / "checkpoints.jsonl"
    path.write_text(path.read_text().replace('"seq": 10', '"seq": 9'))
    assert "line 1" in str(log.verify().problem)


class Keeper:
    """A subscriber that fails on the events in `bad`."""

    def __init__(self, key: str, bad: set[int] | None = None) -> None:
        self.key, self.types, self.bad = key, ("dev.taxiway.test",), bad or set()
        self.seen: list[int] = []

    def handle(self, item: Event) -> None:
        if item.seq in self.bad:
            raise ValueError(f"cannot take {item.seq}")
        self.seen.append(item.seq)


def test_subscribers_get_everything_in_order_and_a_failing_one_holds_up_nobody(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = Keeper("good"), Keeper("bad", {3})
    log.append(2)
    log.append(1, "dev.taxiway.other.v1")
    log.append(2)
    log.run(log.sealer.run)
    log.wait_sealed()
    bad.bad = {4}
    dispatcher = Dispatcher(log.journal, log.leases, lambda: [bad, good], MemoryLog())
    failures, tell = iter([True]), dispatcher._tell
    monkeypatch.setattr(dispatcher, "_tell", lambda *given: 1 / 0 if next(failures, False) else tell(*given))
    log.run(dispatcher.run)
    end = time.monotonic() + 10
    while good.seen != [1, 2, 4, 5] and time.monotonic() < end:
        time.sleep(0.02)
    assert good.seen == [1, 2, 4, 5]
    while time.monotonic() < end:
        with log.store.read() as conn:
            row = conn.execute(select(event_cursor).where(event_cursor.c.subscriber == "bad")).one()
        if row.failures:
            break
        time.sleep(0.02)
    assert bad.seen == [1, 2]
    assert "event 4" in row.error
    bad.bad = set()
    log.append(1)
    while [bad.seen, good.seen] != [[1, 2, 4, 5, 6]] * 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert [bad.seen, good.seen] == [[1, 2, 4, 5, 6]] * 2, "who wakes them goes on when it could not read once"
    log.close()


def test_late_commits_are_not_skipped_by_a_follower(log: Log) -> None:
    log.run(log.sealer.run)
    seen: list[int] = []

    def follow() -> None:
        deadline = time.monotonic() + 10
        while len(seen) < 40 and time.monotonic() < deadline:
            after = seen[-1] if seen else 0
            found = log.journal.list(
                EVERYTHING, type_prefix=None, subject=None, after=after, limit=200, newest_first=False
            )
            seen.extend(item.seq for item in found)

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    writers = [threading.Thread(target=lambda: [log.append() for _ in range(10)]) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    follower.join(10)
    assert seen == list(range(1, 41))
    log.close()
    assert log.verify().ok


def test_the_index_is_used_for_unsealed_events(log: Log) -> None:
    if log.store.dialect != "sqlite":
        pytest.skip("looks at SQLite's plan")
    with log.store.read() as conn:
        plan = str(conn.execute(text("explain query plan select id from event where seq is null limit 1")).all())
    assert "SCAN" not in plan


def test_old_events_go_from_the_beginning_and_the_chain_still_verifies(log: Log) -> None:
    log.append(300)
    log.seal_and_checkpoint()
    log.append(20)
    log.seal_and_checkpoint()
    day, now = retention.DAY, SystemClock().now()
    log.change(insert(event_cursor).values(subscriber="slow", seq=150))
    log.change(insert(event_cursor).values(subscriber="gone", seq=3))

    class Later:
        """Ten days from now."""

        def now(self) -> int:
            return now + 10 * day

        def monotonic(self) -> float:
            return 0.0

    def remove(days: int | None, *subscribers: str) -> int:
        return retention.remove_old_events(log.store, Later(), log.data, days, subscribers)

    assert remove(None) == 0
    assert remove(11) == 0
    assert remove(9, "slow") == 150
    assert log.verify() == Verdict(True, 320)
    assert remove(9) == 169  # the newest stays: the chain goes on from it
    log.append(5)
    log.seal_and_checkpoint()
    assert log.verify() == Verdict(True, 325)
    found = log.journal.list(EVERYTHING, type_prefix=None, subject=None, after=0, limit=500, newest_first=False)
    assert [item.seq for item in found] == list(range(320, 326))
    with log.store.read() as conn:
        assert len(conn.execute(select(event_personal)).all()) == 6


def test_a_beginning_that_retention_did_not_remove_is_missed(log: Log) -> None:
    log.append(300)
    log.seal_and_checkpoint()
    log.change(delete(event).where(event.c.seq <= 100))
    verdict = log.verify()
    assert not verdict.ok
    assert verdict.problem is not None
    assert "event 1 is missing" in verdict.problem
