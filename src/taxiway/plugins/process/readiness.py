"""Whether an instance is ready for requests: Score's readiness probe, asked by the platform.

A probe that answers is not enough: the port must be held by a process of this very instance, so a foreign server on
the same port never counts as ready.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from taxiway.plugins.process import owner, procs
from taxiway.plugins.process.probe import http_failure
from taxiway.plugins.process.spec import Instance
from taxiway.plugins.process.supervisor import ProcessError, adopt, describe
from taxiway.plugins.process.usage import workload_processes

CRASHES = 4
STEADY_SECONDS = 1.0


def not_ready_reason(instance: Instance) -> str:
    """'' when the instance is ready now, else why it is not. Takes at most the probe's timeout."""
    state = adopt(instance.folder)
    if state is None:
        return "its shim does not run"
    if state["phase"] != "running" or state["pid"] is None:
        return f"the workload does not run: {describe(instance)}"
    for one in instance.spec["ports"]:
        if not holds_port(instance, int(one["port"])):
            return f"the workload does not listen on port {one['port']} (given in {', '.join(one['env'])})"
    probe = instance.spec["readiness"]
    timeout = float(instance.spec["probe_timing"]["timeout_seconds"])
    if probe and "httpGet" in probe:
        return http_failure(int(probe["httpGet"]["port"]), probe["httpGet"], timeout)
    if probe:
        return _exec_failure(instance, probe, timeout)
    return "" if instance.spec["ports"] else _steady(state)


def wait_ready(instance: Instance, timeout_seconds: float, cancelled: Callable[[], bool] = lambda: False) -> str:
    """Wait until ready; '' or why it did not become ready. Ends early when the workload crashes again and again."""
    deadline = time.monotonic() + timeout_seconds
    pause = 0.02
    while True:
        reason = not_ready_reason(instance)
        if not reason or cancelled():
            return reason
        state = adopt(instance.folder) or {}
        port = foreign_port(instance)
        if port:
            return f"port {port}, which it was given, was taken by another program"
        if int(state.get("restarts", 0)) >= CRASHES:
            return f"the workload ended {state['restarts']} times; last: {state['reason']}"
        if time.monotonic() >= deadline:
            return f"not ready after {timeout_seconds:g} s: {reason}"
        time.sleep(pause)
        pause = min(0.25, pause * 1.5)


def holds_port(instance: Instance, port: int) -> bool:
    """Whether a process of the instance listens on the port."""
    return _holds(instance, owner.listeners(port))


def foreign_port(instance: Instance) -> int:
    """A port of the instance on which only others listen, so that it cannot; 0 when there is none."""
    state = adopt(instance.folder) or {}
    for one in instance.spec["ports"]:
        sockets = owner.listeners(int(one["port"]))
        if sockets and (state.get("taken_port") or not _holds(instance, sockets)):
            return int(one["port"])
    return 0


def _holds(instance: Instance, sockets: set[str]) -> bool:
    return bool(sockets) and any(owner.holds(one.pid, sockets) for one in workload_processes(instance))


def _steady(state: Mapping[str, Any]) -> str:
    started = state["started_at"] or 0
    is_steady = time.time_ns() // 1000 - started >= STEADY_SECONDS * 1_000_000
    return "" if is_steady else f"the workload runs for less than {STEADY_SECONDS:g} s"


def _environment(instance: Instance) -> dict[bytes, bytes]:
    """The workload's own environment with its marker: spec.json lacks what depends on secrets."""
    state = adopt(instance.folder)
    if instance.spec.get("variables") and state is not None and state["pid"] is not None:
        lines = Path(f"/proc/{state['pid']}/environ").read_bytes().split(b"\0")
        return {name: value for name, _, value in (line.partition(b"=") for line in lines) if name}
    env = {**instance.spec["env"], procs.MARKER: instance.marker}
    return {name.encode(): str(value).encode() for name, value in env.items()}


def _exec_failure(instance: Instance, probe: Mapping[str, Any], timeout: float) -> str:
    spec = instance.spec
    user: dict[str, Any] = {}
    if spec["uid"] is not None and procs.is_root():
        user = {"user": spec["uid"], "group": spec["gid"], "extra_groups": []}
    argv = [str(one) for one in probe["exec"]["command"]]
    try:
        with subprocess.Popen(
            argv,
            env=_environment(instance),
            cwd=spec["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **user,
        ) as running:
            try:
                code = running.wait(timeout)
            except subprocess.TimeoutExpired:
                procs.kill_group(running.pid)
                return f"{argv[0]} gave no answer within {timeout:g} s"
    except OSError as error:
        raise ProcessError(f"the readiness command cannot run: {error}; correct the Score file") from error
    return "" if code == 0 else f"{argv[0]} exited with code {code}"
