"""Many pushes are told of a few times."""

from __future__ import annotations

from collections.abc import Callable

from taxiway.model.event import EventDraft
from taxiway.plugin import ManualClock
from taxiway.plugins.scim.announcing import PAUSE_SECONDS, Announcer


def test_the_first_change_is_told_at_once_and_the_rest_together() -> None:
    told: list[EventDraft] = []
    later: list[tuple[float, Callable[[], None]]] = []
    clock = ManualClock()
    announcer = Announcer(told.append, clock, lambda seconds, call: later.append((seconds, call)))
    announcer.changed()
    assert [draft.data for draft in told] == [{"type": "scim"}]
    clock.advance(0.5)
    for _ in range(10_000):
        announcer.changed()
    assert len(told) == 1
    assert [seconds for seconds, _ in later] == [PAUSE_SECONDS - 0.5]
    clock.advance(PAUSE_SECONDS)
    later[0][1]()
    assert len(told) == 2
    clock.advance(PAUSE_SECONDS)
    announcer.changed()
    assert len(told) == 3
