"""Leases: one holder at a time, judged by the monotonic clock on one host, and a fence that only grows."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import update

from factories.platform import fresh_store
from taxiway.core.leases import Leases
from taxiway.core.store.database import Store
from taxiway.core.store.tables import lease
from taxiway.kit.clock import ManualClock, SystemClock
from taxiway.kit.ids import new_ids


def manual(tmp_path: Path) -> tuple[Store, ManualClock]:
    clock = ManualClock()
    store = fresh_store(f"sqlite:///{tmp_path / 'l.db'}", tmp_path, clock)
    return store, clock


def members(store: Store, clock: ManualClock | SystemClock) -> tuple[Leases, Leases]:
    return Leases(store, clock, new_ids(clock)), Leases(store, clock, new_ids(clock))


def test_one_holds_it_until_it_is_given_back(store: Store) -> None:
    one, two = members(store, SystemClock())
    first = one.try_acquire("sealer")
    assert first is not None
    assert two.try_acquire("sealer") is None
    assert store.write(lambda tx: one.check(tx, first))
    one.release(first)
    second = two.try_acquire("sealer")
    assert second is not None
    assert second.fence == first.fence + 1
    assert not store.write(lambda tx: one.check(tx, first))
    two.release(second)


def test_one_that_is_not_renewed_is_taken_and_its_holder_hears_of_it(tmp_path: Path) -> None:
    store, clock = manual(tmp_path)
    one, two = members(store, clock)
    first = one.try_acquire("sealer")
    assert first is not None
    clock.advance(10)
    one.renew()
    clock.advance(10)
    assert two.try_acquire("sealer") is None
    clock.advance(6)
    assert two.try_acquire("sealer") is not None
    one.renew()
    assert first.halt.is_set()
    store.close()


def test_a_holder_that_does_not_reach_the_database_stops_before_another_takes_over(tmp_path: Path) -> None:
    store, clock = manual(tmp_path)
    one, two = members(store, clock)
    first, second = one.try_acquire("sealer"), one.try_acquire("service:x")
    assert first is not None
    assert second is not None
    clock.advance(10)
    one.renew()
    clock.advance(11)
    one.stop_overdue()
    assert not first.halt.is_set(), "it was renewed 11 seconds ago"
    clock.advance(1)
    one.stop_overdue()
    assert first.halt.is_set()
    assert second.halt.is_set()
    assert two.try_acquire("sealer") is None, "the one that halts has time to"
    clock.advance(3)
    again = one.try_acquire("sealer")
    assert again is not None, "the database is back before anybody else"
    assert again.fence == first.fence + 1
    one.renew()
    one.stop_overdue()
    assert not again.halt.is_set()
    store.close()


def test_a_jump_of_the_wall_clock_moves_no_lease_of_this_host(tmp_path: Path) -> None:
    store, clock = manual(tmp_path)
    one, two = members(store, clock)
    assert one.try_acquire("sealer") is not None
    clock.at += 86_400_000_000
    assert two.try_acquire("sealer") is None
    clock.at -= 2 * 86_400_000_000
    clock.ticks += 16
    assert two.try_acquire("sealer") is not None
    store.close()


def test_a_holder_elsewhere_is_judged_by_the_database_clock(tmp_path: Path) -> None:
    store, clock = manual(tmp_path)
    one, two = members(store, clock)
    assert one.try_acquire("sealer") is not None
    store.write(lambda tx: tx.conn.execute(update(lease).values(host="other")) and None)
    clock.ticks += 100
    assert two.try_acquire("sealer") is None
    clock.at += 16_000_000
    assert two.try_acquire("sealer") is not None
    store.close()


def test_a_holder_whose_process_is_gone_holds_nothing(store: Store) -> None:
    one, two = members(store, SystemClock())
    assert one.try_acquire("sealer") is not None
    store.write(lambda tx: tx.conn.execute(update(lease).values(holder="999999999:1:x")) and None)
    assert two.try_acquire("sealer") is not None


def test_two_that_wait_work_one_after_the_other(store: Store) -> None:
    one, two = members(store, SystemClock())
    stop, inside, most = threading.Event(), [], []

    def work(held: object) -> None:
        inside.append(1)
        most.append(len(inside))
        stop.wait(0.05)
        inside.pop()

    threads = [threading.Thread(target=member.hold, args=("x", stop, work), daemon=True) for member in (one, two)]
    for thread in threads:
        thread.start()
    stop.wait(0.5)
    stop.set()
    for thread in threads:
        thread.join(3)
    assert most
    assert max(most) == 1
