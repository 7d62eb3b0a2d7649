"""Schedules in Score files: annotations with the field names of Kubernetes' CronJob, since Score itself has none. Pure.

    metadata:
      annotations:
        k8s.score.dev/kind: CronJob
        cronjob.taxiway.dev/schedule: "*/15 * * * *"
        cronjob.taxiway.dev/timeZone: Europe/Berlin

The kind annotation is score-k8s's; `schedule` is required, the other names are those of SCHEDULE_FIELDS and JOB_FIELDS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from taxiway.model.errors import FieldError

KIND = "k8s.score.dev/kind"
SCHEDULE_PREFIX = "cronjob.taxiway.dev/"
TEXT, FLAG, NUMBER = "text", "true or false", "a whole number of at most nine digits"
DIGITS = re.compile(r"[0-9]{1,9}")
SCHEDULE_FIELDS = {
    "schedule": TEXT,
    "timeZone": TEXT,
    "concurrencyPolicy": TEXT,
    "suspend": FLAG,
    "startingDeadlineSeconds": NUMBER,
    "successfulJobsHistoryLimit": NUMBER,
    "failedJobsHistoryLimit": NUMBER,
}
JOB_FIELDS = {"backoffLimit": NUMBER, "activeDeadlineSeconds": NUMBER}
POLICIES = ("Allow", "Forbid", "Replace")
Document = Mapping[str, Any]


def cron_job_spec(document: Document) -> dict[str, Any] | None:
    """The spec of the CronJob without its pod template; None for a workload that runs all the time.

    The document is one that `schedule_problems` found nothing wrong with.
    """
    annotations = _annotations(document)
    if annotations.get(KIND) != "CronJob":
        return None
    spec = _taken(annotations, SCHEDULE_FIELDS)
    return {**spec, "jobTemplate": {"spec": _taken(annotations, JOB_FIELDS)}}


def schedule_problems(document: Document) -> list[FieldError]:
    """What is wrong with the schedule of a Score document, with what to write."""
    annotations, problems = _annotations(document), list[FieldError]()
    ours = {name: value for name, value in annotations.items() if name.startswith(SCHEDULE_PREFIX)}
    is_scheduled = annotations.get(KIND) == "CronJob"

    def wrong(name: str, detail: str) -> None:
        problems.append(FieldError(f"/metadata/annotations/{name.replace('/', '~1')}", detail))

    if ours and not is_scheduled:
        wrong(min(ours), f"it only means something beside '{KIND}: CronJob': add that, or remove it")
    elif is_scheduled and SCHEDULE_PREFIX + "schedule" not in ours:
        wrong(KIND, f"a CronJob needs a schedule: add '{SCHEDULE_PREFIX}schedule', such as \"*/15 * * * *\"")
    if is_scheduled and (document.get("service") or {}).get("ports"):
        problems.append(FieldError("/service", "a job listens on no port: remove it, or the annotations of a CronJob"))
    for name, value in ours.items():
        field = name.removeprefix(SCHEDULE_PREFIX)
        what = {**SCHEDULE_FIELDS, **JOB_FIELDS}.get(field)
        if what is None:
            known = ", ".join([*SCHEDULE_FIELDS, *JOB_FIELDS])
            wrong(name, f"a CronJob has no such field here: there are {known}")
        elif (what == NUMBER and not DIGITS.fullmatch(value)) or (what == FLAG and value not in ("true", "false")):
            wrong(name, f"'{value[:80]}' is not {what}")
        elif field == "concurrencyPolicy" and value not in POLICIES:
            wrong(name, f"'{value[:80]}' is none of {', '.join(POLICIES)}")
    said = "" if problems else _wrong_schedule(ours)
    if said:
        wrong(SCHEDULE_PREFIX + "schedule", said)
    return problems


def _wrong_schedule(ours: Mapping[str, str]) -> str:
    """'' or what is wrong with the schedule."""
    expression = ours.get(SCHEDULE_PREFIX + "schedule")
    if expression is None:
        return ""
    # Loaded when a schedule is there: few workloads have one.
    from taxiway.plugin.cron import CronError, parse_cron

    try:
        parse_cron(expression, ours.get(SCHEDULE_PREFIX + "timeZone"))
    except CronError as error:
        return str(error)
    return ""


def _annotations(document: Document) -> Mapping[str, str]:
    found: Mapping[str, str] = (document.get("metadata") or {}).get("annotations") or {}
    return found


def _taken(annotations: Mapping[str, str], fields: Mapping[str, str]) -> dict[str, Any]:
    given = {name: annotations[SCHEDULE_PREFIX + name] for name in fields if SCHEDULE_PREFIX + name in annotations}
    read: dict[str, Callable[[str], Any]] = {TEXT: str, NUMBER: int, FLAG: lambda text: text == "true"}
    return {name: read[fields[name]](value) for name, value in given.items()}
