"""Starts, adopts, stops and lists workload instances. The platform's side of the shim.

What is on disk and in /proc is the truth; nothing is remembered between calls, so a restarted Taxiway sees the same.
Layout: ROOT/<slot>/instances/<seq>-<generation>/{spec.json, state.json, lock, stop, log}. `stop` is the lasting wish
that this instance never runs again. Waiting is bounded in every function.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from taxiway.plugins.process import files, procs
from taxiway.plugins.process.spec import Instance, Workload, handed_over, instance_spec

SHIM = Path(__file__).with_name("shim.py")
PORT_RANGE = (20000, 29999)
"""Below the kernel's ephemeral range, so that outgoing connections never sit on a workload's port."""
LOCKED_EXIT = 75
START_SECONDS = 10.0
KILL_SECONDS = 5.0
LAUNCHES = 3
Secret = Callable[[str], str]
JOB_ENDS = ("succeeded", "failed")
ENDED_PHASES = ("stopped", *JOB_ENDS)
STARTED_PHASES = ("running", "backoff", "restarting", "stopping", "stopped")


class ProcessError(Exception):
    """A workload or the router could not be brought to the wanted state. The message says what to do next."""


class BusyError(ProcessError):
    """Another Taxiway process works on it right now."""


class PortInUseError(ProcessError):
    """A port that must be ours is held by another process."""


def no_secret(reference: str) -> str:
    """For instances without secrets."""
    raise ProcessError(f"the secret {reference} cannot be read here; let the running Taxiway start the workload")


@contextmanager
def locked(path: Path, timeout_seconds: float = 30.0) -> Iterator[None]:
    """Hold the lock file; BusyError when another process keeps it for longer than the timeout."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = files.try_lock(str(path), timeout_seconds)
    if descriptor is None:
        raise BusyError(f"{path} is locked by another Taxiway process; wait for it to end, then try again")
    try:
        yield
    finally:
        os.close(descriptor)


def create_instance(
    root: Path, slot: str, generation: str, workload: Workload, ports: tuple[int, int] = PORT_RANGE
) -> Instance:
    """Make the folder of a new instance with free ports. Not started yet. Complete or absent after a crash."""
    with locked(root / "ports.lock"):
        folder = root / slot / "instances"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        seq = 1 + max((one.seq for one in list_instances(root, slot)), default=0)
        name = f"{seq:06d}-{re.sub(r'[^A-Za-z0-9]+', '-', generation)[:24].strip('-')}"
        chosen = _free_ports(root, len(workload.ports), ports)
        spec = instance_spec(workload, f"{slot}/{name}", generation, uuid.uuid4().hex, chosen)
        temporary = folder / f".new-{name}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(mode=0o700)
        files.write_json(str(temporary / "spec.json"), spec)
        temporary.rename(folder / name)
        files.sync_folder(str(folder))
        return Instance(folder / name, seq, spec)


def _free_ports(root: Path, count: int, bounds: tuple[int, int]) -> list[int]:
    """Ports that no instance has and nobody listens on. The caller holds ports.lock until the spec is on disk."""
    taken = {port["port"] for one in list_instances(root) if not is_retired(one) for port in one.spec["ports"]}
    low, high = bounds
    start = random.randrange(high - low + 1)  # noqa: S311 - spreads, protects nothing
    chosen: list[int] = []
    for step in range(high - low + 1):
        if len(chosen) == count:
            break
        port = low + (start + step) % (high - low + 1)
        if port not in taken and is_port_free(port):
            chosen.append(port)
    if len(chosen) < count:
        raise PortInUseError(
            f"between {low} and {high} {count} free ports are needed and {len(chosen)} left: end what holds them, "
            "delete workloads, or widen the range (plugins.process.first_port, last_port)"
        )
    return chosen


def is_port_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1 and this port now."""
    with socket.socket() as probe:
        # As servers do: connections in TIME_WAIT do not hold a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def list_instances(root: Path, slot: str | None = None) -> list[Instance]:
    """All instances on disk, or those of one slot, oldest first within a slot."""
    pattern = f"{slot or '*'}/instances/[0-9]*/spec.json"
    found = []
    for path in sorted(root.glob(pattern)):
        spec = files.read_json(str(path))
        if isinstance(spec, dict):
            found.append(Instance(path.parent, int(path.parent.name.split("-")[0]), spec))
    return found


def read_state(folder: Path) -> Mapping[str, Any] | None:
    """What the shim wrote last (phase, pid, start_ticks, restarts, exit_code, …); None before its first start."""
    value = files.read_json(str(folder / "state.json"))
    return value if isinstance(value, dict) else None


def is_retired(instance: Instance) -> bool:
    """Whether this instance is never to run again."""
    return (instance.folder / "stop").exists()


def ended_job(folder: Path) -> Mapping[str, Any] | None:
    """The state of a job that succeeded or failed for good; None while it has not. Such a job never runs again."""
    state = read_state(folder)
    return state if state is not None and state.get("phase") in JOB_ENDS else None


def adopt(folder: Path) -> Mapping[str, Any] | None:
    """The state of an instance whose shim lives (lock held, pid and start time match); None when it does not."""
    lock = folder / "lock"
    if not files.is_locked(str(lock)):
        return None
    holder = files.read_holder(str(lock))
    state = read_state(folder)
    if holder is None or state is None or state["shim_pid"] != holder[0] or not procs.is_alive(*holder):
        return None
    return state


def start_instance(
    instance: Instance, timeout_seconds: float = START_SECONDS, secret: Secret = no_secret
) -> Mapping[str, Any]:
    """Make sure that a shim runs for the instance, and return its state once the workload was started.

    Idempotent: with a shim at work it only waits. PortInUseError when another process took the instance's port.
    """
    deadline = time.monotonic() + timeout_seconds
    launches = 0
    while time.monotonic() < deadline and launches <= LAUNCHES:
        state = adopt(instance.folder)
        if state is not None and state["phase"] in STARTED_PHASES:
            return state
        if (ended := ended_job(instance.folder)) is not None:
            return ended
        if is_retired(instance):
            raise ProcessError(f"instance {instance.id} was stopped for good; deploy again to get a new one")
        if not files.is_locked(str(instance.folder / "lock")):
            launches += 1
            _launch(instance, secret)
        time.sleep(0.01)
    report = instance.folder / "shim.log"
    detail = report.read_text(errors="replace")[-2000:] if report.exists() else "no output"
    raise ProcessError(f"the shim of {instance.id} did not start ({launches} attempts): {detail}")


def _launch(instance: Instance, secret: Secret) -> None:
    procs.end_marked(instance.marker)
    for one in instance.spec["ports"]:
        if not is_port_free(one["port"]) and not files.is_locked(str(instance.folder / "lock")):
            raise PortInUseError(f"port {one['port']} of {instance.id} is held by another process")
    command = [sys.executable, "-I", "-S", "-E", str(SHIM), str(instance.folder / "spec.json")]
    handed = files.hand_over(handed_over(instance.spec, secret))
    try:
        with subprocess.Popen(
            command,
            env={},
            stdin=handed,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as starter:
            # The starter leaves a daemon behind and ends; its stderr is empty unless the lock or the fork failed.
            _, problem = starter.communicate(timeout=START_SECONDS)
    finally:
        os.close(handed)
    if starter.returncode not in (0, LOCKED_EXIT):
        text = problem.decode(errors="replace")[-2000:]
        raise ProcessError(f"the shim of {instance.id} ended with {starter.returncode}: {text}")


def stop_instance(instance: Instance) -> None:
    """End the instance for good: workload, descendants and shim. Idempotent, and final once it returned."""
    folder = instance.folder
    if not is_retired(instance):
        (folder / "stop").touch(mode=0o600)
        files.sync_folder(str(folder))
    halt_instance(instance)


def halt_instance(instance: Instance) -> None:
    """End the processes of the instance and wait until they are gone; it may be started again. Idempotent."""
    folder = instance.folder
    lock = str(folder / "lock")
    asked_at = time.monotonic()
    patience = float(instance.spec["grace_seconds"]) + KILL_SECONDS
    asked: tuple[int, int] | None = None
    while True:
        descriptor = files.try_lock(lock, 0.0)
        if descriptor is not None:
            break
        late = time.monotonic() - asked_at > patience
        holder = files.read_holder(lock)
        target = procs.process(holder[0]) if holder else None
        if holder is not None and target is not None and target.start_ticks == holder[1] and (late or asked != holder):
            procs.send_signal(target, signal.SIGKILL if late else signal.SIGTERM)
            asked = holder
        if time.monotonic() - asked_at > patience + KILL_SECONDS:
            raise ProcessError(f"the shim of {instance.id} does not end; look for a process stuck in the kernel")
        time.sleep(0.02)
    try:
        # Nobody else can start it while we hold the lock; later starters of a retired one see the stop file.
        procs.end_marked(instance.marker)
        state = read_state(folder)
        if state is None or state["phase"] not in ENDED_PHASES:
            ended = {**(state or {"instance": instance.spec["instance"], "generation": instance.generation})}
            files.write_json(str(folder / "state.json"), ended | {"phase": "stopped", "pid": None, "shim_pid": None})
    finally:
        os.close(descriptor)


def is_gone(instance: Instance) -> bool:
    """Whether a retired instance was also ended completely."""
    state = read_state(instance.folder)
    return state is not None and state["phase"] == "stopped" and not files.is_locked(str(instance.folder / "lock"))


def describe(instance: Instance) -> str:
    """One line for an error message: what the workload did last."""
    state = read_state(instance.folder) or {}
    return f"{state.get('phase', 'never started')}, {state.get('restarts', 0)} restarts, {state.get('reason') or '-'}"
