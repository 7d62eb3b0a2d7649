"""The destination `process`: writes down what should run, and says how it stands. The keeper makes it so."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Sequence
from typing import Any

from taxiway.model.errors import InputError, NotFoundError, TaxiwayError
from taxiway.model.workload import (
    LogLine,
    ObjectKey,
    ObjectStatus,
    Target,
    WorkloadStatus,
    object_key,
)
from taxiway.plugins.process import desired, logs
from taxiway.plugins.process.bundle import (
    Bundle,
    backends,
    bundle_of,
    bundles,
    problem,
    unsupported,
)
from taxiway.plugins.process.job_keeper import JobKeeper
from taxiway.plugins.process.job_keeper import read_status as job_status
from taxiway.plugins.process.job_runner import ProcessJobs
from taxiway.plugins.process.keeper import Keeper
from taxiway.plugins.process.mounts import claim_name, drop_volume
from taxiway.plugins.process.place import read_status
from taxiway.plugins.process.readiness import not_ready_reason
from taxiway.plugins.process.shapes import misfit
from taxiway.plugins.process.spec import Instance
from taxiway.plugins.process.supervisor import (
    PortInUseError,
    ProcessError,
    adopt,
    is_retired,
    list_instances,
    read_state,
)
from taxiway.plugins.process.switch import current_instance
from taxiway.plugins.process.usage import Usage, cpu_percent, sample

PRUNE_SECONDS = 8.0
LOG_CHARACTERS = 700
CRASHES = 3
WORKLOAD_ID = re.compile(r"([a-z0-9-]+\.[a-z0-9-]+)\.([0-9]{6}-[A-Za-z0-9-]*)")


class ProcessDestination:
    """Implements `Destination`."""

    key = "process"

    def __init__(self, keeper: Keeper, job_keeper: JobKeeper, runner: ProcessJobs) -> None:
        self._keeper, self._job_keeper, self._runner = keeper, job_keeper, runner
        self._places = keeper.places
        self._samples: dict[str, Usage] = {}
        self._lock = threading.Lock()

    def apply(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        """Write the objects down and wake the keeper for what is not as it should be."""
        names = [str(item["metadata"]["name"]) for item in objects if item["kind"] == "Service"]
        for item in objects:
            if not _refusal(item):
                desired.put(self._places.desired, target.environment, item)
        # The keeper meets the same want of ports, and its status says it.
        with contextlib.suppress(PortInUseError):
            self._places.service_ports(target.environment, names)
        for slot, bundle in self._places.bundles(target.environment).items():
            if read_status(self._places, slot).get("digest") != bundle.digest:
                self._keeper.wake(slot)
        for slot, bundle in self._places.bundles(target.environment, "CronJob").items():
            if job_status(self._places, slot).get("digest") != bundle.digest:
                self._job_keeper.wake(slot)
        return self.observe(target, objects)

    def observe(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        stored = desired.objects(self._places.desired, target.environment)
        found, scheduled = bundles(target.environment, stored), bundles(target.environment, stored, "CronJob")
        return [self._status(target.environment, item, found, scheduled) for item in objects]

    def prune(self, target: Target, keys: Sequence[ObjectKey]) -> None:
        """Forget the objects, and end what is left without its Deployment or CronJob; waits some seconds for that."""
        before = self._places.bundles(target.environment)
        scheduled = {f"{key.name}.{target.environment}" for key in keys if key.kind == "CronJob"}
        touched = {bundle.slot for key in keys if (bundle := bundle_of(key, before)) is not None}
        for key in keys:
            desired.drop(self._places.desired, target.environment, key)
            if key.kind == "Service":
                self._places.drop_service_port(target.environment, key.name)
            if key.kind == "Deployment":
                touched.add(f"{key.name}.{target.environment}")
        deadline = time.monotonic() + PRUNE_SECONDS
        for keeper, slots in ((self._keeper, touched), (self._job_keeper, scheduled)):
            for slot in slots:
                keeper.wake(slot)
        for keeper, slots in ((self._keeper, touched), (self._job_keeper, scheduled)):
            for slot in slots:
                keeper.wait(slot, max(0.0, deadline - time.monotonic()))
        for key in keys:
            if key.kind == "PersistentVolumeClaim":
                drop_volume(self._places.volumes, claim_name(target.environment, key.name))

    def workloads(self, environment: str | None = None, service: str | None = None) -> Sequence[WorkloadStatus]:
        site, wanted = self._places.site(), self._places.bundles()
        found = []
        by_slot: dict[str, list[Instance]] = {}
        for instance in list_instances(site.root):
            by_slot.setdefault(instance.folder.parent.parent.name, []).append(instance)
        for slot, instances in by_slot.items():
            name, _, where = slot.rpartition(".")
            bundle = wanted.get(slot)
            known = bundle.service if bundle else name
            if environment not in (None, where) or service not in (None, known):
                continue
            current = current_instance(site, slot)
            failed = read_status(self._places, slot).get("state") in ("failed", "kept")
            shown = [one for one in instances if not is_retired(one)]
            if failed and instances[-1] not in shown:
                shown.append(instances[-1])
            found += [self._workload(one, where, known, current, bundle) for one in shown]
        return found

    def logs(self, workload_id: str, after: int, limit: int) -> Sequence[LogLine]:
        matched = WORKLOAD_ID.fullmatch(workload_id)
        instances = list_instances(self._places.site().root, matched[1]) if matched else []
        for instance in instances:
            if matched is not None and instance.id == matched[2]:
                lines = logs.read(instance.folder, after, limit)
                return [LogLine(line.seq, None, "stdout", line.text) for line in lines]
        raise NotFoundError(f"no workload {workload_id} is here: it was replaced or removed; list the workloads again")

    def _status(
        self, environment: str, item: Any, found: dict[str, Bundle], scheduled: dict[str, Bundle]
    ) -> ObjectStatus:
        key, refused = object_key(item), _refusal(item)
        if refused:
            return ObjectStatus(key, False, "degraded", refused)
        stored = desired.get(self._places.desired, environment, key)
        if stored is None:
            return ObjectStatus(key, False, "missing")
        if stored != desired.normal(item):
            return ObjectStatus(key, False, "progressing", "another version is applied")
        if key.kind == "CronJob":
            return self._runner.health(key, scheduled[f"{key.name}.{environment}"])
        bundle = bundle_of(key, found)
        if key.kind == "Deployment" and bundle is not None:
            return self._deployment(key, bundle)
        if key.kind == "HTTPRoute":
            return self._route(key, item, bundle)
        if key.kind == "Service":
            try:
                port = self._places.service_ports(environment, [key.name])[key.name]
            except PortInUseError as error:
                return ObjectStatus(key, True, "degraded", str(error))
            if self._places.has_stranger(port):
                text = f"another program holds port {port}, at which other services reach it: end that program"
                return ObjectStatus(key, True, "degraded", text)
            return ObjectStatus(key, True, "healthy", url=f"http://127.0.0.1:{port}")
        if key.kind == "ExternalSecret":
            return self._secret(key, item)
        return ObjectStatus(key, True, "healthy")

    def _deployment(self, key: ObjectKey, bundle: Bundle) -> ObjectStatus:
        status = read_status(self._places, bundle.slot)
        refused = problem(bundle)
        if refused:
            return ObjectStatus(key, True, "degraded", refused)
        if status.get("digest") != bundle.digest:
            return ObjectStatus(key, True, "progressing", "the new version is being started")
        if status["state"] == "suspended":
            return ObjectStatus(key, True, "suspended", "it is scaled to 0")
        url = self._url(bundle)
        if status["state"] != "running":
            tail = "\n".join(status["log"])[-LOG_CHARACTERS:]
            text = f"{status['message']}\n{tail}".strip()
            return ObjectStatus(key, True, "degraded", text, url if status["state"] == "kept" else None)
        current = current_instance(self._places.site(), bundle.slot)
        reason = "it is being started" if current is None else _not_ready(current)
        if not reason:
            more = bundle.replicas > 1
            return ObjectStatus(key, True, "healthy", "one process runs, whatever 'replicas' says" if more else "", url)
        state = (current and read_state(current.folder)) or {}
        is_crashing = state.get("phase") == "backoff" and int(state.get("restarts", 0)) >= CRASHES
        return ObjectStatus(key, True, "degraded" if is_crashing else "progressing", reason, url)

    def _route(self, key: ObjectKey, item: Any, bundle: Bundle | None) -> ObjectStatus:
        if bundle is None:
            names = ", ".join(backends(item)) or "no service"
            return ObjectStatus(key, True, "progressing", f"no workload stands behind {names} yet")
        url = self._url(bundle, item)
        if url is None:
            return ObjectStatus(key, True, "progressing", "the router is being started")
        status = read_status(self._places, bundle.slot)
        is_known = status.get("digest") == bundle.digest
        if is_known and status["state"] == "failed":
            return ObjectStatus(key, True, "degraded", "the workload behind it does not run", url)
        if is_known and status["state"] == "suspended":
            return ObjectStatus(key, True, "suspended", "the workload behind it is scaled to 0", url)
        is_routed = is_known and status["state"] in ("running", "kept")
        return ObjectStatus(key, True, "healthy" if is_routed else "progressing", url=url)

    def _secret(self, key: ObjectKey, item: Any) -> ObjectStatus:
        try:
            for entry in item["spec"].get("data") or ():
                self._places.secret(str(entry["remoteRef"]["key"]))
        except (ProcessError, TaxiwayError, KeyError, TypeError) as error:
            return ObjectStatus(key, True, "degraded", f"a secret cannot be read: {error}")
        return ObjectStatus(key, True, "healthy")

    def _url(self, bundle: Bundle, route: Any = None) -> str | None:
        for one in [route] if route is not None else bundle.routes:
            hosts = (one.get("spec") or {}).get("hostnames") or ()
            rules = (one.get("spec") or {}).get("rules") or [{}]
            matches = rules[0].get("matches") or [{}]
            if hosts:
                return self._places.url(str(hosts[0]), str((matches[0].get("path") or {}).get("value", "/")))
        return None

    def _workload(
        self, instance: Instance, environment: str, service: str, current: Instance | None, bundle: Bundle | None
    ) -> WorkloadStatus:
        live, state = adopt(instance.folder), read_state(instance.folder) or {}
        reason = _not_ready(instance)
        usage, percent = self._usage(instance) if live is not None else (None, None)
        slot = instance.folder.parent.parent.name
        is_current = current is not None and current.id == instance.id
        return WorkloadStatus(
            id=f"{slot}.{instance.id}",
            name=slot.rpartition(".")[0],
            environment=environment,
            service=service,
            state=str(state.get("phase", "starting")) if live is not None else "stopped",
            ready=not reason,
            generation=instance.generation,
            pid=live["pid"] if live is not None else None,
            port=instance.port(),
            restarts=int(state.get("restarts", 0)),
            cpu_percent=percent,
            memory_bytes=usage.memory_bytes if usage is not None and usage.processes else None,
            started_at=state.get("started_at"),
            url=self._url(bundle) if is_current and bundle is not None else None,
            message=reason,
        )

    def _usage(self, instance: Instance) -> tuple[Usage, float | None]:
        now = sample(instance)
        with self._lock:
            before = self._samples.get(instance.marker)
            self._samples[instance.marker] = now
            while len(self._samples) > 1000:
                self._samples.pop(next(iter(self._samples)))
        return now, cpu_percent(before, now) if before is not None else None


def _not_ready(instance: Instance) -> str:
    try:
        return not_ready_reason(instance)
    except (ProcessError, OSError) as error:
        return str(error)


def _refusal(item: Any) -> str:
    """'' or why the object cannot be taken."""
    refused = unsupported(item)
    if refused:
        return refused
    try:
        desired.checked_name(str(item["metadata"]["name"]))
    except InputError as error:
        return error.detail
    wrong = misfit(item)
    return f"{wrong}: correct the manifest" if wrong else ""
