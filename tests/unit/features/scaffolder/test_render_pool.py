"""The pool of rendering processes: how many are started, who waits, and which are not given out again."""

from __future__ import annotations

import threading
from typing import Any, cast

from taxiway.features.scaffolder.rendering.pool import Pool, Worker


class FakeWorker:
    def __init__(self) -> None:
        self.usable = True
        self.closed = False
        self.used_at = 0.0

    def is_usable(self) -> bool:
        return self.usable

    def close(self) -> None:
        self.closed = True


class Started:
    """Starts fakes, and keeps them in order."""

    def __init__(self) -> None:
        self.workers: list[Any] = []

    def __call__(self) -> Worker:
        self.workers.append(FakeWorker())
        return cast(Worker, self.workers[-1])


def test_a_burst_waits_for_the_workers_that_are_there_instead_of_starting_more() -> None:
    started = Started()
    pool = Pool(started, keep=2, most=8, patience=30.0)
    taken = [pool.take(), pool.take()]
    got: list[Worker] = []

    def render() -> None:
        worker = pool.take()
        got.append(worker)
        pool.give(worker)

    others = [threading.Thread(target=render) for _ in range(5)]
    for other in others:
        other.start()
    for worker in taken:
        pool.give(worker)
    for other in others:
        other.join(10)
    pool.close()
    assert len(got) == 5
    assert len(started.workers) == 2
    assert all(worker.closed for worker in started.workers)


def test_slow_templates_hold_nobody_up_and_what_was_started_for_that_is_not_kept() -> None:
    started = Started()
    pool = Pool(started, keep=1, most=2, patience=0.01)
    slow, other = pool.take(), pool.take()
    assert slow is not other
    pool.give(other)
    pool.give(slow)
    pool.close()
    assert [worker.closed for worker in started.workers] == [True, True]


def test_a_worker_that_was_dropped_or_is_worn_out_is_replaced() -> None:
    started = Started()
    pool = Pool(started, keep=1, most=1, patience=0.01)
    pool.drop(pool.take())
    worn = pool.take()
    started.workers[1].usable = False
    pool.give(worn)
    pool.give(pool.take())
    pool.close()
    assert len(started.workers) == 3
    assert all(worker.closed for worker in started.workers)
