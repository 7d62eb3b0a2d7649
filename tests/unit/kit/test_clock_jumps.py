"""Ids and spans across a clock that jumps."""

from __future__ import annotations

from taxiway.kit import spans
from taxiway.kit.clock import MICROSECONDS, ManualClock
from taxiway.kit.ids import new_ids

DAY = 86_400 * MICROSECONDS


def test_ids_grow_when_the_clock_stands_or_is_put_back() -> None:
    clock = ManualClock()
    new_id = new_ids(clock)
    made = [new_id() for _ in range(100)]
    clock.at += DAY
    made.append(new_id())
    clock.at -= 2 * DAY
    made += [new_id() for _ in range(100)]
    assert made == sorted(set(made))


def test_a_span_on_this_boot_knows_no_jumps_and_one_from_elsewhere_is_never_negative() -> None:
    clock = ManualClock()
    here = spans.stamp(clock)
    there = {**here, "boot": "another machine"}
    clock.advance(5)
    assert (spans.seconds_since(clock, here), spans.seconds_since(clock, there)) == (5, 5)
    clock.at += DAY
    assert spans.seconds_since(clock, here) == 5
    clock.at -= 2 * DAY
    assert (spans.seconds_since(clock, here), spans.seconds_since(clock, there)) == (5, 0)
