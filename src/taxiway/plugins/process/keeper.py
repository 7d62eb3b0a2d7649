"""Keeps every workload of a data folder as it should be: a thread per slot while there is something to do.

`wake` is called by `apply` and `prune`; the background service looks at all slots every two seconds, so that what a
crash or another process left undone is done. All truth is on disk; the locks of the switch keep two processes apart.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from taxiway.model.errors import TaxiwayError
from taxiway.plugin import PluginContext
from taxiway.plugins.process import files, jobs, pod, release, routes
from taxiway.plugins.process.bell import ring
from taxiway.plugins.process.bundle import Bundle, problem
from taxiway.plugins.process.place import Places, read_status
from taxiway.plugins.process.preparing import prepare
from taxiway.plugins.process.slots import Slots
from taxiway.plugins.process.supervisor import (
    BusyError,
    ProcessError,
    adopt,
    halt_instance,
    is_retired,
    list_instances,
)
from taxiway.plugins.process.switch import Desired, Outcome, converge, current_instance, keep, remove

TURN_SECONDS = 2.0
FULL_SECONDS = 30.0
RETRY_SECONDS = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
JOIN_SECONDS = 3.0
SHORTEST_SECRET = 4


@dataclass
class _Retry:
    """When a failed state is tried again. Losing it costs one early try."""

    digest: str
    attempts: int
    due: float


class Keeper:
    """One per process. Also background service and host engine `process`."""

    key = "process"
    exclusive = True

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx
        self.places = Places.of(ctx)
        self._slots = Slots("process", self._settle, self._fault, self._is_over, ctx.log)
        self._retries: dict[str, _Retry] = {}
        self._checked: dict[str, float] = {}
        self._stop = threading.Event()

    def wake(self, slot: str) -> None:
        """Look at the slot soon, in a thread of its own. Never blocks."""
        self._slots.wake(slot)

    def wait(self, slot: str, seconds: float) -> bool:
        """Whether nothing is left to do for the slot, within `seconds`."""
        return self._slots.wait(slot, seconds)

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        """The background service: brings everything back, then looks every two seconds."""
        self._stop = stop
        self.places.halted.unlink(missing_ok=True)
        ring(str(self.places.bell))
        while not stop.is_set():
            try:
                self.turn()
            except (ProcessError, TaxiwayError, OSError) as error:
                self._ctx.log.warning("process.turn_failed", reason=str(error))
            stop.wait(TURN_SECONDS)
        self._slots.join(JOIN_SECONDS)

    def turn(self) -> None:
        """One look: the router, then every slot that is not as it should be, then what nobody needs any more."""
        if self.places.halted.exists():
            return
        wanted, there = self.places.bundles(), self._there()
        if wanted:
            try:
                routes.ensure_router(self.places.router, self._ctx.settings.router_port)
            except ProcessError as error:
                # Each slot says so in its status; the workloads themselves need no router to come back.
                self._ctx.log.warning("process.no_router", reason=str(error))
        elif not there:
            routes.stop_router(self.places.router)
        for slot in sorted({*wanted, *there}):
            if not self._is_settled(slot, wanted.get(slot)):
                self.wake(slot)
        release.forget(self.places.workshop, self._used)

    def halt(self) -> None:
        """End all workloads and the router, and wait for it. What should run stays written down."""
        files.write_json(str(self.places.halted), True)
        self._slots.join(JOIN_SECONDS)
        instances = [one for one in list_instances(self.places.site().root) if not is_retired(one)]
        instances += jobs.unfinished(self.places)
        threads = [threading.Thread(target=halt_instance, args=(one,)) for one in instances]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        routes.stop_router(self.places.router)

    def _is_over(self) -> bool:
        return self._stop.is_set() or self.places.halted.exists()

    def _there(self) -> set[str]:
        """Whatever has left something on disk."""
        folders = (self.places.site().root, self.places.home("x").parent, self.places.written("x").parent)
        found = {path.name for folder in folders for path in folder.glob("[!.]*") if path.is_dir()}
        return found | {path.stem for path in self.places.status("x").parent.glob("*.json")}

    def _is_settled(self, slot: str, bundle: Bundle | None) -> bool:
        """Whether nothing is to be done now. Cheap: some small files, no process is started."""
        if bundle is None:
            return False
        status, moment = read_status(self.places, slot), time.monotonic()
        if status.get("digest") != bundle.digest:
            return False
        retry = self._retries.get(slot)
        if status["state"] in ("failed", "kept"):
            return retry is not None and retry.digest == bundle.digest and moment < retry.due
        if status["state"] == "suspended":
            return not (self.places.site().root / slot).exists()
        current = current_instance(self.places.site(), slot)
        is_due = moment - self._checked.get(slot, -FULL_SECONDS) >= FULL_SECONDS
        state = adopt(current.folder) if current is not None else None
        return state is not None and not state.get("taken_port") and not is_due

    def _used(self) -> set[str]:
        """The releases that something desired or an open instance uses."""
        used = jobs.used(self.places) | {one.artifact for one in self.places.bundles().values() if not problem(one)}
        for instance in list_instances(self.places.site().root):
            if not is_retired(instance):
                used.add(instance.spec["env"].get("VIRTUAL_ENV", "").rpartition("/venv-")[0].rpartition("/")[2])
        return used

    def _fault(self, slot: str) -> None:
        with contextlib.suppress(Exception):
            bundle = self.places.bundle(slot)
            if bundle is not None:
                text = "this destination failed on the workload: see the log of the server"
                self._finish(slot, bundle, "", Outcome("failed", None, False, text))

    def _settle(self, slot: str) -> None:
        bundle = self.places.bundle(slot)
        if bundle is None or bundle.replicas == 0:
            self._remove(slot)
            release.forget(self.places.workshop, self._used)
            if bundle is not None:
                self._note(slot, bundle, "", "suspended", "")
            return
        self._checked[slot] = time.monotonic()
        cancelled = self._cancelled(slot, bundle.digest)
        generation = ""
        values: dict[str, str] = {}
        try:
            routes.ensure_router(self.places.router, self._ctx.settings.router_port)
            wanted, values = self._prepare(slot, bundle, cancelled)
            generation = wanted.generation
            outcome = converge(self.places.fixed(values), slot, wanted, self._is_retry(slot, bundle.digest), cancelled)
        except BusyError as error:
            # Whoever holds it does the same work; the next turn looks at what came of it.
            self._ctx.log.debug("process.busy", slot=slot, reason=str(error))
            return
        except (ProcessError, TaxiwayError, OSError, ValueError) as error:
            if cancelled():
                return
            kept = None
            with contextlib.suppress(ProcessError, OSError):
                kept = keep(self.places.site(), slot)
            text = error.detail if isinstance(error, TaxiwayError) else str(error)
            outcome = Outcome("kept" if kept else "failed", kept, False, text)
        if not cancelled():
            self._finish(slot, bundle, generation, _masked(outcome, values.values()))

    def _prepare(self, slot: str, bundle: Bundle, cancelled: Callable[[], bool]) -> tuple[Desired, dict[str, str]]:
        """What is to run, and the values of its secrets."""
        places = self.places
        ready = prepare(places, bundle, places.make_home(slot), places.written(slot), cancelled)
        names = [str(one["metadata"]["name"]) for one in bundle.services]
        addresses = pod.addresses(bundle, places.service_ports(bundle.environment, names))
        return Desired(ready.generation, ready.workload, addresses), ready.values

    def _remove(self, slot: str) -> None:
        remove(self.places.site(), slot)
        for folder in (self.places.home(slot), self.places.written(slot)):
            shutil.rmtree(folder, ignore_errors=True)
        self.places.status(slot).unlink(missing_ok=True)
        self._retries.pop(slot, None)

    def _cancelled(self, slot: str, digest: str) -> Callable[[], bool]:
        def cancelled() -> bool:
            if self._is_over():
                return True
            now = self.places.bundle(slot)
            return now is None or now.digest != digest

        return cancelled

    def _is_retry(self, slot: str, digest: str) -> bool:
        retry = self._retries.get(slot)
        return retry is not None and retry.digest == digest and time.monotonic() >= retry.due

    def _finish(self, slot: str, bundle: Bundle, generation: str, outcome: Outcome) -> None:
        if outcome.state == "running":
            self._retries.pop(slot, None)
        else:
            before = self._retries.get(slot)
            attempts = before.attempts + 1 if before is not None and before.digest == bundle.digest else 0
            pause = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS) - 1)]
            self._retries[slot] = _Retry(bundle.digest, attempts, time.monotonic() + pause)
            self._ctx.log.warning("process.not_running", slot=slot, state=outcome.state, reason=outcome.error)
        self._note(slot, bundle, generation, outcome.state, outcome.error, list(outcome.log))

    def _note(
        self, slot: str, bundle: Bundle, generation: str, state: str, message: str, log: list[str] | None = None
    ) -> None:
        path = self.places.status(slot)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        status: dict[str, Any] = {
            "digest": bundle.digest,
            "generation": generation,
            "state": state,
            "message": message,
            "log": log or [],
        }
        if read_status(self.places, slot) != status:
            files.write_json(str(path), status)


def _masked(outcome: Outcome, secrets: Iterable[str]) -> Outcome:
    """The outcome without the secrets that a workload may have printed: it is shown and stored elsewhere."""
    lines = [outcome.error, *outcome.log]
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            lines = [line.replace(secret, "********") for line in lines]
    return replace(outcome, error=lines[0], log=tuple(lines[1:]))
