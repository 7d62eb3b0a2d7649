"""Cron schedules as a Kubernetes CronJob takes them: five fields or a macro such as `@daily`, in a named time zone.

Pure. Times are UTC microseconds. Evaluated by cronsim, which keeps the local time over a change of the clock as
Debian's cron does. What cronsim knows beyond Kubernetes (seconds, `L`, `#`, 7 for Sunday) is refused, and what the two
read differently is written out for cronsim, so that a schedule means the same there.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
FIELDS = re.compile(r"[0-9A-Za-z*?,/-]+( +[0-9A-Za-z*?,/-]+){4}")
LONGEST = 200
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)


class CronError(ValueError):
    """No schedule; the message says what is wrong and what to write."""


@dataclass(frozen=True)
class Cron:
    """A schedule that `parse_cron` found valid."""

    fields: str
    zone: ZoneInfo

    def after(self, at: int) -> int | None:
        """The first time behind `at`; None: there is none within decades."""
        return next(self._behind(at), None)

    def until(self, at: int) -> int | None:
        """The last time that is not behind `at`; None: there is none within decades."""
        # Looking back, cronsim leaves out the moment itself (cron knows whole minutes only), and of an hour that comes
        # twice it sees one: it only says where to begin to look forward.
        for moment in CronSim(self.fields, self._local(at) + MINUTE, reverse=True):
            due = list(itertools.takewhile(lambda found: found <= at, self._behind(_micros(moment - MINUTE))))
            if due:
                return due[-1]
        return None

    def between(self, after: int, until: int, most: int) -> int:
        """How many times there are behind `after` and not behind `until`; counts no further than `most`."""
        found = itertools.takewhile(lambda moment: moment <= until, self._behind(after))
        return sum(1 for _ in itertools.islice(found, most))

    def _behind(self, at: int) -> Iterator[int]:
        """The times behind `at`, in their order."""
        # Within an hour that comes for the second time cronsim begins with the times of the first.
        return (found for moment in CronSim(self.fields, self._local(at)) if (found := _micros(moment)) > at)

    def _local(self, at: int) -> datetime:
        return (EPOCH + at * MICROSECOND).astimezone(self.zone)


def parse_cron(expression: str, time_zone: str | None = None) -> Cron:
    """The schedule. `time_zone` is a name of the IANA database, UTC when there is none. CronError otherwise."""
    text = expression.strip()
    if text.startswith(("TZ=", "CRON_TZ=")):
        raise CronError(f"'{text[:80]}' names a time zone: write that as timeZone")
    fields = MACROS.get(text, text)
    if len(text) > LONGEST or not FIELDS.fullmatch(fields) or re.search(r"(^|[\s,])L|[0-9]L|W", _without_names(fields)):
        raise CronError(
            f"'{text[:80]}' is no schedule: write five fields (minute, hour, day of month, month, day of week) such as "
            f"'*/15 * * * *', or one of {', '.join(MACROS)}"
        )
    try:
        zone = ZoneInfo(time_zone or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise CronError(
            f"'{str(time_zone)[:80]}' is no time zone: write a name such as Europe/Berlin or UTC"
        ) from error
    try:
        cron = Cron(_as_kubernetes(fields.replace("?", "*")), zone)
        CronSim(cron.fields, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise CronError(f"'{text[:80]}' is no schedule: {str(error).lower()}") from error
    return cron


def _as_kubernetes(fields: str) -> str:
    """The fields as cronsim must read them: whether day of month and day of week must both match.

    In Kubernetes both must when one of them has a `*` without a step among its terms, in cronsim when one begins with
    `*`. CronSimError: a day of the week that Kubernetes does not know.
    """
    minute, hour, day, month, weekday = fields.split()
    if re.search(r"(^|[,-])0*7", weekday):
        raise CronSimError("Sunday is 0 or SUN in the day of week, not 7")
    return " ".join((minute, hour, _days(day, "1-31"), month, _days(weekday, "0-6")))


def _days(field: str, whole: str) -> str:
    terms = field.split(",")
    if any(term == "*" or re.fullmatch(r"\*/0*1", term) for term in terms):
        # Every term is read all the same: one of the others may be wrong.
        return ",".join(["*", *(term for term in terms if term != "*")])
    return ",".join(whole + term[1:] if term.startswith("*/") else term for term in terms)


def _without_names(fields: str) -> str:
    """The fields without the names of months and days, some of which have an L or a W."""
    return re.sub(r"JUL|APR|WED", "", fields.upper())


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
