"""What plans rendered is there for their runs, for a while, and never without bound."""

from __future__ import annotations

from taxiway.features.scaffolder.rendering import planned
from taxiway.features.scaffolder.rendering.planned import KEPT_SECONDS, MOST_CHARACTERS, PlannedRenders

FILES: planned.Files = [("a.txt", "a"), ("b.bin", None)]


def test_plans_leave_it_and_the_run_takes_it_out() -> None:
    kept = PlannedRenders()
    kept.keep(b"asked", FILES)
    assert kept.find(b"asked", is_plan=True) == FILES
    assert kept.find(b"asked otherwise", is_plan=False) is None
    assert kept.find(b"asked", is_plan=False) == FILES
    assert kept.find(b"asked", is_plan=False) is None


def test_it_is_forgotten_after_a_while() -> None:
    now = [0.0]
    kept = PlannedRenders(lambda: now[0])
    kept.keep(b"asked", FILES)
    now[0] = KEPT_SECONDS + 1
    assert kept.find(b"asked", is_plan=True) is None


def test_the_oldest_go_when_it_is_too_much() -> None:
    kept, third = PlannedRenders(), "x" * (MOST_CHARACTERS // 3)
    for name in (b"1", b"2", b"3", b"4"):
        kept.keep(name, [("a", third)])
    kept.keep(b"huge", [("a", third * 4)])
    found = [name for name in (b"1", b"2", b"3", b"4", b"huge") if kept.find(name, is_plan=True)]
    assert found == [b"3", b"4"]
