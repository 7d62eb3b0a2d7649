"""What a CronJob asks for, and which of its runs is to be started now: the rules of Kubernetes' controller. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.workload import CronPolicy
from taxiway.plugin import MICROSECONDS
from taxiway.plugin.cron import Cron, CronError, parse_cron

POLICIES: Mapping[str, CronPolicy] = {"Allow": "Allow", "Forbid": "Forbid", "Replace": "Replace"}
MOST_MISSED = 100
MOST_KEPT = 100
MOST_ATTEMPTS = 100


@dataclass(frozen=True)
class Schedule:
    """The spec of a CronJob with Kubernetes' defaults."""

    cron: Cron
    expression: str
    time_zone: str
    suspend: bool = False
    concurrency_policy: CronPolicy = "Allow"
    starting_deadline_seconds: int | None = None
    successful_limit: int = 3
    failed_limit: int = 1
    backoff_limit: int = 6
    active_deadline_seconds: int | None = None

    @property
    def text(self) -> str:
        """What it is the same schedule by."""
        return f"{self.time_zone} {self.expression}"


@dataclass(frozen=True)
class Decision:
    """`start`: the time whose run is to be started now; `next_at`: when to look again; `missed`: due, not started."""

    start: int | None
    next_at: int | None
    missed: int = 0
    reason: str = ""


def schedule_of(manifest: Mapping[str, Any]) -> Schedule:
    """The schedule of a CronJob. InputError says which field is wrong."""
    spec = manifest.get("spec") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    zone = str(spec.get("timeZone") or "UTC")
    try:
        cron = parse_cron(str(spec.get("schedule") or ""), zone)
    except CronError as error:
        raise InputError(f"the schedule of the CronJob: {error}", code="process.schedule") from error
    named = str(spec.get("concurrencyPolicy") or "Allow")
    policy = POLICIES.get(named)
    if policy is None:
        raise InputError(f"concurrencyPolicy is '{named}': write one of {', '.join(POLICIES)}", code="process.schedule")
    return Schedule(
        cron,
        str(spec["schedule"]),
        zone,
        spec.get("suspend") is True,
        policy,
        _number(spec, "startingDeadlineSeconds", None, 0, 10**9),
        _number(spec, "successfulJobsHistoryLimit", 3, 0, MOST_KEPT) or 0,
        _number(spec, "failedJobsHistoryLimit", 1, 0, MOST_KEPT) or 0,
        _number(job, "backoffLimit", 6, 0, MOST_ATTEMPTS) or 0,
        _number(job, "activeDeadlineSeconds", None, 1, 10**9),
    )


def decide(schedule: Schedule, since: int, now: int, is_active: bool) -> Decision:
    """What to do now. `since`: the last time whose run was started, else when the schedule came to be.

    Of several runs that were missed only the last is made up for, and none that is later than its starting deadline. A
    run that `Forbid` holds back is looked at again when the one before it ends.
    """
    if schedule.suspend:
        return Decision(None, None)
    cron, deadline = schedule.cron, schedule.starting_deadline_seconds
    next_at, due = cron.after(now), cron.until(now)
    missed = cron.between(since, now, MOST_MISSED)
    if due is None or due <= since:
        return Decision(None, next_at)
    if deadline is not None and due < now - deadline * MICROSECONDS:
        text = f"its last run was due more than {deadline} s ago (startingDeadlineSeconds) and is left out"
        return Decision(None, next_at, missed, text)
    if is_active and schedule.concurrency_policy == "Forbid":
        return Decision(None, next_at, missed, "a run is due while the one before it still runs (Forbid)")
    return Decision(due, next_at, missed - 1)


def _number(spec: Mapping[str, Any], name: str, usual: int | None, least: int, most: int) -> int | None:
    value = spec.get(name)
    if value is None:
        return usual
    if not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{name} is {value!r}: write a number from {least} to {most}", code="process.schedule")
    return value
