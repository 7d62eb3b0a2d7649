"""When events are sealed: a flood in a few goes, everything else at once."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from taxiway.core.events.journal import APPENDED, Journal
from taxiway.core.events.sealer import BATCH, CALM_SECONDS, FLOOD_EVENTS, FLOOD_SECONDS, Sealer
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
    """Before each look as many events come as a script says. Notes how many were sealed, and where a flood passed."""

    def __init__(self, arrivals: list[int], data: Path) -> None:
        journal = SimpleNamespace(signals=Signals(), store=SimpleNamespace(version=lambda: None))
        super().__init__(cast("Journal", journal), cast("Leases", None), ManualClock(0), cast("Logger", None), data)
        self.arrivals, self.waiting = iter(arrivals), 0
        self.done: list[int | str] = []

    def _is_flood(self) -> bool:
        self.waiting += next(self.arrivals)
        return super()._is_flood()

    def _unsealed(self, most: int) -> int:
        return min(most, self.waiting)

    def seal(self, lease: Lease) -> int:
        self._journal.signals.notify(APPENDED)  # the next ones are there: nothing waits for them
        sealed = self._unsealed(BATCH)
        self.waiting -= sealed
        self.done.append(sealed)
        return sealed

    def _let_pass(self, wake: threading.Event, lease: Lease) -> None:
        self.done.append("pass")


def test_a_flood_is_let_pass_before_it_is_sealed_and_few_events_are_sealed_at_once(tmp_path: Path) -> None:
    sealer = Scripted([1, FLOOD_EVENTS, 2, 2 * BATCH + 3, FLOOD_EVENTS - 1], tmp_path)
    with pytest.raises(StopIteration):
        sealer._work(Lease("sealer", 1))
    assert sealer.done == [1, "pass", FLOOD_EVENTS, 2, "pass", BATCH, BATCH, 3, FLOOD_EVENTS - 1]


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
