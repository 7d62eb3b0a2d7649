"""Brings a slot (one service in one environment) to its desired generation, with no request lost on the way.

`converge` compares what is on disk and in /proc with what is wanted, so it may be killed at any moment and called
again. The order makes each state safe: new instance → ready → `current.json` names it (the commit point) → routes →
old one drained → old one stopped. Every instance that is not the current one is stopped in the end, so exactly one
process set is left: of the desired generation, or of the old one when the new never became ready.

It waits for readiness and draining; callers run it in a thread per slot, never in a request.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from taxiway.plugins.process import files, logs, routes
from taxiway.plugins.process.readiness import foreign_port, not_ready_reason, wait_ready
from taxiway.plugins.process.spec import Instance, Workload
from taxiway.plugins.process.supervisor import (
    PORT_RANGE,
    PortInUseError,
    ProcessError,
    Secret,
    create_instance,
    is_gone,
    is_retired,
    list_instances,
    locked,
    no_secret,
    start_instance,
    stop_instance,
)

KEPT_INSTANCES = 3
LOG_LINES = 30
START_ATTEMPTS = 5


@dataclass(frozen=True)
class Address:
    """Where the router answers for the workload: requests to `host` below `path` go to the port named `port`."""

    host: str
    path: str = "/"
    port: str | None = None


@dataclass(frozen=True)
class Desired:
    """What a slot shall run. `generation` identifies the workload: an equal one is never started a second time."""

    generation: str
    workload: Workload
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True)
class Site:
    """The folders and times of one data folder. `router` None: workloads get no addresses. `secret` gives values."""

    root: Path
    router: Path | None = None
    ports: tuple[int, int] = PORT_RANGE
    ready_seconds: float = 60.0
    drain_seconds: float = 10.0
    secret: Secret = no_secret


@dataclass(frozen=True)
class Outcome:
    """How a slot stands. `running`: the desired generation serves; `kept`: the old one does, `error` says why;
    `failed`: nothing runs, `error` says why. `log` are the last lines of the instance that did not become ready."""

    state: Literal["running", "kept", "failed"]
    instance: Instance | None
    is_ready: bool
    error: str = ""
    log: tuple[str, ...] = field(default=())


def converge(
    site: Site, slot: str, desired: Desired, retry: bool = False, cancelled: Callable[[], bool] = lambda: False
) -> Outcome:
    """Make it so, and say how it stands. A generation that failed before is tried again only with `retry`."""
    with locked(site.root / slot / "converge.lock"):
        _finish_stops(site, slot)
        current = _current(site, slot)
        if current is not None and current.generation == desired.generation:
            current = _running(site, slot, current, desired)
            _commit(site, slot, current, desired)
            _forget_failure(site, slot)
            _stop_others(site, slot, current)
            reason = not_ready_reason(current)
            return Outcome("running", current, not reason, reason)
        if current is not None:
            _keep_alive(site, current)
        failure = _failure(site, slot)
        if failure is not None and failure["generation"] == desired.generation and not retry:
            _stop_others(site, slot, current)
            return _failed(current, failure)
        return _switch(site, slot, current, desired, cancelled)


def remove(site: Site, slot: str) -> None:
    """End everything of the slot and forget it: routes, processes, files. Idempotent."""
    if not (site.root / slot).exists():
        return
    with locked(site.root / slot / "converge.lock"):
        if site.router is not None:
            routes.wait_loaded(site.router, routes.set_routes(site.router, slot, ()))
        for instance in list_instances(site.root, slot):
            stop_instance(instance)
        shutil.rmtree(site.root / slot)


def keep(site: Site, slot: str) -> Instance | None:
    """Let the instance that serves go on, or bring it back, when the desired state cannot even be prepared."""
    with locked(site.root / slot / "converge.lock"):
        _finish_stops(site, slot)
        current = _current(site, slot)
        if current is not None:
            _keep_alive(site, current)
        _stop_others(site, slot, current)
        return current


def current_instance(site: Site, slot: str) -> Instance | None:
    """The instance that serves, whether it runs now or not."""
    return _current(site, slot)


def _switch(
    site: Site, slot: str, current: Instance | None, desired: Desired, cancelled: Callable[[], bool]
) -> Outcome:
    wanted = [one for one in _open(site, slot) if one.generation == desired.generation]
    try:
        new = (
            wanted[-1] if wanted else create_instance(site.root, slot, desired.generation, desired.workload, site.ports)
        )
        for _ in range(START_ATTEMPTS):
            new = _running(site, slot, new, desired)
            reason = wait_ready(new, site.ready_seconds, cancelled)
            if not reason or not foreign_port(new):
                break
    except (ValueError, ProcessError) as error:
        return _give_up(site, slot, current, desired, None, str(error))
    if reason and cancelled():
        return Outcome("kept" if current else "failed", current, False, "cancelled before the new one was ready")
    if reason:
        return _give_up(site, slot, current, desired, new, reason)
    _commit(site, slot, new, desired)
    _forget_failure(site, slot)
    _stop_others(site, slot, new)
    return Outcome("running", new, True)


def _running(site: Site, slot: str, instance: Instance, desired: Desired) -> Instance:
    """The instance with a shim at work, or its successor on other ports when a foreign process has its port."""
    for _ in range(START_ATTEMPTS):
        with contextlib.suppress(PortInUseError):
            start_instance(instance, secret=site.secret)
            if not foreign_port(instance):
                return instance
        stop_instance(instance)
        instance = create_instance(site.root, slot, desired.generation, desired.workload, site.ports)
    raise PortInUseError(f"{START_ATTEMPTS} ports in a row were taken; look for a program that listens on many ports")


def _keep_alive(site: Site, instance: Instance) -> None:
    """The old instance serves on during a switch, also after a reboot; it is no reason to fail when it cannot."""
    with contextlib.suppress(ProcessError):
        start_instance(instance, secret=site.secret)


def _commit(site: Site, slot: str, instance: Instance, desired: Desired) -> None:
    path = str(site.root / slot / "current.json")
    if files.read_json(path) != {"instance": instance.id}:
        files.write_json(path, {"instance": instance.id})
    if site.router is None:
        return
    table = []
    for one in desired.addresses:
        port = instance.port(one.port)
        if port is None:
            raise ProcessError(f"{one.host} points to port {one.port}, which the workload does not have")
        table.append(routes.Route(one.host, one.path, port, instance.generation, str(instance.folder)))
    routes.wait_loaded(site.router, routes.set_routes(site.router, slot, table))


def _stop_others(site: Site, slot: str, keep: Instance | None) -> None:
    """Drain and stop every other instance, then remove the folders of the oldest ones."""
    others = [one for one in _open(site, slot) if keep is None or one.id != keep.id]
    if others and site.router is not None:
        ports = [int(port["port"]) for one in others for port in one.spec["ports"]]
        routes.wait_drained(site.router, ports, site.drain_seconds)
    for one in others:
        stop_instance(one)
    stopped = [one for one in list_instances(site.root, slot) if is_retired(one)]
    for one in stopped[:-KEPT_INSTANCES]:
        shutil.rmtree(one.folder)


def _finish_stops(site: Site, slot: str) -> None:
    """Complete what a killed predecessor had begun."""
    for one in list_instances(site.root, slot):
        if is_retired(one) and not is_gone(one):
            stop_instance(one)
    for left in (site.root / slot / "instances").glob(".new-*"):
        shutil.rmtree(left, ignore_errors=True)


def _open(site: Site, slot: str) -> list[Instance]:
    return [one for one in list_instances(site.root, slot) if not is_retired(one)]


def _current(site: Site, slot: str) -> Instance | None:
    named = files.read_json(str(site.root / slot / "current.json")) or {}
    return next((one for one in _open(site, slot) if one.id == named.get("instance")), None)


def _give_up(
    site: Site, slot: str, current: Instance | None, desired: Desired, new: Instance | None, reason: str
) -> Outcome:
    lines = [line.text for line in logs.tail(new.folder, LOG_LINES)] if new else []
    failure = {"generation": desired.generation, "error": reason, "log": lines}
    files.write_json(str(site.root / slot / "failure.json"), failure)
    _stop_others(site, slot, current)
    return _failed(current, failure)


def _failed(current: Instance | None, failure: Mapping[str, Any]) -> Outcome:
    is_ready = current is not None and not not_ready_reason(current)
    error = f"{failure['error']}. Look at the last log lines, correct the workload and deploy again"
    return Outcome("kept" if current else "failed", current, is_ready, error, tuple(failure["log"]))


def _failure(site: Site, slot: str) -> Mapping[str, Any] | None:
    value = files.read_json(str(site.root / slot / "failure.json"))
    return value if isinstance(value, dict) else None


def _forget_failure(site: Site, slot: str) -> None:
    (site.root / slot / "failure.json").unlink(missing_ok=True)
