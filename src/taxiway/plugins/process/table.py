"""The router's routing table: loaded from routes.json whenever that file was replaced, looked up per request."""
# The router must not pay for pathlib.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

TABLE_BYTES = 16_000_000
PORT_HOST = "port:"
"""An entry named `port:<number>` is for all that comes in on that port of 127.0.0.1, whatever host it names."""


class Route(NamedTuple):
    """Requests whose path is `path` or below go to 127.0.0.1:`port`, if the instance in `folder` listens there."""

    path: str
    port: int
    generation: str
    folder: str = ""

    @property
    def upstream(self) -> str:
        return f"127.0.0.1:{self.port}"


class Table:
    """The routes by host. A broken file keeps the last good table and is shown as `problem`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.version = 0
        self.problem = ""
        self.hosts: dict[str, list[Route]] = {}
        self._seen: tuple[int, int, int] | None = None

    def refresh(self) -> None:
        """Load the file when it is another one than last time. Costs one stat otherwise."""
        try:
            status = os.stat(self.path)
        except OSError:
            return
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            if status.st_size > TABLE_BYTES:
                raise ValueError(f"the table is larger than {TABLE_BYTES} bytes")
            with open(self.path, "rb") as file:
                self._load(json.loads(file.read()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.problem = f"routes.json cannot be used: {error!r}"

    def _load(self, document: dict[str, Any]) -> None:
        hosts = {
            host.lower(): sorted((_route(entry) for entry in entries), key=lambda route: -len(route.path))
            for host, entries in document["hosts"].items()
        }
        self.version = int(document["version"])
        self.hosts = hosts
        self.problem = ""

    def ports(self) -> set[int]:
        """The further ports to listen on."""
        names = (host.removeprefix(PORT_HOST) for host in self.hosts if host.startswith(PORT_HOST))
        return {int(name) for name in names if name.isdigit()}

    def find(self, host: str, target: str) -> Route | None:
        """The route with the longest matching path, or None. `host` is in lower case and has no port."""
        path = target.split("?", 1)[0]
        for route in self.hosts.get(host, ()):
            base = route.path.rstrip("/")
            if path == base or path.startswith(base + "/") or not base:
                return route
        return None


def _route(entry: dict[str, Any]) -> Route:
    address, port = entry["upstream"].rsplit(":", 1)
    if address != "127.0.0.1":
        raise ValueError(f"upstream {entry['upstream']} is not on 127.0.0.1")
    return Route(entry["path"], int(port), str(entry["generation"]), str(entry.get("folder", "")))
