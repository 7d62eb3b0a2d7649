"""The driver `postgres_local` with a real server, on a folder of its own."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from factories.host import Host, step_context
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import Identity
from taxiway.plugins.postgres_local import databases
from taxiway.plugins.postgres_local.driver import PostgresDriver
from taxiway.plugins.postgres_local.server import SUPERUSER, Server
from taxiway.plugins.postgres_local.settings import PostgresLocalSettings


class Local:
    """A driver on a folder that the server's user reaches; `again()` is the same after a restart of Taxiway."""

    def __init__(self, root: Path, host: Host | None = None) -> None:
        self.host = host or Host(root, PostgresLocalSettings())
        users = {"pipelines": 61001, "workloads": 61002, "databases": 61004, "templates": 61003}
        is_root = os.geteuid() == 0
        identity = (lambda name: Identity(users[name], users[name])) if is_root else lambda name: Identity(None, None)
        self.context = replace(self.host.context, identity=identity)
        self.root = root
        self.server = Server(self.context)
        self.driver = PostgresDriver(self.context, self.server)
        self.step = step_context(root)

    def again(self) -> Local:
        return Local(self.root, self.host)

    def admin(self) -> Any:
        return databases.connection(self.server.port(), SUPERUSER, self.server.password())

    def provision(self, uid: str) -> ResourceResult:
        request = ResourceRequest(uid, "postgres", "default", f"{uid}.db", "development", "orders")
        return self.driver.provision(self.step, request)


def connect(result: ResourceResult, **changes: Any) -> Any:
    """A connection as the resource's own role."""
    import psycopg

    outputs = result.outputs
    values = {
        "host": outputs["host"],
        "port": outputs["port"],
        "dbname": outputs["name"],
        "user": outputs["username"],
        "password": result.secrets["password"],
        "connect_timeout": 5,
        "autocommit": True,
    }
    return psycopg.connect(**{**values, **changes})


def reachable_folder() -> Path:
    root = Path(tempfile.mkdtemp(prefix="taxiway-pg-"))
    root.chmod(0o755)
    return root
