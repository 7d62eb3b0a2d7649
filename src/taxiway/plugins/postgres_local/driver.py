"""The driver `postgres_local`: a database and a role for each resource, and the service that keeps the server up."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import PluginContext, StepContext, backoff_seconds, daemons
from taxiway.plugins.postgres_local import databases
from taxiway.plugins.postgres_local.server import SUPERUSER, Server

CHECK_SECONDS = 1.0
MOST_TOLD = 10


class PostgresDriver:
    """Implements `RotatingDriver`, `InspectingDriver` and `HostEngine`.

    Outputs: host, port, name, database, username; secret: password.
    """

    key = "postgres_local"

    def __init__(self, ctx: PluginContext, server: Server) -> None:
        self._ctx = ctx
        self._server = server

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        name = databases.name_of(request.uid)
        with daemons.locked(self._databases_lock()):
            # The record comes first: from here on the server is kept running, and a crash leaves something to find.
            password = self._password(name, request)
            port = self._server.ensure()
            with self._admin(port) as admin:
                databases.close_to_public(admin)
                databases.create(admin, name, password, self._server.settings.connections_per_role)
        ctx.log(f"database {name} on 127.0.0.1:{port} is ready")
        return ResourceResult(
            outputs={"host": "127.0.0.1", "port": port, "name": name, "database": name, "username": name},
            secrets={"password": password},
            inventory=[{"kind": "database", "name": name}, {"kind": "role", "name": name}],
        )

    def rotate(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        name = databases.name_of(request.uid)
        record = self._ctx.records.get(f"database/{name}")
        if record is None:
            raise NotFoundError(f"there is no database {name}: deploy the service first")
        self._ctx.secrets.put(f"postgres_local/{name}", secrets.token_urlsafe(24))
        return self.provision(ctx, request)

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        names = {str(item["name"]) for item in inventory if item.get("kind") in ("database", "role")}
        names = {name for name in names if name.startswith(databases.PREFIX)}
        with daemons.locked(self._databases_lock()):
            if names and self._server.exists:
                with self._admin(self._server.ensure()) as admin:
                    for name in sorted(names):
                        databases.drop(admin, name)
            for name in sorted(names):
                self._forget(name)
                ctx.log(f"database {name} is gone")
            # Without a database there is nothing to serve: an idle laptop runs no server.
            if not self._ctx.records.list("database/", limit=1):
                self._server.stop()

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None:
        held: list[tuple[str, int]] = []
        for name in [str(item["name"]) for item in inventory if item.get("kind") == "database"]:
            if name in self.databases():
                port = self._server.ensure()
                with databases.connection(port, SUPERUSER, self._server.password(), name) as opened:
                    held += databases.rows(opened).items()
        counts = [f"{count}{' or more' if count == databases.MOST_ROWS else ''} in {table}" for table, count in held]
        more = f" and {len(counts) - MOST_TOLD} more tables" if len(counts) > MOST_TOLD else ""
        return f"rows: {', '.join(counts[:MOST_TOLD])}{more}" if counts else None

    def databases(self) -> Sequence[str]:
        """The names of all databases and roles of resources, as the server itself lists them; [] without a cluster."""
        if not self._server.exists:
            return []
        with self._admin(self._server.ensure()) as admin:
            return databases.names(admin)

    def halt(self) -> None:
        """End the server, databases stay. It starts again with the next use, or with the background service."""
        self._server.stop()

    def _admin(self, port: int) -> Any:
        return databases.connection(port, SUPERUSER, self._server.password())

    def _databases_lock(self) -> Path:
        return self._ctx.run_dir / "databases.lock"

    def _password(self, name: str, request: ResourceRequest) -> str:
        """The role's password: the stored one, so that provisioning again changes nothing for who uses it."""
        record = self._ctx.records.get(f"database/{name}")
        if record is not None:
            try:
                return self._ctx.secrets.get(str(record.value["password"]))
            except NotFoundError:
                self._ctx.log.warning("postgres.password_lost", database=name)
        password = secrets.token_urlsafe(24)
        reference = self._ctx.secrets.put(f"postgres_local/{name}", password)
        facts = {"environment": request.environment, "service": request.service, "resource": request.id}
        self._ctx.records.put(f"database/{name}", {"password": reference, "uid": request.uid, **facts})
        return password

    def _forget(self, name: str) -> None:
        record = self._ctx.records.get(f"database/{name}")
        if record is not None:
            self._ctx.secrets.delete(str(record.value["password"]))
            self._ctx.records.delete(f"database/{name}")


class KeepRunning:
    """Starts the server again within seconds after it died or the machine was restarted, while it has a database."""

    key = "postgres_local"
    exclusive = True

    def __init__(self, server: Server) -> None:
        self._server = server

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        failures = 0
        while not stop.wait(backoff_seconds(failures) if failures else CHECK_SECONDS):
            if not self._server.exists or self._server.running() is not None:
                failures = 0
                continue
            if not ctx.records.list("database/", limit=1):
                continue
            try:
                self._server.ensure()
                failures = 0
            except TaxiwayError as error:
                failures += 1
                ctx.log.warning("postgres.not_started", reason=error.detail, attempt=failures)
