"""From a template to a repository: plan, run, retry, undo, secrets, refusals."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from factories.served import Served
from taxiway.cli.create import create
from taxiway.cli.runs import undo
from taxiway.model.run import Run
from taxiway.plugin import CheckResult, Forge

from .conftest import FILES, FORM, PUBLISH

AddTemplate = Callable[..., str]
Finished = Callable[[str], Run]
TASKS = "/api/scaffolder/v2/tasks"
ENTITY = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: boxes}\n"
    "spec: {type: service, lifecycle: production, owner: makers}\n"
)
ANSWERS = {"name": "boxes", "owner": "group:default/makers"}


def developer(server: Served) -> Any:
    return server.client(server.token("developer", "user:default/dev"))


def forge(server: Served) -> Forge:
    return server.platform.registry.get("forge", "git_local", Forge)


def test_a_template_becomes_a_repository_and_undo_takes_it_back(
    server: Served, add_template: AddTemplate, finished: Finished
) -> None:
    ref = add_template(PUBLISH, FILES)
    with developer(server) as client:
        made = client.post(TASKS, json={"templateRef": ref, "values": ANSWERS})
        assert made.status_code == 201, made.text
        run = finished(made.json()["id"])
        assert run.state == "succeeded", run.error
        assert forge(server).read_file("boxes", "main", "boxes.txt") == b"hello boxes\n"
        assert run.output is not None
        assert run.output["links"][0]["url"].endswith("/git/boxes.git")
        task = client.get(f"{TASKS}/{run.id}").json()
        assert task["status"] == "completed"
        events = client.get(f"{TASKS}/{run.id}/events").json()
        assert events[-1]["type"] == "completion"
        assert client.post(f"/api/runs/v1/runs/{run.id}/undo").status_code == 202
        assert finished(run.id).state == "undone"
    assert forge(server).get_repository("boxes") is None


def test_undo_refuses_a_repository_that_others_committed_to_until_it_is_confirmed_by_name(
    server: Served,
    add_template: AddTemplate,
    finished: Finished,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from taxiway.model.workload import FileChange

    ref = add_template(PUBLISH, FILES)
    with developer(server) as client:
        run = finished(client.post(TASKS, json={"templateRef": ref, "values": ANSWERS}).json()["id"])
        forge(server).commit("boxes", "main", {"more": FileChange(b"x")}, message="m", author="user:default/else")
        for confirm in ([], ["another"]):
            refused = client.post(f"/api/runs/v1/runs/{run.id}/undo", json={"confirm": confirm})
            assert (refused.status_code, refused.json()["code"]) == (409, "run.unconfirmed")
        after = server.platform.runs.get(run.id)
        plan = client.get(f"/api/runs/v1/runs/{run.id}/undo").json()
    assert [one["kind"] for one in plan["removes"]] == ["commit", "repository"]
    (changed,) = plan["changed"]
    assert (changed["name"], "has a commit made since, the last: m" in changed["reason"]) == ("boxes", True)
    assert changed["reason"] in refused.text
    assert after == run, "nothing was taken back before the refusal"
    assert forge(server).get_repository("boxes") is not None
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token("developer", "user:default/dev"))
    assert undo(run.id, plan=True) == 0
    assert "boxes" in capsys.readouterr().out
    assert undo(run.id, confirm=["boxes"]) == 0
    assert server.platform.runs.get(run.id).state == "undone"
    assert forge(server).get_repository("boxes") is None


def test_the_plan_shows_files_names_and_checks_and_changes_nothing(server: Served, add_template: AddTemplate) -> None:
    ref = add_template(PUBLISH, FILES)
    with developer(server) as client:
        plan = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": ANSWERS}).json()
        assert [item["path"] for item in plan["files"]] == ["boxes.txt", "catalog-info.yaml", ".taxiway/scaffold.yaml"]
        assert {"kind": "repository", "name": "boxes", "taken": False} in plan["names"]
        assert {"kind": "entity", "name": "component:default/boxes", "taken": False} in plan["names"]
        verdicts = {check["id"]: check["verdict"] for check in plan["checks"]}
        assert verdicts == {"owner": "passed", "policy": "not_checked", "cost": "not_checked"}
        again = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": ANSWERS}).json()
        assert again["hash"] == plan["hash"]
        assert client.get(f"/api/scaffolder/v1/plans/{plan['id']}").json()["hash"] == plan["hash"]
    assert forge(server).get_repository("boxes") is None
    with server.client(server.token("developer", "user:default/other")) as other:
        assert other.get(f"/api/scaffolder/v1/plans/{plan['id']}").status_code == 404


class GreetingsPolicy:
    """Refuses files that greet; it reads what they hold."""

    key = "greetings"

    def check(self, plan: Mapping[str, Any]) -> CheckResult:
        held = {item["path"]: base64.b64decode(item["content_base64"]) for item in plan["files"]}
        bad = [path for path, content in held.items() if content.startswith(b"hello")]
        return CheckResult("policy", "Policy", "failed" if bad else "passed", f"{', '.join(bad)} greets: do not")


def test_policy_and_cost_are_not_checked_until_somebody_does(
    server: Served, add_template: AddTemplate, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_template(PUBLISH, FILES)
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token("developer", "user:default/dev"))
    assert create("path", plan=True, **ANSWERS) == 0
    printed = capsys.readouterr().out
    assert "not checked  Policy: no policy that judges plans is installed" in printed
    assert "not checked  Cost: no cost estimate is installed" in printed
    server.platform.registry.add("plan_check", GreetingsPolicy(), "test")
    assert create("path", plan=True, **ANSWERS) == 0
    printed = capsys.readouterr().out
    assert "failed       Policy: boxes.txt greets: do not" in printed
    assert "not checked  Policy" not in printed
    assert "not checked  Cost" in printed
    with developer(server) as client:
        refused = client.post(TASKS, json={"templateRef": "template:default/path", "values": ANSWERS})
    assert (refused.status_code, "greets: do not" in refused.text) == (403, True)


def test_a_plan_that_was_looked_at_and_changed_since_is_stale(server: Served, add_template: AddTemplate) -> None:
    ref = add_template(PUBLISH, FILES)
    body = {"templateRef": ref, "values": ANSWERS}
    with developer(server) as client:
        seen = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": ANSWERS}).json()["hash"]
        add_template(PUBLISH, {**FILES, "skeleton/new.txt": "new"})
        refused = client.post(TASKS, json={**body, "planHash": seen})
    assert refused.status_code == 409
    assert "stale" in refused.json()["error"]["message"]


def test_refusals_say_what_to_do(server: Served, add_template: AddTemplate, finished: Finished) -> None:
    ref = add_template(PUBLISH, FILES)
    with developer(server) as client:

        def refused(values: dict[str, Any], template: str = ref) -> tuple[int, str]:
            answer = client.post(TASKS, json={"templateRef": template, "values": values})
            return answer.status_code, answer.json()["error"]["message"]

        assert refused({"name": "BAD", "owner": "x"})[0] == 400
        assert "not in the catalog" in refused({**ANSWERS, "owner": "group:default/nobody"})[1]
        assert refused(ANSWERS, "template:default/nope") == (404, "there is no template template:default/nope")
        finished(client.post(TASKS, json={"templateRef": ref, "values": ANSWERS}).json()["id"])
        status, message = refused(ANSWERS)
        assert (status, "repository boxes" in message) == (409, True)
    with server.client(server.token("developer", "user:default/stranger")) as stranger:
        answer = stranger.post(TASKS, json={"templateRef": ref, "values": {**ANSWERS, "name": "other"}})
        assert answer.status_code == 403
        assert "does not belong to" in answer.json()["error"]["message"]
    with server.client(server.token("viewer", "user:default/viewer")) as viewer:
        assert viewer.post(TASKS, json={"templateRef": ref, "values": ANSWERS}).status_code == 403


def test_conditions_loops_and_cleanup_steps(server: Served, add_template: AddTemplate, finished: Finished) -> None:
    steps = [
        {"id": "skipped", "action": "debug:log", "if": "${{ parameters.owner == 'x' }}", "input": {"message": "no"}},
        {
            "id": "loop",
            "action": "debug:log",
            "each": "${{ ['a', 'b'] }}",
            "input": {"message": "item ${{ each.key }} ${{ each.value }}"},
        },
        {"id": "fetch", "action": "fetch:plain", "input": {"url": "./skeleton"}},
        # A dry run reads the file in the workspace; only the run itself misses the repository.
        {"id": "breaks", "action": "catalog:register", "input": {"repository": "absent"}},
        {"id": "after", "action": "debug:log", "input": {"message": "never"}},
        {"id": "cleanup", "action": "debug:log", "if": "${{ failure() }}", "input": {"message": "cleaned"}},
    ]
    ref = add_template({"parameters": FORM, "steps": steps}, {"skeleton/catalog-info.yaml": ENTITY})
    with developer(server) as client:
        made = client.post(TASKS, json={"templateRef": ref, "values": ANSWERS})
        assert made.status_code == 201, made.text
        run_id = made.json()["id"]
    run = finished(run_id)
    assert run.state == "failed"
    assert {step.id: step.state for step in run.steps}["skipped"] == "skipped"
    assert {step.id: step.state for step in run.steps}["cleanup"] == "succeeded"
    assert {step.id: step.state for step in run.steps}["after"] in ("pending", "skipped")
    text = "\n".join(line.text for _, line in server.platform.runs.logs(run_id, step=None, after=0, limit=100))
    assert "item 0 a" in text
    assert "item 1 b" in text
    assert "cleaned" in text
    assert "never" not in text


def test_files_outside_of_the_templates_folder_are_read_within_its_repository_only(
    server: Served, add_template: AddTemplate, tmp_path: Path
) -> None:
    shared = tmp_path / "templates" / "skeletons" / "ci"
    shared.mkdir(parents=True)
    (shared / "ci.yaml").write_text("name: ${{ values.name }}\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("s")
    steps = [
        {"id": "near", "action": "fetch:template", "input": {"url": "../skeletons/ci", "values": {"name": "n"}}},
        {"id": "far", "action": "fetch:plain", "input": {"url": "../../outside"}},
    ]
    ref = add_template({"steps": steps})
    with developer(server) as client:
        plan = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": {}}).json()
    assert [item["path"] for item in plan["files"]] == ["ci.yaml"]
    (check,) = [check for check in plan["checks"] if check["id"] == "step:far"]
    assert check["verdict"] == "failed"
    assert "leaves" in check["detail"]


def test_a_plan_names_every_action_that_is_missing_and_nothing_starts(
    server: Served, add_template: AddTemplate
) -> None:
    steps = [
        {"id": "one", "action": "acme:nowhere", "input": {}},
        {"id": "two", "action": "debug:log", "each": "${{ steps.one.output.items }}", "input": {"message": "x"}},
        {"id": "three", "action": "acme:either", "input": {}},
    ]
    ref = add_template({"steps": steps})
    with developer(server) as client:
        plan = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, "values": {}}).json()
        verdicts = {check["id"]: check["verdict"] for check in plan["checks"]}
        assert (verdicts["step:one"], verdicts["step:two"], verdicts["step:three"]) == (
            "failed",
            "not_checked",
            "failed",
        )
        refused = client.post(TASKS, json={"templateRef": ref, "values": {}})
    assert refused.status_code == 403
    assert "acme:nowhere" in refused.text
    assert "acme:either" in refused.text


def test_a_secret_is_found_nowhere_but_in_the_encrypted_store(
    server: Served, add_template: AddTemplate, finished: Finished, tmp_path: Path
) -> None:
    form = {
        "title": "What",
        "required": ["name", "key"],
        "properties": {"name": {"type": "string"}, "key": {"type": "string", "ui:field": "Secret"}},
    }
    steps = [{"id": "say", "action": "debug:log", "input": {"message": "the key is ${{ secrets.key }}!"}}]
    ref = add_template({"parameters": form, "steps": steps})
    planted = "planted-7f3c9b1e-secret"
    with developer(server) as client:
        made = client.post(TASKS, json={"templateRef": ref, "values": {"name": "a"}, "secrets": {"key": planted}})
        assert made.status_code == 201, made.text
        run = finished(made.json()["id"])
        assert run.state == "succeeded", run.error
        answers = [
            client.get(f"/api/runs/v1/runs/{run.id}").text,
            client.get(f"/api/runs/v1/runs/{run.id}/logs").text,
            client.get(f"{TASKS}/{run.id}").text,
        ]
    assert "the key is" in answers[1]
    assert all(planted not in answer for answer in answers)
    for path in (tmp_path / "data").rglob("*"):
        if path.is_file():
            assert planted.encode() not in path.read_bytes(), path


def test_questions_come_in_the_order_of_the_author(server: Served, add_template: AddTemplate) -> None:
    def questions(client: Any, names: list[str]) -> list[str]:
        page = {"title": "What", "properties": {name: {"type": "string"} for name in names}}
        add_template({"parameters": page, "steps": PUBLISH["steps"]})
        path = "/api/scaffolder/v2/templates/default/template/path/parameter-schema"
        return list(client.get(path).json()["steps"][0]["schema"]["properties"])

    with developer(server) as client:
        assert questions(client, ["zone", "name", "owner"]) == ["zone", "name", "owner"]
        # Another order alone is a change too.
        assert questions(client, ["owner", "zone", "name"]) == ["owner", "zone", "name"]
