"""A served scaffolder with pull requests, and a desk that moves golden paths and services on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.model.run import Run
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge
from taxiway.worker.main import Worker

V1 = "/api/scaffolder/v1"
SUBJECT = "component:default/orders"
ENTITY = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service, lifecycle: production, owner: makers}
"""
FORM: dict[str, Any] = {
    "title": "What",
    "required": ["owner"],
    "properties": {
        "owner": {"type": "string"},
        "name": {"type": "string", "default": "orders"},
        "port": {"default": 80},
        "branch": {"type": "string", "default": "main"},
    },
}
PUBLISH = {"name": "${{ parameters.name }}", "owner": "${{ parameters.owner }}"}
STEPS: list[dict[str, Any]] = [
    {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": "${{ parameters }}"}},
    {
        "id": "publish",
        "action": "publish:git",
        "input": {**PUBLISH, "defaultBranch": "${{ parameters.branch }}"},
    },
]
LINES = "".join(f"line {number}\n" for number in range(12))
APP = "port = ${{ values.port }}\n" + LINES
MADE = APP.replace("${{ values.port }}", "80")
FILES: dict[str, bytes | str] = {"catalog-info.yaml": ENTITY, "app.py": APP, "old.txt": "goes\n"}
Finished = Callable[[str], Run]
AddTemplate = Callable[..., str]


@dataclass(frozen=True)
class Desk:
    """What a platform team and the owners of services do."""

    server: Served
    client: Any
    folder: Path
    finished: Finished
    add_template: AddTemplate

    def template(
        self, changes: Mapping[str, bytes | str | None], form: Any = None, executable: tuple[str, ...] = ()
    ) -> str:
        """A new version of the golden path: files by path in the skeleton, None removes one."""
        for name, content in changes.items():
            path = self.folder / "skeleton" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        for name in executable:
            (self.folder / "skeleton" / name).chmod(0o755)
        return self.add_template({"parameters": form or FORM, "steps": STEPS}, {})

    def make(self, ref: str, name: str = "orders", **values: Any) -> None:
        """A service of the golden path."""
        given = {"owner": "group:default/makers", "name": name, **values}
        made = self.client.post("/api/scaffolder/v2/tasks", json={"templateRef": ref, "values": given})
        assert made.status_code == 201, made.text
        run = self.finished(made.json()["id"])
        assert run.state == "succeeded", run.error

    @property
    def forge(self) -> Any:
        return self.server.platform.registry.get("forge", "git_local", Forge)

    def commit(
        self, changes: Mapping[str, bytes | str | None], name: str = "orders", branch: str = "main", mode: int = 0o644
    ) -> None:
        """Own work of a service's owners."""
        made = {
            path: FileChange(text.encode() if isinstance(text, str) else text, mode == 0o755)
            for path, text in changes.items()
        }
        self.forge.commit(name, branch, made, message="own work", author="user:default/dev")

    def read(self, ref: str, path: str, name: str = "orders") -> str | None:
        found = self.forge.read_file(name, ref, path)
        return None if found is None else found.decode()

    def state(self, subject: str = SUBJECT) -> dict[str, Any]:
        (item,) = self.client.get(f"{V1}/services", params={"subject": subject}).json()["items"]
        return dict(item)

    def plan(self, **answers: Any) -> dict[str, Any]:
        planned = self.client.post(f"{V1}/upgrades/plan", json={"subject": SUBJECT, "answers": answers})
        assert planned.status_code == 200, planned.text
        return dict(planned.json())

    def upgrade(self, **answers: Any) -> Run:
        started = self.client.post(f"{V1}/upgrades", json={"subject": SUBJECT, "answers": answers})
        assert started.status_code == 202, started.text
        return self.finished(started.json()["id"])

    def proposed(self, **answers: Any) -> dict[str, Any]:
        """The pull request of an upgrade that went well."""
        run = self.upgrade(**answers)
        assert run.state == "succeeded", run.error
        assert run.output is not None
        pull = self.client.get(f"/api/pulls/v1/pulls/orders/{run.output['pull']}")
        assert pull.status_code == 200, pull.text
        return {**pull.json(), "conflicts": run.output["conflicts"]}

    def merge(self, pull: Mapping[str, Any]) -> None:
        done = self.client.post(f"/api/pulls/v1/pulls/{pull['repository']}/{pull['number']}/merge", json={})
        assert done.status_code == 200, done.text


@pytest.fixture
def server(tmp_path: Path, entry_points: list[Any]) -> Iterator[Served]:
    features = [ACCESS, PULLS, CATALOG, SCAFFOLDER]
    catalog = {"file_roots": [str(tmp_path / "templates")]}
    with served(tmp_path / "data", features=features, plugins=entry_points, catalog=catalog) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield running
        running.platform.stopping.set()
        worker.stop()


@pytest.fixture
def client(server: Served) -> Iterator[Any]:
    with server.client(server.token("developer", "user:default/dev")) as client:
        yield client


@pytest.fixture
def desk(server: Served, client: Any, tmp_path: Path, finished: Finished, add_template: AddTemplate) -> Desk:
    return Desk(server, client, tmp_path / "templates" / "path", finished, add_template)


@pytest.fixture
def orders(desk: Desk) -> str:
    """A service of the first version; the reference of its golden path."""
    ref = desk.template(FILES)
    desk.make(ref)
    return ref


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
