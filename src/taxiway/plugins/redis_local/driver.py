"""The driver `redis_local`: a server of its own for each resource, and the service that keeps the servers up."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import InternalError, NotFoundError, TaxiwayError, UnavailableError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import PluginContext, StepContext, backoff_seconds, daemons
from taxiway.plugins.redis_local.server import Server
from taxiway.plugins.redis_local.wire import keys

CHECK_SECONDS = 1.0
NAME = re.compile(r"redis-[0-9a-f]{24}")
PORT_TRIES = 5


class RedisDriver:
    """Implements `InspectingDriver` and `HostEngine`. Outputs: host, port, username; secret: password."""

    key = "redis_local"

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx
        self._servers: dict[str, Server] = {}

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        name = "redis-" + hashlib.sha256(request.uid.encode()).hexdigest()[:24]
        ctx.created("redis", name, {})
        with daemons.locked(self._lock):
            is_new = self._ctx.records.get(f"server/{name}") is None
            port, password = self._facts(name, request)
            try:
                self._server(name).ensure(port, password)
            except TaxiwayError:
                # Nobody was told this port: the next try takes another one.
                if is_new:
                    self._forget(name)
                raise
        ctx.log(f"Redis {name} on 127.0.0.1:{port} is ready")
        return ResourceResult(
            outputs={"host": "127.0.0.1", "port": port, "username": "default"},
            secrets={"password": password},
            inventory=[{"kind": "redis", "name": name}],
        )

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        for name in sorted({str(item["name"]) for item in inventory if item.get("kind") == "redis"}):
            if not NAME.fullmatch(name):
                continue
            with daemons.locked(self._lock):
                self._server(name).remove()
                self._forget(name)
                self._servers.pop(name, None)
            ctx.log(f"Redis {name} is gone")

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None:
        found: list[str] = []
        for name in sorted({str(item["name"]) for item in inventory if item.get("kind") == "redis"}):
            record = self._ctx.records.get(f"server/{name}")
            if record is None:
                continue
            self._revive(name)
            try:
                counts = keys(int(record.value["port"]), self._ctx.secrets.get(str(record.value["password"])))
            except OSError as error:
                raise UnavailableError(
                    f"the local Redis server {name} does not say what it holds: {error}", code="redis_local.silent"
                ) from error
            found += [f"{count} in {database}" for database, count in counts.items()]
        return f"keys: {', '.join(found)}" if found else None

    def servers(self) -> Sequence[str]:
        """Names of the servers that have a folder."""
        return sorted(path.name for path in self._ctx.data_dir.iterdir() if NAME.fullmatch(path.name))

    def halt(self) -> None:
        """End all servers, data stays. They start again with the next use, or with the background service."""
        for name in self.servers():
            with daemons.locked(self._lock):
                self._server(name).stop()

    def revive(self) -> None:
        """Start the servers that died. Raises the last UnavailableError after trying all."""
        failed: TaxiwayError | None = None
        for name in self.servers():
            if self._server(name).running() is not None:
                continue
            try:
                self._revive(name)
            except TaxiwayError as error:
                failed = error
        if failed is not None:
            raise failed

    def _revive(self, name: str) -> None:
        with daemons.locked(self._lock):
            # Asked under the lock: a destroy may have come first.
            record = self._ctx.records.get(f"server/{name}")
            if record is not None:
                password = self._ctx.secrets.get(str(record.value["password"]))
                self._server(name).ensure(int(record.value["port"]), password)

    def _server(self, name: str) -> Server:
        return self._servers.setdefault(name, Server(self._ctx, name))

    @property
    def _lock(self) -> Path:
        """Held while servers change, by all workers of the installation."""
        return self._ctx.run_dir / "lock"

    def _facts(self, name: str, request: ResourceRequest) -> tuple[int, str]:
        """Port and password: those that were given out already, else new ones that are written down first."""
        record = self._ctx.records.get(f"server/{name}")
        if record is not None:
            try:
                return int(record.value["port"]), self._ctx.secrets.get(str(record.value["password"]))
            except NotFoundError:
                self._ctx.log.warning("redis.password_lost", server=name)
                # The running server knows only the lost one.
                self._server(name).stop()
        password = secrets.token_hex(24)
        port = int(record.value["port"]) if record is not None else self._free_port()
        facts = {"uid": request.uid, "environment": request.environment, "service": request.service}
        reference = self._ctx.secrets.put(f"redis_local/{name}", password)
        self._ctx.records.put(f"server/{name}", {"port": port, "password": reference, **facts})
        return port, password

    def _forget(self, name: str) -> None:
        record = self._ctx.records.get(f"server/{name}")
        if record is not None:
            self._ctx.secrets.delete(str(record.value["password"]))
            self._ctx.records.delete(f"server/{name}")

    def _free_port(self) -> int:
        """A port that nobody listens on and that no stopped server of ours was given."""
        given = {int(record.value["port"]) for record in self._ctx.records.list("server/", limit=10_000)}
        for _ in range(PORT_TRIES):
            port = daemons.free_port()
            if port not in given:
                return port
        raise InternalError("found no free port for a Redis server")


class KeepRunning:
    """Starts servers again within seconds after they died or the machine was restarted."""

    key = "redis_local"
    exclusive = True

    def __init__(self, driver: RedisDriver) -> None:
        self._driver = driver

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        failures = 0
        while not stop.wait(max(CHECK_SECONDS, backoff_seconds(failures) if failures else 0)):
            try:
                self._driver.revive()
                failures = 0
            except TaxiwayError as error:
                failures += 1
                ctx.log.warning("redis.not_started", reason=error.detail, attempt=failures)
