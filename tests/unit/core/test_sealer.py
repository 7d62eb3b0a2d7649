"""When events are sealed: a flood in a few goes, everything else at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from taxiway.core.events.journal import APPENDED, Journal
from taxiway.core.events.sealer import BATCH, CALM_SECONDS, FLOOD_SECONDS, Sealer
from taxiway.core.leases import Lease, Leases
from taxiway.kit.clock import ManualClock
from taxiway.kit.signals import Signals
from taxiway.plugin import Logger

LEASE = Lease("sealer", 1)


class Arrivals(threading.Event):
    """Events that come every `every` seconds of a clock, `count` of them."""

    def __init__(self, clock: ManualClock, every: float, count: int) -> None:
        super().__init__()
        self.clock, self.every, self.count = clock, every, count

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        comes = self.count > 0 and self.every <= timeout
        self.clock.advance(self.every if comes else timeout)
        self.count -= 1
        return comes


class Scripted(Sealer):
    """Seals as many as a script says each time, and notes after which of them it let a flood pass."""

    def __init__(self, script: list[int], data: Path) -> None:
        journal = cast("Journal", SimpleNamespace(signals=Signals()))
        super().__init__(journal, cast("Leases", None), ManualClock(0), cast("Logger", None), data)
        self.script: Iterator[int] = iter(script)
        self.last = 0
        self.passed: list[int] = []

    def _seal_safely(self, lease: Lease) -> int:
        self._journal.signals.notify(APPENDED)  # the next ones are there: nothing waits for them
        self.last = next(self.script, -1)
        if self.last < 0:
            lease.halt.set()
        return max(0, self.last)

    def _let_pass(self, wake: threading.Event, lease: Lease) -> None:
        self.passed.append(self.last)


def test_after_a_flood_one_pause_is_made_and_the_events_behind_it_are_sealed_at_once_again(tmp_path: Path) -> None:
    sealer = Scripted([1, BATCH, BATCH, 3, 1, 2, BATCH, 0, 5], tmp_path)
    sealer._work(Lease("sealer", 1))
    assert sealer.passed == [3, 0]


@pytest.mark.parametrize(
    ("every", "count", "waited"),
    [
        (0.1, 0, CALM_SECONDS),
        (0.1, 3, 0.3 + CALM_SECONDS),
        (0.1, 1000, FLOOD_SECONDS),
        (CALM_SECONDS * 2, 1000, CALM_SECONDS),
    ],
)
def test_a_flood_is_let_pass_until_it_calms_down_and_two_seconds_at_most(
    tmp_path: Path, every: float, count: int, waited: float
) -> None:
    clock = ManualClock(0)
    sealer = Sealer(
        cast("Journal", SimpleNamespace(signals=Signals())),
        cast("Leases", None),
        clock,
        cast("Logger", None),
        tmp_path,
    )
    sealer._let_pass(Arrivals(clock, every, count), LEASE)
    assert clock.monotonic() == pytest.approx(waited, abs=0.11)
