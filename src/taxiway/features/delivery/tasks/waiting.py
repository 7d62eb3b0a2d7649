"""Waiting inside a step where the run cannot be parked (undo). Bounded."""

from __future__ import annotations

import time
from collections.abc import Callable

from taxiway.model.errors import TimedOutError
from taxiway.plugin import StepContext

PAUSE_SECONDS = 0.2


def poll(is_done: Callable[[], bool], seconds: float, ctx: StepContext, otherwise: str) -> None:
    """Return once `is_done()`. TimedOutError with `otherwise` after `seconds`."""
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            raise TimedOutError(f"{otherwise}: see the log of the server, then undo again")
        time.sleep(PAUSE_SECONDS)
