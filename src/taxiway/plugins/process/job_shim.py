"""The keeper of one job: a program that runs to its end, is tried again when it fails, and has a deadline.

Part of the shim: standard library only. `spec["job"]` has the words of Kubernetes' Job: `backoff_limit` (how often it
is tried again), `active_deadline_seconds` (for all attempts together, None without one), beside `backoff_seconds` (the
first pause, doubled up to six minutes) and `bell`, a pipe that is told of the end.

state.json ends as `succeeded` or `failed` and then never changes. What it holds before that is where the next shim of
the job goes on: an attempt whose shim was killed counts as a failed one, so nothing runs that is not counted.
"""
# The shim must not pay for pathlib.
# ruff: noqa: PTH118

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxiway.plugins.process import bell, child, files, procs, shim
else:
    import bell
    import child
    import files
    import procs
    import shim

BACKOFF_MOST_SECONDS = 360.0
LOST = "its keeper was killed, or the machine went down"
WHOLE_LIMIT = "BackoffLimitExceeded"
DEADLINE = "DeadlineExceeded"


class JobShim(shim.Shim):
    """Runs the program until one attempt succeeds, the attempts are used up, or the time is over."""

    def __init__(self, folder: str, spec: dict[str, Any]) -> None:
        super().__init__(folder, spec)
        before = files.read_json(os.path.join(folder, "state.json")) or {}
        self.job: dict[str, Any] = spec["job"]
        self.is_late = False
        self.state |= {
            "attempts": list(before.get("attempts") or ()),
            "begun_at": before.get("begun_at") or shim.now(),
            "restarts": len(before.get("attempts") or ()),
        }
        if before.get("phase") in shim.ENDED[1:]:
            sys.exit(0)
        if before.get("is_running"):
            reason = "stopped on request" if before["phase"] == "stopped" else LOST
            self.count({"started_at": before.get("started_at"), "reason": reason})

    def run(self) -> None:
        if self.is_used_up():
            # The attempt that was lost was the last one.
            procs.end_marked(self.spec["marker"])
            self.give_up(self.state["attempts"][-1]["reason"])
            return
        super().run()

    def advance(self) -> None:
        if not self.is_late and self.seconds_left() <= 0 and self.ending != "stop":
            self.is_late = True
            if self.pid and not self.ending:
                self.begin_ending("deadline", DEADLINE)
            elif not self.ending:
                self.finish("failed", f"{DEADLINE}: {self.state['reason'] or 'it did not end in time'}")
                return
        super().advance()

    def next_moment(self) -> float:
        return min(super().next_moment(), time.monotonic() + max(0.0, self.seconds_left()) + 0.01)

    def start(self) -> None:
        self.save(is_running=True, started_at=shim.now())
        super().start()

    def schedule(self, reason: str) -> None:
        """An attempt is over: it was the last one, or the next one waits its turn."""
        state = self.state
        # A program that was asked to end, and then ended well, has not done its work: the reason says who ended it.
        is_good = reason == "exited with code 0"
        attempt = {name: state[name] for name in ("started_at", "ended_at", "exit_code", "signal")}
        self.count({**attempt, "reason": "" if is_good else reason})
        if is_good:
            self.finish("succeeded", "")
        elif self.is_late:
            self.finish("failed", f"{DEADLINE}: it ran longer than {self.job['active_deadline_seconds']} s")
        elif self.is_used_up():
            self.give_up(reason)
        else:
            failed = len(state["attempts"])
            pause = min(BACKOFF_MOST_SECONDS, float(self.job["backoff_seconds"]) * 2.0 ** min(failed - 1, 20))
            self.start_at = time.monotonic() + pause
            self.save(phase="backoff", reason=reason, restarts=failed)

    def count(self, attempt: dict[str, Any]) -> None:
        """Note an attempt that is over."""
        whole = {"started_at": None, "ended_at": None, "exit_code": None, "signal": None, "reason": "", **attempt}
        self.state["attempts"] = [*self.state["attempts"], whole]
        self.state["is_running"] = False

    def is_used_up(self) -> bool:
        return len(self.state["attempts"]) > int(self.job["backoff_limit"])

    def seconds_left(self) -> float:
        """Until the deadline, by the wall clock: it holds over a restart of the machine too."""
        limit = self.job["active_deadline_seconds"]
        if limit is None:
            return shim.NEVER
        return float(limit) - (shim.now() - int(self.state["begun_at"])) / 1e6

    def give_up(self, reason: str) -> None:
        """The attempts are used up."""
        count = len(self.state["attempts"])
        self.finish("failed", f"{WHOLE_LIMIT}: {reason}" + (f", after {count} attempts" if count > 1 else ""))

    def finish(self, phase: str, reason: str) -> None:
        """The end. It must be on disk before anybody hears of it."""
        child.bound_log(os.path.join(self.folder, "log"), int(self.spec["log_bytes"]))
        while True:
            self.save(phase=phase, reason=reason, pid=None, start_ticks=None, live=None, ended_at=shim.now())
            if self.is_saved:
                break
            time.sleep(shim.LOG_CHECK_SECONDS)
        bell.ring(str(self.job["bell"]))
