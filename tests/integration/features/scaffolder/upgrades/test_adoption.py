"""Repositories that another tool made from a golden path become its services, and are then upgraded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from taxiway.cli.main import run
from taxiway.features.catalog import service as catalog
from taxiway.plugin import SourcedEntity

from .conftest import APP, V1, Desk, until

Taxiway = Callable[..., int]
TRACED = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: billing
  annotations: {backstage.io/source-template: "template:default/path"}
spec: {type: service, lifecycle: production, owner: makers}
"""
BILLING = "component:default/billing"


@pytest.fixture
def taxiway(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Taxiway:
    monkeypatch.setenv("TAXIWAY_URL", desk.server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", desk.server.token("developer", "user:default/dev"))
    return lambda *arguments: run(["scaffold", *arguments])


@pytest.fixture
def billing(orders: str, desk: Desk) -> str:
    """A repository as Backstage left it, made from the first version with another port, and changed since."""
    desk.forge.create_repository(
        "billing", description="", owner="group:default/makers", default_branch="main", request_key="billing"
    )
    app = APP.replace("${{ values.port }}", "8443").replace("line 7", "our line")
    desk.commit({"catalog-info.yaml": TRACED, "app.py": app, "old.txt": "goes\n", "own.py": "ours = 1\n"}, "billing")
    return orders


def test_a_repository_is_adopted_at_its_old_version_and_upgraded(
    billing: str, desk: Desk, taxiway: Taxiway, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.template({"app.py": APP.replace("line 1\n", "line one\n"), "old.txt": None, "new.txt": "new\n" * 9})
    capsys.readouterr()
    assert taxiway("candidates", "--output", "json") == 0
    (item,) = json.loads(capsys.readouterr().out)
    assert (item["repository"], item["subject"], item["tool"], item["template"]) == (
        "billing",
        BILLING,
        "backstage",
        billing,
    )
    assert taxiway("adopt", "billing", "--plan", "--output", "json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["version"] == desk.state()["version"]
    assert {"name": "port", "value": "8443", "origin": "found", "lines": 1} in plan["answers"]
    assert taxiway("adopt", "--all") == 0
    assert "billing#1" in capsys.readouterr().out.splitlines()
    record = desk.read("main", ".taxiway/scaffold.yaml", "billing")
    assert record is None
    desk.merge({"repository": "billing", "number": 1})
    until(lambda: bool(desk.client.get(f"{V1}/services", params={"subject": BILLING}).json()["items"]))
    assert desk.state(BILLING)["state"] == "behind"
    assert taxiway("candidates", "--output", "json") == 0
    assert json.loads(capsys.readouterr().out) == []
    started = desk.client.post(f"{V1}/upgrades", json={"subject": BILLING, "answers": {}})
    made = desk.finished(started.json()["id"])
    assert made.output is not None
    assert made.output["conflicts"] == []
    head = made.output["branch"]
    upgraded = desk.read(head, "app.py", "billing") or ""
    assert "8443" in upgraded
    assert "our line" in upgraded
    assert "line one" in upgraded
    assert desk.read(head, "old.txt", "billing") is None
    assert desk.read(head, "own.py", "billing") == "ours = 1\n"


def test_answers_are_corrected_before_they_are_merged(billing: str, desk: Desk) -> None:
    started = desk.client.post(f"{V1}/adoptions", json={"repository": "billing"})
    assert started.status_code == 202, started.text
    made = desk.finished(started.json()["id"])
    assert made.state == "succeeded", made.error
    branch, path = f"taxiway/adopt-{made.id}", ".taxiway/scaffold.yaml"
    text = desk.read(branch, path, "billing") or ""
    text = text.replace("branch: main", "branch: trunk").replace("name: orders", "name: [no name]")
    desk.commit({path: text}, "billing", branch)
    desk.merge({"repository": "billing", "number": 1})
    until(lambda: bool(desk.client.get(f"{V1}/services", params={"subject": BILLING}).json()["items"]))
    answers = desk.state(BILLING)["answers"]
    assert answers["branch"] == "trunk"
    assert answers["name"] == "orders", "what does not fit is as it was proposed"


def test_copiers_answers_are_taken_for_the_template_that_replaces_its(billing: str, desk: Desk) -> None:
    answers = "_src_path: gh:acme/service\n_commit: v1\nname: billing\nPort: 9000\n"
    desk.commit(
        {"catalog-info.yaml": TRACED.replace("default/path", "default/gone"), ".copier-answers.yml": answers}, "billing"
    )
    asked: dict[str, Any] = {"repository": "billing", "template_ref": billing}
    plan = desk.client.post(f"{V1}/adoptions/plan", json=asked).json()
    assert {"name": "port", "value": 9000, "origin": "given", "lines": 0} in plan["answers"]


def test_what_cannot_be_adopted_says_why(billing: str, desk: Desk) -> None:
    def refused(status: int, body: dict[str, Any]) -> str:
        answer = desk.client.post(f"{V1}/adoptions", json=body)
        assert answer.status_code == status, answer.text
        return str(answer.json()["detail"])

    assert "has a record" in refused(409, {"repository": "orders"})
    assert "no repository" in refused(404, {"repository": "nowhere"})
    assert "does not ask for colour" in str(
        desk.client.post(f"{V1}/adoptions/plan", json={"repository": "billing", "answers": {"colour": 1}}).json()
    )
    desk.commit({"catalog-info.yaml": TRACED.replace("name: billing", "name: orders")}, "billing")
    assert "component:default/orders is a service in orders already" in refused(409, {"repository": "billing"})
    desk.commit({"catalog-info.yaml": TRACED.replace("name: billing", "name: vault")}, "billing")
    platform = desk.server.platform
    vault = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "vault"},
        "spec": {"type": "service", "lifecycle": "production", "owner": "guards"},
    }
    item = SourcedEntity(vault, "file:/x/catalog-info.yaml")
    system = platform.system("test")
    platform.store.write(lambda tx: catalog.apply_entities(tx, system, [item], "guards", full=True))
    assert "vault is an entity of group:default/guards" in refused(409, {"repository": "billing"})
    desk.commit({"catalog-info.yaml": "nothing: here\n"}, "billing")
    assert "no component" in refused(422, {"repository": "billing"})
    desk.commit({"catalog-info.yaml": TRACED.replace("annotations", "labels")}, "billing")
    plan = desk.client.post(f"{V1}/adoptions/plan", json={"repository": "billing"})
    assert plan.status_code == 422
    assert "Name the template" in plan.json()["detail"]


def test_undo_closes_what_was_not_merged(billing: str, desk: Desk) -> None:
    made = desk.finished(desk.client.post(f"{V1}/adoptions", json={"repository": "billing"}).json()["id"])
    undone = desk.client.post(f"/api/runs/v1/runs/{made.id}/undo")
    assert undone.status_code in (200, 202), undone.text
    until(lambda: desk.server.platform.runs.get(made.id).state == "undone")
    assert desk.client.get("/api/pulls/v1/pulls/billing/1").json()["state"] == "closed"
