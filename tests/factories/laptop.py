"""A data folder with the process destination at work in it, for its tests."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from factories.host import Host
from factories.process import APP, release
from taxiway.model.workload import ObjectStatus, Target
from taxiway.plugins.process import PLUGIN, procs, routes
from taxiway.plugins.process.destination import ProcessDestination
from taxiway.plugins.process.job_runner import ProcessJobs
from taxiway.plugins.process.keeper import Keeper
from taxiway.plugins.process.mounts import VolumeDriver
from taxiway.plugins.process.settings import ProcessSettings

TARGET = Target("dev", "dev", "process")


def until(condition: Callable[[], Any], seconds: float = 15.0, what: Callable[[], object] = lambda: "") -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"it did not happen in time: {what()}"
        time.sleep(0.02)
    return found


@dataclass
class Laptop:
    """A data folder with what a Taxiway on it has; `start` is a new Taxiway on the same folder."""

    root: Path
    host: Host
    settings: ProcessSettings

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        contributed = dict(reversed(PLUGIN.contribute(self.host.context)))
        self.destination: ProcessDestination = contributed["destination"]
        self.keeper: Keeper = contributed["background_service"]
        self.driver: VolumeDriver = contributed["resource_driver"]
        self.runner: ProcessJobs = contributed["job_runner"]
        self.stop_event = threading.Event()
        self.threads = [
            threading.Thread(target=service.run, args=(self.host.context, self.stop_event), daemon=True)
            for service in (self.keeper, self.destination._job_keeper)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stop_event.set()
        for thread in self.threads:
            thread.join(10)

    def put(self, code: str = APP, lock: str = "") -> str:
        return self.host.context.artifacts.put(release(self.root, code, lock))

    def apply(self, objects: Sequence[Any]) -> list[ObjectStatus]:
        self.destination.apply(TARGET, objects)

        def settled() -> list[ObjectStatus] | None:
            found = list(self.destination.observe(TARGET, objects))
            return found if all(one.health in ("healthy", "degraded", "suspended") for one in found) else None

        result: list[ObjectStatus] = until(settled, 20, lambda: self.destination.observe(TARGET, objects))
        return result

    def deploy(self, objects: Sequence[Any]) -> None:
        found = self.apply(objects)
        assert {one.health for one in found} == {"healthy"}, found

    def get(self, path: str = "/", host: str = "shop.dev.localhost") -> tuple[int, str]:
        port = routes.router_state(self.keeper.places.router)["port"]
        return get(port, path, host)

    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("/all")[1])
        return found

    def processes(self) -> list[str]:
        """Command lines of everything that belongs to this folder."""
        found = []
        for pid in procs.processes():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                environ = Path(f"/proc/{pid}/environ").read_bytes()
            except OSError:
                continue
            if str(self.root).encode() in command + environ and pid != os.getpid():
                found.append(command.decode(errors="replace").replace("\0", " "))
        return found


def get(port: int, path: str = "/", host: str = "x") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()
