"""Schedules: every so many seconds, once for all processes."""

from __future__ import annotations

import threading
from pathlib import Path

from factories.platform import MemoryLog, fresh_store
from taxiway.core.runs.schedules import Schedules
from taxiway.kit.clock import ManualClock


def test_a_turn_is_taken_once_and_missed_turns_are_not_made_up(tmp_path: Path) -> None:
    clock = ManualClock()
    store = fresh_store(f"sqlite:///{tmp_path / 's.db'}", tmp_path, clock)
    one, two = Schedules(store, clock, MemoryLog()), Schedules(store, clock, MemoryLog())
    for schedules in (one, two):
        schedules.register("sweep", 60, lambda: None)
        schedules.prepare()
    assert one.due() == []
    clock.advance(300)
    assert one.due() == ["sweep"]
    assert two.due() == []
    assert one.due() == []
    clock.advance(60)
    assert two.due() == ["sweep"]
    store.close()


def test_work_that_fails_is_logged_and_called_again(tmp_path: Path) -> None:
    clock = ManualClock()
    store = fresh_store(f"sqlite:///{tmp_path / 's.db'}", tmp_path, clock)
    log, calls, stop = MemoryLog(), threading.Semaphore(0), threading.Event()

    def work() -> None:
        calls.release()
        raise ValueError("no")

    schedules = Schedules(store, clock, log)
    schedules.register("sweep", 1, work)
    thread = threading.Thread(target=schedules.run, args=(stop,), daemon=True)
    thread.start()
    for _ in range(2):
        while clock.advance(2) or not calls.acquire(timeout=0.3):
            pass
    stop.set()
    thread.join(2)
    assert any(event == "scheduled work failed" for _, event, _ in log.lines)
    store.close()
