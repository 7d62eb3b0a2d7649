"""When a step is tried again by itself: what it needs did not answer, and nothing speaks against a second call.

A rule without I/O. The segment asks it after a failed call, and parks the run for the pause that it names; no thread is
held meanwhile. The count of such tries is kept with the step's checkpoints, so that it outlives a restart; `retry` by a
person begins a new count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.kit.backoff import backoff_seconds
from taxiway.model.errors import TaxiwayError, TimedOutError
from taxiway.model.run import Step

COUNT = "taxiway:tries"
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 300.0
"""Who asks for a longer pause is not waited for: the step fails, and says so."""


@dataclass(frozen=True)
class Try:
    """The next try: its number among the automatic ones, and seconds until then."""

    number: int
    seconds: float


def next_try(step: Step, error: Exception, most: int) -> Try | None:
    """The next automatic try after `error`, or None: the step fails with it.

    A time limit that ran out is no reason: the next call would take as long again.
    """
    if step.recovery == "manual" or not isinstance(error, TaxiwayError) or not error.retryable:
        return None
    if isinstance(error, TimedOutError):
        return None
    number = int(step.checkpoints.get(COUNT, 0)) + 1
    seconds = max(backoff_seconds(number, FIRST_SECONDS), error.retry_after_seconds or 0.0)
    return None if number > most or seconds > LONGEST_SECONDS else Try(number, seconds)


def is_next_try(step: Step) -> bool:
    """Whether the step waits for its next try, and not for a topic: then it stands with the error of the last."""
    return step.state == "waiting" and step.error is not None


def counted(step: Step, number: int) -> dict[str, Any]:
    """The step's checkpoints with the count of tries in them."""
    return {**step.checkpoints, COUNT: number}


def uncounted(checkpoints: Mapping[str, Any]) -> dict[str, Any]:
    """Checkpoints without the count, for a person who asks anew."""
    return {key: value for key, value in checkpoints.items() if key != COUNT}
