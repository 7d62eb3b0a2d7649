"""Golden paths in figures, and deprecated ones."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import FILES, FORM, STEPS, SUBJECT, V1, Desk

GIVEN = {"owner": "group:default/makers", "name": "second"}


def paths(desk: Desk) -> dict[str, Any]:
    found = desk.client.get(f"{V1}/golden-paths")
    assert found.status_code == 200, found.text
    return dict(found.json())


def deprecate(desk: Desk, **values: Any) -> str:
    return desk.add_template({"parameters": FORM, "steps": STEPS, "taxiway:deprecation": values}, {})


def test_use_success_and_those_that_lag_behind_are_counted(orders: str, desk: Desk) -> None:
    desk.template({"new.txt": "new\n"})
    failed = desk.client.post(
        "/api/scaffolder/v2/tasks", json={"templateRef": orders, "values": {**GIVEN, "branch": "a..b"}}
    )
    assert failed.status_code == 201, failed.text
    assert desk.finished(failed.json()["id"]).state == "failed"
    (item,) = paths(desk)["items"]
    assert (item["template"], item["tasks"], item["succeeded"], item["failed"]) == (orders, 2, 1, 1)
    assert item["success_rate"] == 0.5
    assert item["lead_seconds"] > 0
    assert (item["services"], item["behind"], item["deployed"]) == (1, 1, 0)
    assert item["first_deployment_seconds"] is None
    declined = desk.client.post(f"{V1}/services/decline", json={"subject": SUBJECT})
    assert declined.status_code == 200, declined.text
    assert paths(desk)["items"][0]["behind"] == 0, "what declined the newest version does not lag behind it"


def test_a_deprecated_path_warns_and_then_makes_nothing_new(orders: str, desk: Desk) -> None:
    ref = deprecate(desk, notice="Its base image ends", replacedBy="go-service", deadline="2999-01-01")
    asked = {"template_ref": ref, "values": GIVEN}
    plan = desk.client.post(f"{V1}/plans", json=asked).json()
    (check,) = [item for item in plan["checks"] if item["id"] == "deprecation"]
    assert check["verdict"] == "passed"
    assert "until 2999-01-01): Its base image ends. Use template:default/go-service" in check["detail"]
    form = desk.client.get("/api/scaffolder/v2/templates/default/template/path/parameter-schema").json()
    assert form["taxiway:deprecation"]["is_blocked"] is False
    deprecate(desk, notice="Its base image ended", replacedBy="go-service", deadline="2001-01-01")
    refused = desk.client.post("/api/scaffolder/v2/tasks", json={"templateRef": ref, "values": GIVEN})
    assert refused.status_code == 403
    assert "Use template:default/go-service" in refused.json()["error"]["message"]
    (item,) = paths(desk)["items"]
    assert item["deprecation"]["is_blocked"] is True
    (left,) = desk.client.get(f"{V1}/services", params={"template": ref}).json()["items"]
    assert left["subject"] == "component:default/orders"


def test_services_of_a_blocked_path_keep_their_upgrades(orders: str, desk: Desk) -> None:
    deprecate(desk, notice="No more", blockNewUse=True)
    assert desk.proposed()["number"] == 1


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "notice"),
        ({"notice": "x", "deadline": "soon"}, "YYYY-MM-DD"),
        ({"notice": "x", "until": "2030-01-01"}, "until"),
        ({"notice": "x", "replacedBy": "a:b:c"}, "replacedBy"),
    ],
)
def test_a_deprecation_that_cannot_be_read_is_a_mistake_of_the_template(
    desk: Desk, values: dict[str, Any], told: str
) -> None:
    desk.template(FILES)
    ref = deprecate(desk, **values)
    refused = desk.client.post(f"{V1}/plans", json={"template_ref": ref, "values": GIVEN})
    assert refused.status_code == 422
    assert told in refused.text
    assert paths(desk)["items"][0]["deprecation"] is None
