"""The engine of one process: takes queued runs, gives each a thread, and ends what is cancelled.

Work of this process wakes it at once; once a second it looks for what other processes queued, for timers, and for runs
whose worker died. A parked run holds no thread. Started and stopped by `worker`.
"""

from __future__ import annotations

import threading
import time
from functools import partial

from taxiway.core.leases import Lease, Leases
from taxiway.core.runs import claims
from taxiway.core.runs.logs import Flusher
from taxiway.core.runs.parts import STEERED, WORK, Claim, Control, FencedError, Parts
from taxiway.core.runs.segment import Segment
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.processes import RUN_MARKER, kill_marked
from taxiway.model.errors import TaxiwayError

POLL_SECONDS = 1.0
CANCEL_GRACE_SECONDS = 2.0
MOST_PAUSE_SECONDS = 2.0
"""How long a run that cannot be given back waits for the store, at most, until the next try."""
JUMP_SECONDS = 2.0
"""A wall clock that falls behind the monotonic one by more than this was put back."""
FINISH_SECONDS = 1.2
"""How long a stopping engine waits for steps to end by themselves."""


class Engine:
    """Works on up to `workers` runs at once."""

    def __init__(self, parts: Parts, leases: Leases, workers: int, poll_seconds: float = POLL_SECONDS) -> None:
        self._parts, self._leases, self._workers, self._poll = parts, leases, workers, poll_seconds
        self._flusher = Flusher()
        self._wake = threading.Event()
        self._rest = poll_seconds
        self._stopping = False
        self._ahead = float("inf")
        self._forgotten: set[str] = set()
        self._lock = threading.Lock()
        self._active: dict[str, Control] = {}
        self._lease: Lease | None = None
        self._known_held: dict[str, str] = {}
        self._held_at: int | None = None
        self._next_wake: int | None = None
        self._idle_at: int | None = None
        self._thread = threading.Thread(target=self._loop, name="run-engine", daemon=True)
        self._unlisten = [parts.signals.listen(topic, self._wake.set) for topic in (WORK, STEERED)]

    def start(self) -> None:
        """Begin to take runs."""
        self._thread.start()

    def stop(self) -> None:
        """Stop within about 2.5 s. Steps that do not end in time are interrupted and their runs queued again."""
        self._stopping = True
        self._wake.set()
        self._thread.join(2)
        for remove in self._unlisten:
            remove()
        deadline = time.monotonic() + FINISH_SECONDS
        while self._active and time.monotonic() < deadline:
            time.sleep(0.01)
        left = self._fence_off()
        self._give_back()
        for run_id in left:
            kill_marked(RUN_MARKER, run_id, most_seconds=1.0)
        self._flusher.close()

    def _give_back(self) -> None:
        """Queue what is left; where the store does not answer, others find our lease dead and do it."""
        if self._lease is None:
            return
        lease, self._lease = self._lease, None
        try:
            self._parts.store.write(lambda tx: claims.requeue(tx, lease.name))
            self._leases.release(lease)
        except TaxiwayError as error:
            self._parts.log.warning("runs could not be given back", error=error.detail)

    def active(self) -> int:
        """How many runs it works on."""
        return len(self._active)

    def _fence_off(self) -> list[str]:
        """Nothing that still runs here may write any more; returns the ids of these runs."""
        with self._lock:
            controls = list(self._active.values())
            self._active = {}
        for control in controls:
            control.fenced = True
            control.cancelled.set()
        return [control.claim.run_id for control in controls]

    def _loop(self) -> None:
        checked_at, complained = float("-inf"), False
        while True:
            self._wake.clear()
            if self._stopping:
                return
            try:
                if time.monotonic() - checked_at >= self._poll:
                    checked_at = time.monotonic()
                    self._look_around()
                    self._mind_the_clock()
                self._steer()
                self._take()
                complained = False
            except TaxiwayError as error:
                if not complained:
                    self._parts.log.warning("the run engine cannot use the store", error=error.detail)
                complained = True
                self._wake.wait(1.0)
            except Exception:
                self._parts.log.exception("the run engine failed and goes on")
                self._wake.wait(1.0)
            self._wake.wait(max(0.01, min(self._rest, checked_at + self._poll - time.monotonic())))

    def _executor(self) -> str:
        """The name under which this engine claims. A lost lease means a new name, and that all work here is over."""
        if self._lease is not None and not self._lease.halt.is_set():
            return self._lease.name
        if self._lease is not None:
            self._parts.log.warning("the lease of this worker was lost: others took over its runs")
            self._fence_off()
        self._lease = self._leases.try_acquire(f"executor:{self._parts.new_id()}")
        assert self._lease is not None, "a fresh name is free"
        return self._lease.name

    def _look_around(self) -> None:
        executor = self._executor()
        with self._lock:
            active = set(self._active)
        held = self._held()
        for name in sorted(set(held.values()) - {executor}):
            taken = self._parts.store.write(partial(claims.take_over, leases=self._leases, executor=name))
            if taken:
                self._parts.log.info("took over the runs of a worker that died", worker=name, runs=taken)
            for run_id in taken:
                self._parts.signals.notify(f"run:{run_id}")
        self._find_forgotten(executor, {run_id for run_id, name in held.items() if name == executor} - active)

    def _held(self) -> dict[str, str]:
        # Who lives has to be looked at again and again; what they hold only after a commit.
        version = self._parts.store.version()
        if version is None or version != self._held_at:
            self._known_held, self._held_at = claims.held(self._parts.store), version
        return self._known_held

    def _find_forgotten(self, executor: str, here: set[str]) -> None:
        """Queue the runs that name us and that no thread here works on: none may say that it runs when it does not. One
        that was `here` in one look only may have been begun or ended meanwhile."""
        for run_id in here & self._forgotten:
            self._parts.log.error("a run had nobody who works on it, and is queued again", run=run_id)
            self._parts.store.write(partial(claims.requeue, executor=executor, only=run_id))
            self._parts.signals.notify(f"run:{run_id}")
        self._forgotten = here

    def _mind_the_clock(self) -> None:
        """Where the wall clock was put back, timers that were set by it would be late by as much. At the start nobody
        knows whether it was, so they are looked at as well."""
        ahead = self._parts.clock.now() / MICROSECONDS - self._parts.clock.monotonic()
        if ahead < self._ahead - JUMP_SECONDS:
            early = self._parts.store.write(claims.queue_early)
            if early:
                self._parts.log.info("parked runs look again: the clock may have been put back", runs=early)
        self._ahead = ahead

    def _steer(self) -> None:
        if not self._active:
            return
        for run_id in claims.cancelling_of(self._parts.store, self._executor()):
            control = self._active.get(run_id)
            if control is not None and not control.cancelled.is_set():
                control.cancelled.set()
                name = f"cancel-{run_id}"
                threading.Thread(target=self._end_processes, args=(control,), name=name, daemon=True).start()

    def _end_processes(self, control: Control) -> None:
        """End what the run started, again and again until its step has returned."""
        grace = CANCEL_GRACE_SECONDS
        while not control.done.is_set():
            kill_marked(RUN_MARKER, control.claim.run_id, grace_seconds=grace)
            grace = 0.0
            control.done.wait(0.2)

    def _kinds(self) -> list[str]:
        return sorted(self._parts.handlers)

    def _take(self) -> None:
        self._rest = self._poll
        free = self._workers - len(self._active)
        if free <= 0 or self._stopping or not self._parts.handlers:
            return
        ready, next_wake = self._work_there()
        now = self._parts.clock.now()
        if next_wake is not None and next_wake <= now:
            ready = bool(self._parts.store.write(claims.queue_due)) or ready
        elif next_wake is not None:
            self._rest = min(self._poll, (next_wake - now) / MICROSECONDS)
        if not ready:
            return
        executor, kinds = self._executor(), self._kinds()
        for claim in self._parts.store.write(lambda tx: claims.claim_runs(tx, executor, kinds, free)):
            self._spawn(claim)

    def _work_there(self) -> tuple[bool, int | None]:
        version = self._parts.store.version()
        if version is None or version != self._idle_at:
            found = claims.is_work(self._parts.store, self._kinds())
            self._next_wake, self._idle_at = found[1], None if found[0] else version
            return found
        return False, self._next_wake

    def _spawn(self, claim: Claim) -> None:
        control = Control(claim)
        with self._lock:
            self._active[claim.run_id] = control
        threading.Thread(target=self._work, args=(control,), name=f"run-{claim.run_id}", daemon=True).start()

    def _work(self, control: Control) -> None:
        run_id = control.claim.run_id
        try:
            self._execute(control)
        finally:
            control.done.set()
            with self._lock:
                if self._active.get(run_id) is control:
                    del self._active[run_id]
            if not self._stopping:
                self._wake.set()

    def _execute(self, control: Control) -> None:
        """One segment. A store that fails meanwhile is waited for: the run is given back once it answers."""
        try:
            return Segment(self._parts, control, self._flusher).execute()
        except FencedError:
            self._parts.log.info("a run was taken by another worker", run=control.claim.run_id)
            return None
        except Exception as error:
            detail = error.detail if isinstance(error, TaxiwayError) else repr(error)
            self._parts.log.error("a run was interrupted and is queued again", run=control.claim.run_id, error=detail)
        pause = 0.5
        while not self._stopping and not control.fenced:
            try:
                self._parts.store.write(lambda tx: claims.give_back(tx, control.claim))
                return None
            except FencedError:
                return None
            except Exception as error:
                if not isinstance(error, TaxiwayError):
                    self._parts.log.exception("a run cannot be given back", run=control.claim.run_id)
                threading.Event().wait(pause)
                pause = min(MOST_PAUSE_SECONDS, pause * 2)
        return None
