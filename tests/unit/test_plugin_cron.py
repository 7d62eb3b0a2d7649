"""Schedules of Kubernetes CronJobs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxiway.plugin.cron import CronError, parse_cron


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


def shown(moment: int | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment / 1_000_000, UTC).isoformat()[:16]


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        ("*/15 * * * *", None, "2026-01-01T00:15"),
        ("@daily", None, "2026-01-02T00:00"),
        ("0 6 * * MON-FRI", None, "2026-01-01T06:00"),
        ("0 0 13 * 5", None, "2026-01-02T00:00"),
        ("0 0 ? * *", None, "2026-01-02T00:00"),
        ("0 6 1 JUL *", "Europe/Berlin", "2026-07-01T04:00"),
        ("0 12 29 2 *", None, "2028-02-29T12:00"),
        # A step is no star: one of the two days is enough, as in Kubernetes.
        ("0 9 */7 * 1", None, "2026-01-01T09:00"),
        ("0 9 */1 * 1", None, "2026-01-05T09:00"),
        ("0 9 1,* * 1", None, "2026-01-05T09:00"),
    ],
)
def test_the_next_time_is_that_of_kubernetes(expression: str, zone: str | None, expected: str) -> None:
    assert shown(parse_cron(expression, zone).after(at("2026-01-01T00:00:00+00:00"))) == expected


def test_the_last_time_counts_the_moment_itself() -> None:
    cron = parse_cron("*/15 * * * *")
    assert shown(cron.until(at("2026-01-01T10:30:00+00:00"))) == "2026-01-01T10:30"
    assert shown(cron.until(at("2026-01-01T10:30:20+00:00"))) == "2026-01-01T10:30"
    assert shown(cron.until(at("2026-01-01T10:29:59.999999+00:00"))) == "2026-01-01T10:15"


def test_missed_times_are_counted_up_to_a_bound() -> None:
    cron = parse_cron("* * * * *")
    start = at("2026-01-01T10:00:00+00:00")
    assert cron.between(start, start + 180_000_000, 100) == 3
    assert cron.between(start, start + 86_400_000_000, 100) == 100


def test_a_local_time_is_kept_over_a_change_of_the_clock() -> None:
    cron = parse_cron("30 7 * * *", "Europe/Berlin")
    assert shown(cron.after(at("2026-03-28T12:00:00+00:00"))) == "2026-03-29T05:30"
    assert shown(cron.after(at("2026-03-27T12:00:00+00:00"))) == "2026-03-28T06:30"


@pytest.mark.parametrize("expression", ["30 2 * * *", "*/15 * * * *", "*/20 2 * * *"])
def test_what_is_due_and_what_comes_agree_over_a_change_of_the_clock(expression: str) -> None:
    cron, minute = parse_cron(expression, "Europe/Berlin"), 60_000_000
    for day in ("2026-03-28", "2026-10-24"):
        start = at(f"{day}T23:00:00+00:00")
        times, moment = [start], start
        while moment < start + 4 * 60 * minute:
            moment = cron.after(moment) or 0
            times.append(moment)
        assert times == sorted(set(times))
        for now in range(start + 10 * minute, start + 4 * 60 * minute, 10 * minute):
            before = [one for one in times[1:] if one <= now]
            assert cron.after(now) == times[len(before) + 1]
            assert cron.between(start, now, 100) == len(before)
            assert not before or cron.until(now) == before[-1]
    # Whatever the zone does: what comes is behind now, what was due is not.
    cron = parse_cron("15 2 * * *", "Australia/Lord_Howe")
    for now in range(at("2026-04-04T14:00:00+00:00"), at("2026-04-04T17:00:00+00:00"), 7 * minute):
        assert (cron.until(now) or now) <= now < (cron.after(now) or 0)


@pytest.mark.parametrize(
    "expression",
    [
        *("", "* * * *", "* * * * * *", "61 * * * *", "0 0 L * *", "0 0 * * 5#2", "0 0 * * 5L", "0 0 1W * *"),
        *(
            "@every 1h",
            "TZ=UTC 0 0 * * *",
            "0 0 30 2 *",
            "* " * 400,
            "0 0 * * 7",
            "0 0 * * 1-7",
            "0 0 *,99 * 1",
            "$(id) * * * *",
        ),
    ],
)
def test_what_kubernetes_refuses_is_refused_with_the_reason(expression: str) -> None:
    with pytest.raises(CronError):
        parse_cron(expression)


def test_an_unknown_time_zone_is_named() -> None:
    for zone in ("Mars/Olympus", "../etc/passwd", "\0"):
        with pytest.raises(CronError, match="time zone"):
            parse_cron("@daily", zone)
