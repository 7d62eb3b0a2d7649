"""A golden path moves on, and what it made follows by pull request: nothing of the service's own work is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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

from .conftest import AddTemplate

SUBJECT = "component:default/orders"
ENTITY = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders}
spec: {type: service, lifecycle: production, owner: makers}
"""
STEPS = [
    {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": "${{ parameters }}"}},
    {"id": "publish", "action": "publish:git", "input": {"name": "orders", "owner": "${{ parameters.owner }}"}},
]
FORM = {"title": "What", "required": ["owner"], "properties": {"owner": {"type": "string"}, "port": {"default": 80}}}
APP = "port = ${{ values.port }}\n" + "".join(f"line {number}\n" for number in range(12))
FILES = {"skeleton/catalog-info.yaml": ENTITY, "skeleton/app.py": APP, "skeleton/old.txt": "goes\n"}
Finished = Callable[[str], Run]


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
def orders(add_template: AddTemplate, client: Any, finished: Finished) -> str:
    """A service of the first version."""
    ref = add_template({"parameters": FORM, "steps": STEPS}, FILES)
    made = client.post(
        "/api/scaffolder/v2/tasks", json={"templateRef": ref, "values": {"owner": "group:default/makers"}}
    )
    assert made.status_code == 201, made.text
    run = finished(made.json()["id"])
    assert run.state == "succeeded", run.error
    return ref


def forge(server: Served) -> Any:
    return server.platform.registry.get("forge", "git_local", Forge)


def commit(server: Served, **files: str) -> None:
    changes = {name.replace("__", "."): FileChange(text.encode()) for name, text in files.items()}
    forge(server).commit("orders", "main", changes, message="own work", author="user:default/dev")


def read(server: Served, ref: str, path: str) -> str | None:
    found = forge(server).read_file("orders", ref, path)
    return None if found is None else found.decode()


def state(client: Any) -> dict[str, Any]:
    (item,) = client.get("/api/scaffolder/v1/services").json()["items"]
    return dict(item)


def upgrade(client: Any, finished: Finished, **answers: Any) -> Run:
    started = client.post("/api/scaffolder/v1/upgrades", json={"subject": SUBJECT, "answers": answers})
    assert started.status_code == 202, started.text
    return finished(started.json()["id"])


def test_a_new_version_arrives_as_a_pull_request_and_keeps_the_services_own_work(
    orders: str, server: Served, client: Any, add_template: AddTemplate, finished: Finished
) -> None:
    first = state(client)
    assert first["state"] == "current"
    assert first["version"] in (read(server, "main", ".taxiway/scaffold.yaml") or "")
    assert client.post("/api/scaffolder/v1/upgrades", json={"subject": SUBJECT}).status_code == 409
    commit(server, app__py=APP.replace("${{ values.port }}", "80").replace("line 11", "my line"), own__txt="mine\n")
    moved = {key: text for key, text in FILES.items() if "old" not in key}
    moved["skeleton/app.py"] = APP.replace("line 0\n", "line zero\n")
    moved["skeleton/new.txt"] = "port ${{ values.port }}\n"
    (Path(server.platform.settings.catalog.file_roots[0]) / "path" / "skeleton" / "old.txt").unlink()
    add_template({"parameters": FORM, "steps": STEPS}, moved)
    assert state(client)["state"] == "behind"
    run = upgrade(client, finished)
    assert run.state == "succeeded", run.error
    behind = state(client)
    assert behind["state"] == "proposed"
    pull = client.get(f"/api/pulls/v1/pulls/orders/{behind['pull']}")
    assert pull.status_code == 200, pull.text
    assert orders in pull.json()["body"]
    branch = pull.json()["head"]
    merged = read(server, branch, "app.py") or ""
    assert "line zero" in merged
    assert "my line" in merged
    assert read(server, branch, "new.txt") == "port 80\n"
    assert read(server, branch, "old.txt") is None
    assert read(server, branch, "own.txt") == "mine\n"
    assert read(server, "main", "old.txt") == "goes\n", "nothing moves before the merge"
    done = client.post(f"/api/pulls/v1/pulls/orders/{behind['pull']}/merge", json={})
    assert done.status_code == 200, done.text
    until(lambda: state(client)["state"] == "current")
    assert state(client)["version"] == behind["newest"]


def test_what_both_sides_changed_is_marked_as_git_marks_it(
    orders: str, server: Served, client: Any, add_template: AddTemplate, finished: Finished
) -> None:
    commit(server, app__py=APP.replace("${{ values.port }}", "80").replace("line 5", "mine"))
    add_template({"parameters": FORM, "steps": STEPS}, {**FILES, "skeleton/app.py": APP.replace("line 5", "theirs")})
    run = upgrade(client, finished)
    assert run.state == "succeeded", run.error
    assert run.steps[0].output["conflicts"] == ["app.py"]
    number = state(client)["pull"]
    pull = client.get(f"/api/pulls/v1/pulls/orders/{number}").json()
    assert "`app.py`" in pull["body"]
    text = read(server, pull["head"], "app.py") or ""
    assert "<<<<<<< this repository\nmine\n=======\ntheirs\n>>>>>>> the change\n" in text


def test_a_closed_pull_request_declines_the_version_until_there_is_another(
    orders: str, server: Served, client: Any, add_template: AddTemplate, finished: Finished
) -> None:
    add_template({"parameters": FORM, "steps": STEPS}, {**FILES, "skeleton/new.txt": "one\n"})
    assert upgrade(client, finished).state == "succeeded"
    number = state(client)["pull"]
    closed = client.post(f"/api/pulls/v1/pulls/orders/{number}/close")
    assert closed.status_code == 200, closed.text
    until(lambda: state(client)["state"] == "declined")
    add_template({"parameters": FORM, "steps": STEPS}, {**FILES, "skeleton/new.txt": "two\n"})
    assert state(client)["state"] == "behind"
    assert client.post("/api/scaffolder/v1/services/decline", json={"subject": SUBJECT}).json()["state"] == "declined"


def test_new_questions_are_asked_and_a_template_that_is_gone_is_said(
    orders: str, server: Served, client: Any, add_template: AddTemplate, finished: Finished
) -> None:
    form = {**FORM, "required": ["owner", "tier"], "properties": {**FORM["properties"], "tier": {"type": "string"}}}
    add_template({"parameters": form, "steps": STEPS}, {**FILES, "skeleton/tier.txt": "${{ values.tier }}\n"})
    asked = client.post("/api/scaffolder/v1/upgrades", json={"subject": SUBJECT})
    assert asked.status_code == 422
    assert "tier" in asked.text
    run = upgrade(client, finished, tier="gold")
    assert run.state == "succeeded", run.error
    number = state(client)["pull"]
    head = client.get(f"/api/pulls/v1/pulls/orders/{number}").json()["head"]
    assert read(server, head, "tier.txt") == "gold\n"
    missing = client.post("/api/scaffolder/v1/upgrades", json={"subject": "component:default/other"})
    assert missing.status_code == 404
    with server.client(server.token("viewer", "user:default/viewer")) as viewer:
        assert viewer.post("/api/scaffolder/v1/upgrades", json={"subject": SUBJECT}).status_code == 403


def test_a_deleted_repository_is_remembered_no_more(orders: str, server: Served, client: Any) -> None:
    forge(server).delete_repository("orders", archive=False)
    until(lambda: client.get("/api/scaffolder/v1/services").json()["items"] == [])


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.05)
