"""A golden path moves on, and what it made follows by pull request: nothing of the service's own work is lost."""

from __future__ import annotations

from .conftest import APP, FILES, FORM, MADE, SUBJECT, V1, Desk, until


def test_a_new_version_arrives_as_a_pull_request_and_keeps_the_services_own_work(orders: str, desk: Desk) -> None:
    first = desk.state()
    assert first["state"] == "current"
    assert first["version"] in (desk.read("main", ".taxiway/scaffold.yaml") or "")
    assert desk.client.post(f"{V1}/upgrades", json={"subject": SUBJECT}).status_code == 409
    desk.commit({"app.py": MADE.replace("line 11", "my line"), "own.txt": "mine\n"})
    desk.template(
        {"app.py": APP.replace("line 0\n", "line zero\n"), "new.txt": "port ${{ values.port }}\n", "old.txt": None}
    )
    assert desk.state()["state"] == "behind"
    pull = desk.proposed()
    behind = desk.state()
    assert (behind["state"], behind["pull"]) == ("proposed", pull["number"])
    assert orders in pull["body"]
    branch = pull["head"]
    merged = desk.read(branch, "app.py") or ""
    assert "line zero" in merged
    assert "my line" in merged
    assert desk.read(branch, "new.txt") == "port 80\n"
    assert desk.read(branch, "old.txt") is None
    assert desk.read(branch, "own.txt") == "mine\n"
    assert desk.read("main", "old.txt") == "goes\n", "nothing moves before the merge"
    desk.merge(pull)
    until(lambda: desk.state()["state"] == "current")
    assert desk.state()["version"] == behind["newest"]


def test_what_both_sides_changed_is_marked_as_git_marks_it(orders: str, desk: Desk) -> None:
    desk.commit({"app.py": MADE.replace("line 5", "mine")})
    desk.template({"app.py": APP.replace("line 5", "theirs")})
    pull = desk.proposed()
    assert pull["conflicts"] == [{"path": "app.py", "kind": "content"}]
    assert "`app.py`: both sides changed it" in pull["body"]
    assert pull["draft"], "conflict marks are not merged by mistake"
    refused = desk.client.post(f"/api/pulls/v1/pulls/orders/{pull['number']}/merge", json={})
    assert refused.status_code == 409
    text = desk.read(pull["head"], "app.py") or ""
    assert "<<<<<<< this repository\nmine\n=======\ntheirs\n>>>>>>> the change\n" in text


def test_a_closed_pull_request_declines_the_version_until_there_is_another(orders: str, desk: Desk) -> None:
    desk.template({"new.txt": "one\n"})
    number = desk.proposed()["number"]
    closed = desk.client.post(f"/api/pulls/v1/pulls/orders/{number}/close")
    assert closed.status_code == 200, closed.text
    until(lambda: desk.state()["state"] == "declined")
    desk.template({"new.txt": "two\n"})
    assert desk.state()["state"] == "behind"
    declined = desk.client.post(f"{V1}/services/decline", json={"subject": SUBJECT})
    assert declined.json()["state"] == "declined"


def test_a_declined_version_can_be_taken_after_all(orders: str, desk: Desk) -> None:
    desk.template({"new.txt": "one\n"})
    first = desk.proposed()
    desk.client.post(f"/api/pulls/v1/pulls/orders/{first['number']}/close")
    until(lambda: desk.state()["state"] == "declined")
    desk.commit({"note.txt": "why not\n"}, branch=first["head"])
    second = desk.proposed()
    assert second["number"] != first["number"]
    assert second["head"] == f"{first['head']}-2", "the branch that the first one left is not touched"
    desk.merge(second)
    until(lambda: desk.state()["state"] == "current")


def test_a_newer_version_takes_the_place_of_the_one_that_is_still_proposed(orders: str, desk: Desk) -> None:
    desk.template({"new.txt": "one\n"})
    first = desk.proposed()
    desk.template({"new.txt": "two\n"})
    second = desk.proposed()
    assert desk.client.get(f"/api/pulls/v1/pulls/orders/{first['number']}").json()["state"] == "closed"
    assert desk.state()["pull"] == second["number"]
    desk.merge(second)
    until(lambda: desk.state()["state"] == "current")
    assert desk.read("main", "new.txt") == "two\n"


def test_an_upgrade_that_is_undone_leaves_the_service_behind(orders: str, desk: Desk) -> None:
    desk.template({"new.txt": "one\n"})
    run = desk.upgrade()
    assert desk.client.post(f"/api/runs/v1/runs/{run.id}/undo").status_code in (200, 202)
    until(lambda: desk.server.platform.runs.get(run.id).state == "undone")
    assert desk.state()["state"] == "behind"


def test_new_questions_are_asked(orders: str, desk: Desk) -> None:
    form = {**FORM, "required": ["owner", "tier"], "properties": {**FORM["properties"], "tier": {"type": "string"}}}
    desk.template({"tier.txt": "${{ values.tier }}\n"}, form)
    asked = desk.client.post(f"{V1}/upgrades", json={"subject": SUBJECT})
    assert asked.status_code == 422
    assert "tier" in asked.text
    pull = desk.proposed(tier="gold")
    assert desk.read(pull["head"], "tier.txt") == "gold\n"


def test_what_is_not_there_or_not_allowed_is_said(orders: str, desk: Desk) -> None:
    missing = desk.client.post(f"{V1}/upgrades", json={"subject": "component:default/other"})
    assert missing.status_code == 404
    with desk.server.client(desk.server.token("viewer", "user:default/viewer")) as viewer:
        assert viewer.post(f"{V1}/upgrades", json={"subject": SUBJECT}).status_code == 403
        assert viewer.post(f"{V1}/upgrades/plan", json={"subject": SUBJECT}).status_code == 403


def test_services_are_found_by_state_and_golden_path(orders: str, desk: Desk) -> None:
    def found(**query: str) -> list[str]:
        items = desk.client.get(f"{V1}/services", params=query).json()["items"]
        return [item["subject"] for item in items]

    assert found(state="current") == [SUBJECT]
    assert found(state="behind") == []
    desk.template({"new.txt": "one\n"})
    assert found(state="behind", template="path") == [SUBJECT]
    assert found(template="template:default/other") == []


def test_a_deleted_repository_is_remembered_no_more(orders: str, desk: Desk) -> None:
    desk.forge.delete_repository("orders", archive=False)
    until(lambda: desk.client.get(f"{V1}/services").json()["items"] == [])


def test_a_plan_shows_what_an_upgrade_would_do_and_keeps_nothing(orders: str, desk: Desk) -> None:
    desk.commit({"app.py": MADE.replace("line 5", "mine")})
    desk.template({"app.py": APP.replace("line 5", "theirs"), "new.txt": "a\nb\n", "old.txt": None})
    before = (desk.forge.branches("orders"), sorted(desk.forge.path("orders").rglob("objects/??/*")))
    plan = desk.plan()
    files = {item["path"]: (item["status"], item["additions"], item["deletions"]) for item in plan["files"]}
    assert files["new.txt"] == ("added", 2, 0)
    assert files["old.txt"] == ("removed", 0, 1)
    assert files["app.py"][0] == "modified"
    assert [item["path"] for item in plan["conflicts"]] == ["app.py"]
    assert (plan["version"], plan["to"]) == (desk.state()["version"], desk.state()["newest"])
    assert plan["is_ready"]
    assert (desk.forge.branches("orders"), sorted(desk.forge.path("orders").rglob("objects/??/*"))) == before
    assert desk.state()["state"] == "behind"


def test_a_plan_asks_what_is_new_and_what_no_longer_fits(orders: str, desk: Desk) -> None:
    tier = {"type": "string", "enum": ["gold", "silver"], "title": "Tier"}
    properties = {**FORM["properties"], "tier": tier, "port": {"type": "integer", "minimum": 1024}}
    desk.template(FILES, {**FORM, "required": ["owner", "tier"], "properties": properties})
    plan = desk.plan()
    asked = {item["name"]: item for item in plan["questions"]}
    assert set(asked) == {"tier", "port"}
    assert asked["tier"]["schema"] == tier
    assert (asked["tier"]["is_new"], asked["tier"]["is_required"], asked["port"]["is_new"]) == (True, True, False)
    assert "1024" in asked["port"]["problem"]
    assert (plan["files"], plan["is_ready"]) == (None, False)
    assert desk.plan(tier="gold", port=8080)["is_ready"]
