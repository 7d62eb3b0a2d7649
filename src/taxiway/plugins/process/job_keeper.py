"""Starts the runs of CronJobs when they are due, and brings every run to a truthful end. Background service.

It sleeps until the next due time; a pipe wakes it earlier: when objects are applied, a run was asked for, or a run
ended. All truth is on disk (`jobs`), and a lock per CronJob keeps two processes apart, so it may be killed at any
moment. While runs are open it looks every few seconds whether what keeps them was killed.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import threading
import time
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError
from taxiway.model.event import EventDraft
from taxiway.model.workload import JobStatus
from taxiway.plugin import MICROSECONDS, PluginContext
from taxiway.plugins.process import files, jobs
from taxiway.plugins.process.bell import open_bell, ring
from taxiway.plugins.process.bundle import Bundle
from taxiway.plugins.process.place import Places
from taxiway.plugins.process.preparing import prepare
from taxiway.plugins.process.schedule import Decision, Schedule, decide, schedule_of
from taxiway.plugins.process.slots import Slots
from taxiway.plugins.process.spec import Instance
from taxiway.plugins.process.supervisor import BusyError, ProcessError, ended_job, locked

LOOK_SECONDS = 5.0
"""How long a killed keeper of an open run may go unnoticed."""
LONGEST_SECONDS = 60.0
"""The longest sleep before a due time: the clock may be set, and a laptop may be closed meanwhile."""
SHORTEST_SECONDS = 0.05
RETRY_SECONDS = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
JOIN_SECONDS = 2.0
LOCK_SECONDS = 20.0
CLOCK_SECONDS = 3 * 3600
"""A clock that is set back by more was wrong before. By less: what ran does not run again (so does Debian's cron)."""
FINISHED = "dev.taxiway.job.finished.v1"
EXPECTED = (ProcessError, TaxiwayError, OSError, ValueError)


@dataclass
class _Retry:
    """When a CronJob that cannot run is tried again. Losing it costs one early try."""

    digest: str
    attempts: int
    due: float


class JobKeeper:
    """One per process."""

    key = "process_jobs"
    exclusive = True

    def __init__(self, ctx: PluginContext, places: Places) -> None:
        self._ctx, self.places = ctx, places
        self._stop = threading.Event()
        self._slots = Slots("jobs", self._settle, self._fault, self._is_over, ctx.log)
        self._retries: dict[str, _Retry] = {}

    def wake(self, slot: str) -> None:
        """Look at the CronJob soon. Never blocks."""
        self._slots.wake(slot)

    def wait(self, slot: str, seconds: float) -> bool:
        """Whether nothing is left to do for it now, within `seconds`."""
        return self._slots.wait(slot, seconds)

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        """Until stopped. The thread that sleeps hears the pipe, this one hears `stop`."""
        self._stop = stop
        over = threading.Event()
        thread = threading.Thread(target=self._loop, args=(over,), name="jobs", daemon=True)
        thread.start()
        stop.wait()
        over.set()
        ring(str(self.places.bell))
        thread.join(JOIN_SECONDS)
        self._slots.join(JOIN_SECONDS)

    def turn(self) -> float | None:
        """Wake every CronJob that has something to do now. Seconds until the next look; None: until the bell."""
        if self.places.halted.exists():
            return None
        wanted, now, soon = self.places.bundles(kind="CronJob"), self._ctx.clock.now(), list[float]()
        for slot in sorted({*wanted, *jobs.slots(self.places)}):
            left = self._seconds_left(slot, wanted.get(slot), now)
            if left <= 0:
                self.wake(slot)
            soon.append(max(left, SHORTEST_SECONDS))
        least = min(soon, default=math.inf)
        return None if least == math.inf else least

    def request(self, environment: str, name: str, key: str, by: str) -> JobStatus:
        """Start a run now; the same key gives the same run. ConflictError when the policy forbids a second one."""
        slot = f"{name}.{environment}"
        bundle = self.places.bundle(slot, "CronJob")
        if bundle is None:
            raise NotFoundError(
                f"{environment} has no scheduled workload {name}: deploy one, or name another", code="process.no_job"
            )
        schedule = schedule_of(bundle.controller)
        try:
            with locked(self.places.jobs(slot) / "lock", LOCK_SECONDS):
                wanted = jobs.Request(key=key, by=by)
                is_new = all(run.id != wanted.name for run in jobs.runs(self.places, slot))
                if is_new and schedule.concurrency_policy == "Forbid" and self._open(slot):
                    raise ConflictError(
                        f"a run of {name} is under way in {environment}, and its concurrencyPolicy is Forbid: wait for "
                        "its end",
                        code="process.job_runs",
                    )
                run = jobs.create(self.places, bundle, schedule, wanted, self._ctx.clock.now())
                jobs.start(self.places, run)
        except ProcessError as error:
            raise ConflictError(f"the run cannot start: {error}", code="process.job_refused") from error
        ring(str(self.places.bell))
        return jobs.status_of(slot, run)

    def _loop(self, over: threading.Event) -> None:
        self.places.bell.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        bell = open_bell(str(self.places.bell))
        try:
            while not over.is_set():
                pause: float | None = LOOK_SECONDS
                try:
                    pause = self.turn()
                except Exception as error:
                    # Without this thread no job would ever start again; the next turn tries anew.
                    self._ctx.log.exception("process.jobs_turn_failed", error=repr(error))
                if not over.is_set() and select.select([bell], [], [], pause)[0]:
                    os.read(bell, 4096)
        finally:
            os.close(bell)

    def _seconds_left(self, slot: str, bundle: Bundle | None, now: int) -> float:
        """Until this CronJob has something to do. Cheap: some small files."""
        status, cron = read_status(self.places, slot), read_cron(self.places, slot)
        if bundle is None or status.get("digest") != bundle.digest:
            return 0.0
        retry = self._retries.get(slot)
        if status["state"] == "failed" or (retry is not None and retry.digest == bundle.digest):
            return retry.due - time.monotonic() if retry is not None and retry.digest == bundle.digest else 0.0
        found = jobs.runs(self.places, slot)
        if any(jobs.is_open(run) and not jobs.is_kept(run) for run in found) or any(_is_news(run) for run in found):
            return 0.0
        next_at = cron.get("next_at")
        left = math.inf if next_at is None else min((next_at - now) / MICROSECONDS, LONGEST_SECONDS)
        return min(left, LOOK_SECONDS) if any(jobs.is_open(run) for run in found) else left

    def _settle(self, slot: str) -> None:
        bundle = self.places.bundle(slot, "CronJob")
        try:
            if bundle is None:
                with locked(self.places.jobs(slot) / "lock", LOCK_SECONDS):
                    self._announce(slot)
                    jobs.remove(self.places, slot)
                self._retries.pop(slot, None)
                return
            self._make_so(slot, bundle)
        except BusyError as error:
            # Whoever holds it does the same work.
            self._ctx.log.debug("process.job_busy", slot=slot, reason=str(error))
            time.sleep(0.5)
        except EXPECTED as error:
            if bundle is not None and not self._is_over():
                self._note_failure(slot, bundle, error.detail if isinstance(error, TaxiwayError) else str(error))
        finally:
            ring(str(self.places.bell))

    def _make_so(self, slot: str, bundle: Bundle) -> None:
        with locked(self.places.jobs(slot) / "lock", LOCK_SECONDS):
            # First, since these need nothing that the new version may lack.
            for run in self._open(slot):
                if not jobs.is_kept(run):
                    jobs.start(self.places, run)
            self._announce(slot)
        schedule = schedule_of(bundle.controller)
        status = read_status(self.places, slot)
        if (status.get("digest"), status.get("state")) != (bundle.digest, "ready"):
            # What a run will need is made and looked at now: a mistake shows at the deployment, not at night.
            folder = self.places.job_files(slot)
            prepare(self.places, bundle, self.places.make_folder(folder / "check"), folder / "files", self._is_over)
        with locked(self.places.jobs(slot) / "lock", LOCK_SECONDS):
            self._start_due(slot, bundle, schedule)
            self._announce(slot)
            jobs.tidy(self.places, slot, schedule)
            self._retries.pop(slot, None)
            _write(self.places, slot, "status", {"digest": bundle.digest, "state": "ready", "message": ""})

    def _start_due(self, slot: str, bundle: Bundle, schedule: Schedule) -> None:
        """Start the run that is due, if one is, and write down when the next one will be."""
        now = self._ctx.clock.now()
        cron = self._counted(slot, schedule, now)
        since = max(int(cron["since"]), int(cron["last"] or 0))
        active = self._open(slot)
        decision = decide(schedule, since, now, bool(active))
        if decision.start is not None:
            if schedule.concurrency_policy == "Replace":
                for run in active:
                    jobs.end(run, "Replaced: the next run was due")
            run = jobs.create(self.places, bundle, schedule, jobs.Request(decision.start), now)
            cron = {**cron, "last": decision.start}
            # Written before it starts: a crash in between leaves a run that is taken up, and no second one.
            self._note_cron(slot, cron, decision)
            jobs.start(self.places, run)
        else:
            self._note_cron(slot, cron, decision)

    def _counted(self, slot: str, schedule: Schedule, now: int) -> dict[str, Any]:
        """What is written down of the schedule, with `since` and `last` as they hold at `now`."""
        cron, latest = read_cron(self.places, slot), now + CLOCK_SECONDS * MICROSECONDS
        # Who made the last run may have been killed before it was written down.
        made = [run.spec["job"]["scheduled_at"] or 0 for run in jobs.runs(self.places, slot)]
        known = [at for at in (*made, cron.get("last") or 0) if at <= latest]
        is_other = cron.get("schedule") != schedule.text
        # Times that another schedule missed, or that a wrong clock was at, are no runs of this one.
        since = now if is_other or int(cron["since"]) > latest else int(cron["since"])
        return {**cron, "schedule": schedule.text, "since": since, "last": max(known, default=0) or None}

    def _note_cron(self, slot: str, cron: dict[str, Any], decision: Decision) -> None:
        # What was missed is said until a run came in time again.
        missed = cron.get("missed", 0) if decision.start is None and not decision.missed else decision.missed
        noted = {**cron, "next_at": decision.next_at, "missed": missed, "reason": decision.reason}
        _write(self.places, slot, "cron", noted)

    def _announce(self, slot: str) -> None:
        """An event for each run that has ended; told again when the process dies in between."""
        for run in reversed(jobs.runs(self.places, slot)):
            if not _is_news(run):
                continue
            status, job = jobs.status_of(slot, run), run.spec["job"]
            data = {
                "service": job["service_ref"] or job["service"],
                "environment": status.environment,
                "job": status.id,
                "outcome": "success" if status.state == "succeeded" else "failure",
                "exit_code": status.exit_code,
                "reason": status.message,
            }
            self._ctx.emit(EventDraft(FINISHED, str(data["service"]), data))
            if status.state == "succeeded":
                cron = read_cron(self.places, slot)
                _write(self.places, slot, "cron", {**cron, "succeeded": status.ended_at})
            (run.folder / "announced").touch(mode=0o600)

    def _note_failure(self, slot: str, bundle: Bundle, text: str) -> None:
        before = self._retries.get(slot)
        attempts = before.attempts + 1 if before is not None and before.digest == bundle.digest else 0
        pause = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)]
        self._retries[slot] = _Retry(bundle.digest, attempts, time.monotonic() + pause)
        self._ctx.log.warning("process.job_not_ready", slot=slot, reason=text)
        _write(self.places, slot, "status", {"digest": bundle.digest, "state": "failed", "message": text})

    def _fault(self, slot: str) -> None:
        with contextlib.suppress(Exception):
            bundle = self.places.bundle(slot, "CronJob")
            if bundle is not None:
                self._note_failure(slot, bundle, "this destination failed on the workload: see the log of the server")

    def _open(self, slot: str) -> list[Instance]:
        return [run for run in jobs.runs(self.places, slot) if jobs.is_open(run)]

    def _is_over(self) -> bool:
        return self._stop.is_set() or self.places.halted.exists()


def read_status(places: Places, slot: str) -> dict[str, Any]:
    """Whether the CronJob can run: {digest, state: ready or failed, message}; empty when nobody has looked yet."""
    return files.read_json(str(places.jobs(slot) / "status.json")) or {}


def read_cron(places: Places, slot: str) -> dict[str, Any]:
    """When it ran and will run: {schedule, since, last, next_at, missed, reason, succeeded}; empty at first."""
    return files.read_json(str(places.jobs(slot) / "cron.json")) or {}


def _write(places: Places, slot: str, name: str, value: dict[str, Any]) -> None:
    path = str(places.jobs(slot) / f"{name}.json")
    if files.read_json(path) != value:
        places.jobs(slot).mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write_json(path, value)


def _is_news(run: Instance) -> bool:
    return ended_job(run.folder) is not None and not (run.folder / "announced").exists()
