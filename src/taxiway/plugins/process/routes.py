"""The platform's side of the router: keeps it running, changes its table, watches it drain.

All state is on disk (DIR/router.json, DIR/routes.json) and in the router itself; every function may be repeated.
"""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.plugins.process import files, procs
from taxiway.plugins.process.supervisor import LOCKED_EXIT, PortInUseError, ProcessError, locked

ROUTER = Path(__file__).with_name("router.py")
PORT_IN_USE_EXIT = 98
START_SECONDS = 10.0


@dataclass(frozen=True)
class Route:
    """Requests to `host` whose path is `path` or below go to 127.0.0.1:`port`, as long as a process of the instance in
    `folder` listens there; with an empty one, whoever does."""

    host: str
    path: str
    port: int
    generation: str
    folder: str = ""


def ensure_router(folder: Path, port: int = 0) -> int:
    """Make sure that the router runs, and return its port. Idempotent, safe from several processes at once.

    `port` 0: the one it had before, or any free one at first. PortInUseError when another program has the port.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(folder / "start.lock"):
        running = router_state(folder)
        if running is not None and port in (0, running["port"]):
            return int(running["port"])
        if running is not None:
            stop_router(folder)
        before = files.read_json(str(folder / "router.json")) or {}
        _launch(folder, port or int(before.get("port", 0)))
        running = router_state(folder)
        if running is None:
            raise ProcessError(f"the router ended at once; see {folder}/router.log")
        return int(running["port"])


def _launch(folder: Path, port: int) -> None:
    command = [sys.executable, "-I", "-S", "-E", str(ROUTER), str(folder), str(port)]
    ended = subprocess.run(
        command,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        timeout=START_SECONDS,
        check=False,
    )
    text = ended.stderr.decode(errors="replace").strip()[-1000:]
    if ended.returncode == PORT_IN_USE_EXIT:
        raise PortInUseError(
            f"the router cannot listen on 127.0.0.1:{port} ({text}); end the program that uses the port, "
            "or set another router port"
        )
    if ended.returncode not in (0, LOCKED_EXIT):
        raise ProcessError(f"the router did not start: {text}")


def router_state(folder: Path) -> Mapping[str, Any] | None:
    """{pid, start_ticks, port} of the running router, or None."""
    state = files.read_json(str(folder / "router.json"))
    if not isinstance(state, dict) or not files.is_locked(str(folder / "lock")):
        return None
    return state if procs.is_alive(state["pid"], state["start_ticks"]) else None


def stop_router(folder: Path, timeout_seconds: float = 5.0) -> None:
    """End the router; open requests get 3 s. Nothing happens when none runs."""
    holder = files.read_holder(str(folder / "lock"))
    found = procs.process(holder[0]) if holder else None
    if holder is None or found is None or found.start_ticks != holder[1]:
        return
    procs.send_signal(found, signal.SIGTERM)
    deadline = time.monotonic() + timeout_seconds
    while procs.is_alive(*holder):
        if time.monotonic() > deadline:
            procs.send_signal(found, signal.SIGKILL)
        time.sleep(0.02)


def set_routes(folder: Path, owner: str, routes: Iterable[Route]) -> int:
    """Replace all routes of `owner` at once; returns the table's version, which grows only with a change.

    ProcessError when another owner has the same host and path.
    """
    with locked(folder / "routes.lock"):
        path = str(folder / "routes.json")
        table = files.read_json(path) or {"version": 0, "hosts": {}}
        hosts: dict[str, list[dict[str, Any]]] = {
            host: kept
            for host, entries in table["hosts"].items()
            if (kept := [one for one in entries if one["owner"] != owner])
        }
        for route in routes:
            entries = hosts.setdefault(route.host.lower(), [])
            if any(one["path"] == route.path for one in entries):
                raise ProcessError(f"{route.host}{route.path} belongs to another workload; choose another host or path")
            upstream = f"127.0.0.1:{route.port}"
            entry = {"path": route.path, "upstream": upstream, "generation": route.generation, "owner": owner}
            if route.folder:
                entry["folder"] = route.folder
            entries.append(entry)
        if _sorted(hosts) == _sorted(table["hosts"]):
            return int(table["version"])
        version = int(table["version"]) + 1
        files.write_json(path, {"version": version, "hosts": hosts}, 0o600)
        _signal(folder, signal.SIGHUP)
        return version


def _signal(folder: Path, number: int) -> None:
    state = router_state(folder)
    found = procs.process(int(state["pid"])) if state is not None else None
    if state is not None and found is not None and found.start_ticks == state["start_ticks"]:
        procs.send_signal(found, number)


def _sorted(hosts: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {host: sorted(entries, key=lambda entry: str(entry["path"])) for host, entries in hosts.items()}


def health(folder: Path, timeout_seconds: float = 1.0) -> Mapping[str, Any] | None:
    """{version, problem, in_flight: {upstream: requests}} from the running router, or None when it does not answer."""
    state = router_state(folder)
    if state is None:
        return None
    connection = http.client.HTTPConnection("127.0.0.1", state["port"], timeout=timeout_seconds)
    try:
        connection.request("GET", "/healthz", headers={"Host": "router.localhost"})
        value = json.loads(connection.getresponse().read(1_000_000))
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None


def wait_loaded(folder: Path, version: int, timeout_seconds: float = 3.0) -> None:
    """Wait until the router uses this version of the table. Nothing to wait for when no router runs."""
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        if router_state(folder) is None:
            return
        now = health(folder)
        if now is not None and now["version"] >= version:
            return
        time.sleep(0.02)
    raise ProcessError(f"the router does not load version {version} of its table; see {folder}/router.log")


def wait_drained(folder: Path, ports: Iterable[int], timeout_seconds: float) -> bool:
    """Wait until no request is in flight to these ports; False when the time was over first."""
    upstreams = {f"127.0.0.1:{port}" for port in ports}
    deadline = time.monotonic() + timeout_seconds
    while True:
        now = health(folder)
        if now is None and router_state(folder) is None:
            return True
        if now is not None and not upstreams & now["in_flight"].keys():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.03)
