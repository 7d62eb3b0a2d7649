"""A server with the built-in forge and subscribers at work, four people, and repositories to propose changes to."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any

import httpx
import pytest

from factories.served import Served, served
from taxiway.core.context import OpContext
from taxiway.core.permissions import OWNED, READ
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.pulls.service.hosts import forge, pull_host
from taxiway.model.access import Principal
from taxiway.model.workload import FileChange
from taxiway.worker.main import Worker

BASE = "/api/pulls/v1"
GROUPS = {
    "user:default/ann": frozenset({"group:default/shop"}),
    "user:default/bob": frozenset({"group:default/shop"}),
    "user:default/guard": frozenset({"group:default/guards"}),
}
_names = itertools.count(1)


@dataclass
class Desk:
    """`ann` opens, `bob` of the same team reviews and merges, `guard` is of another team, `boss` runs the platform."""

    server: Served
    ann: httpx.Client = field(init=False)
    bob: httpx.Client = field(init=False)
    guard: httpx.Client = field(init=False)
    boss: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        # Delivery declares what the forge asks for when somebody clones or pushes.
        self.server.platform.permissions |= {"repositories.read": READ, "repositories.write": OWNED}
        self.server.platform.groups_of = lambda subject: GROUPS.get(subject, frozenset())
        for name, role in (("ann", "developer"), ("bob", "developer"), ("guard", "developer"), ("boss", "platform")):
            setattr(self, name, self.server.client(self.server.token(role, f"user:default/{name}")))

    @property
    def forge(self) -> Any:
        return forge(self.server.platform)

    @property
    def host(self) -> Any:
        return pull_host(self.server.platform)

    def ctx(self, name: str) -> OpContext:
        subject = f"user:default/{name}"
        who = Principal(subject, frozenset({"developer"}), GROUPS.get(subject, frozenset()) | {subject})
        return OpContext(self.server.platform, who, "test")

    def make(self, files: dict[str, str] | None = None) -> str:
        """A repository of the team `shop` with a first commit on main; its name."""
        name = f"shop{next(_names)}"
        self.forge.create_repository(
            name, description="", owner="group:default/shop", default_branch="main", request_key=name
        )
        self.commit(name, "main", files or {"a": "1\n2\n3\n", "b": "1\n"})
        return name

    def commit(self, name: str, branch: str, files: dict[str, str | None], message: str = "a change") -> str:
        changes = {path: FileChange(None if text is None else text.encode()) for path, text in files.items()}
        sha: str = self.forge.commit(name, branch, changes, message=message, author="user:default/ann")
        return sha

    def branch(self, name: str, branch: str = "change", files: dict[str, str | None] | None = None) -> str:
        """A branch that begins at main and has one commit more; its head."""
        self.host.create_branch(name, branch, self.forge.resolve(name, "main"), by="user:default/ann")
        return self.commit(name, branch, files or {"a": "1\n2\n3\n4\n"})

    def open(self, name: str, branch: str = "change", **more: Any) -> dict[str, Any]:
        answer = self.ann.post(f"{BASE}/pulls", json={"repository": name, "head": branch, **more})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def get(self, name: str, number: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = self.ann.get(f"{BASE}/pulls/{name}/{number}").json()
        return found

    def protect(self, name: str, **rule: Any) -> None:
        answer = self.boss.put(f"{BASE}/rules/{name}", json={"rules": [{"pattern": "main", **rule}]})
        assert answer.status_code == 200, answer.text

    def until(self, check: Callable[[], Any], seconds: float = 10) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := check():
                return found
            time.sleep(0.03)
        raise AssertionError("it did not come about")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Events about the pull requests of a repository: type without its version, and data."""
        from sqlalchemy import select

        from taxiway.core.store.tables import event

        with self.server.platform.store.read() as conn:
            query = select(event).where(event.c.subject.startswith(f"pull:{name}/")).order_by(event.c.at, event.c.id)
            rows = [dict(row) for row in conn.execute(query).mappings()]
        return [{**row, "kind": row["type"].split(".")[3]} for row in rows]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    plugins = [EntryPoint("git_local", "taxiway.plugins.git_local:PLUGIN", "taxiway.plugins")]
    with served(tmp_path_factory.mktemp("data"), features=[ACCESS, PULLS], plugins=plugins) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield Desk(running)
        running.platform.stopping.set()
        worker.stop()
