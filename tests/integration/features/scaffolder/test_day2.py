"""Golden paths for what exists: which entity they are for, who may run them, and a database by pull request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from factories.scaffolding import FEATURES, Desk, desk, entity
from taxiway.cli.catalog import actions
from taxiway.cli.create import create
from taxiway.cli.errors import CliError
from taxiway.features.pulls.contrib import FEATURE as PULLS

SHOP, ORDERS = "component:default/shop", "component:default/orders"
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: .  # built by the pipeline
    variables:
      LEVEL: info
resources:
  # what every environment has
  env: {type: environment}
"""


def component(name: str, owner: str, **spec: str) -> dict[str, Any]:
    annotations = {"taxiway.dev/repository": name}
    body = {"type": "service", "lifecycle": "production", "owner": owner, **spec}
    return entity("Component", name, body, annotations=annotations)


@pytest.fixture(scope="module")
def at() -> Iterator[Desk]:
    access, *others = FEATURES
    with desk([access, PULLS, *others]) as there:
        chiefs = entity("Group", "chiefs", {"type": "team", "children": []})
        refused = there.apply(chiefs, component("shop", "makers"), component("orders", "chiefs", type="website"))
        assert refused == []
        bound = {"filter": ["kind=component,spec.type=service", "kind=component,spec.type=website"]}
        there.template(day2({"kind": "Component"}), "tell")
        there.template(day2({**bound}, parameter="which"), "either")
        there.template(day2({"kind": "API"}), "for-apis")
        there.template({"steps": [{"action": "debug:log"}]}, "ordinary")
        yield there


def day2(bound: dict[str, Any], parameter: str = "entity") -> dict[str, Any]:
    steps = [{"id": "see", "action": "debug:log", "input": {"message": "about ${{ parameters." + parameter + " }}"}}]
    page = {"title": "Which", "properties": {parameter: {"type": "string"}}}
    return {"taxiway:for": {**bound, "parameter": parameter}, "parameters": [page], "steps": steps}


def test_an_entity_has_the_paths_that_are_for_it_and_says_who_may(at: Desk) -> None:
    with at.client() as client:
        offers = client.get("/api/scaffolder/v1/offers/component/default/shop").json()["items"]
        other = client.get("/api/scaffolder/v1/offers/component/default/orders").json()["items"]
        assert client.get("/api/scaffolder/v1/offers/component/default/nothing").status_code == 404
    assert [(one["template_ref"], one["parameter"], one["allowed"]) for one in offers] == [
        ("template:default/either", "which", True),
        ("template:default/tell", "entity", True),
    ]
    assert [(one["allowed"], "belongs to group:default/chiefs" in one["reason"]) for one in other] == [
        (False, True)
    ] * 2


def test_a_path_runs_for_its_own_kind_and_by_who_owns_the_entity(at: Desk) -> None:
    made = at.post("template:default/tell", values={"entity": "shop"})
    assert made.status_code == 201, made.text
    run = at.end(made.json()["id"])
    assert (run.subject, run.owner, run.title) == (SHOP, "group:default/makers", "tell: shop")
    for body, status, code in (
        ({"entity": "orders"}, 403, ""),
        ({"entity": "group:default/makers"}, 400, "is not for group:default/makers: it is for kind Component"),
        ({"entity": "component:default/gone"}, 404, "there is no entity component:default/gone"),
        ({}, 400, "name the entity as 'entity'"),
    ):
        refused = at.post("template:default/tell", values=body)
        assert (refused.status_code, code in refused.text) == (status, True), refused.text
        with at.client() as client:
            asked = {"template_ref": "template:default/tell", "values": body}
            assert client.post("/api/scaffolder/v1/plans", json=asked).status_code == {400: 422}.get(status, status)
    assert at.post("template:default/tell", role="platform", values={"entity": "orders"}).status_code == 201


def test_the_commands_list_and_run_them(
    at: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", at.served.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("developer", "user:default/dev"))
    actions("shop")
    assert "template:default/tell" in capsys.readouterr().out
    assert create("tell", for_="shop") == 0
    assert "about component:default/shop" in capsys.readouterr().out
    with pytest.raises(CliError, match="is not for component:default/shop; golden paths for it: template:default/eith"):
        create("for-apis", for_="shop")


def test_a_database_is_added_by_a_pull_request_that_keeps_the_file_as_it_is(at: Desk) -> None:
    write = {"id": "write", "action": "roadiehq:utils:fs:write", "input": {"path": "score.yaml", "content": SCORE}}
    publish = {"id": "publish", "action": "publish:git", "input": {"name": "shop", "owner": "makers"}}
    assert at.run([write, publish]).state == "succeeded"
    outputs = ["host", "password"]
    given = {"entityRef": SHOP, "name": "db", "type": "postgres", "prefix": "DATABASE", "outputs": outputs}
    run = at.run([{"id": "add", "action": "resource:add", "input": given}])
    assert run.state == "succeeded", run.error
    forge = at.served.platform.registry.all("forge")[0]
    text = (forge.read_file("shop", "add-db", "score.yaml") or b"").decode()
    lines = [line for line in text.splitlines() if line not in SCORE.splitlines()]
    assert [line.strip() for line in lines] == [
        "DATABASE_HOST: ${resources.db.host}",
        "DATABASE_PASSWORD: ${resources.db.password}",
        "db:",
        "type: postgres",
    ]
    assert all(line in text.splitlines() for line in SCORE.splitlines()), "comments and layout stay"
    taken = {"steps": [{"id": "add", "action": "resource:add", "input": {**given, "name": "env"}}]}
    assert "there is a resource 'env' already" in at.post(at.template(taken)).text
    assert at.undo(run.id).state == "undone"
    assert forge.resolve("shop", "add-db") is None
