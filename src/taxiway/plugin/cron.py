"""Cron schedules as a Kubernetes CronJob takes them: five fields or a macro such as `@daily`, in a named time zone.

Pure. Times are UTC microseconds. Evaluated by cronsim, which keeps the local time over a change of the clock as
Debian's cron does. What cronsim knows beyond Kubernetes (seconds, `L`, `#`) is refused, so that a schedule means the
same there.
"""

from __future__ import annotations

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


class CronError(ValueError):
    """No schedule; the message says what is wrong and what to write."""


@dataclass(frozen=True)
class Cron:
    """A schedule that `parse_cron` found valid."""

    fields: str
    zone: ZoneInfo

    def after(self, at: int) -> int | None:
        """The first time behind `at`; None: there is none within decades."""
        return _first(CronSim(self.fields, self._local(at)))

    def until(self, at: int) -> int | None:
        """The last time that is not behind `at`; None: there is none within decades."""
        # Looking back leaves out the moment itself, and cron knows whole minutes only.
        return _first(CronSim(self.fields, self._local(at) + timedelta(minutes=1), reverse=True), at)

    def between(self, after: int, until: int, most: int) -> int:
        """How many times there are behind `after` and not behind `until`; counts no further than `most`."""
        found = 0
        for moment in CronSim(self.fields, self._local(after)):
            if found >= most or _micros(moment) > until:
                break
            found += 1
        return found

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
        raise CronError(f"'{time_zone}' is no time zone: write a name such as Europe/Berlin or UTC") from error
    try:
        cron = Cron(fields.replace("?", "*"), zone)
        CronSim(cron.fields, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise CronError(f"'{text[:80]}' is no schedule: {str(error).lower()}") from error
    return cron


def _without_names(fields: str) -> str:
    """The fields without the names of months and days, some of which have an L or a W."""
    return re.sub(r"JUL|APR|WED", "", fields.upper())


def _first(times: Iterator[datetime], until: int | None = None) -> int | None:
    for moment in times:
        found = _micros(moment)
        if until is None or found <= until:
            return found
    return None


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
