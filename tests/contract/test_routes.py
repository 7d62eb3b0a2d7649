"""Every mounted route, called as nobody, as somebody without a role, and as a developer who owns nothing.

The lists of exceptions are exact: a new open route fails here until somebody has thought about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from factories.served import Served, served
from taxiway.core.http.described import BODIES
from taxiway.core.http.route import OperationRoute
from taxiway.core.http.table import RouteTable
from taxiway.core.operations import Operation
from taxiway.features.access import service as access
from taxiway.model.access import Principal
from taxiway.model.run import RunSpec, StepDefinition

OPEN = {
    "GET /healthz": 200,
    "GET /readyz": 200,
    "GET /openapi.json": 200,
    "GET /{path:path}": 200,
    "POST /api/access/v1/sessions": 422,
    "DELETE /api/access/v1/sessions/current": 204,
    "POST /api/access/v1/sessions/current/end": 200,
    "GET /api/access/v1/ways": 200,
    "GET /api/access/v1/oidc/{name}/start": 404,
    "GET /api/access/v1/oidc/{name}/callback": 303,
}
"""What nobody gets an answer from, and the status of that answer to an empty request."""
SIGNED = {"POST /api/catalog/v1/hooks/{name}": 403}
"""Open to nobody in particular: what is sent must be signed."""
OPEN_TO_THE_POWERLESS = OPEN | {"GET /api/access/v1/me": 200}
ENTITIES = "/api/catalog/entities"
NO_PERMISSION = {
    "access.create_session",
    "access.delete_current_session",
    "access.end_current_session",
    "access.get_me",
    "access.list_sign_in_ways",
    "access.start_oidc_sign_in",
    "access.complete_oidc_sign_in",
    "catalog.receive_hook",
}
"""Operations that declare no permission, because they are how one comes to have any, or are signed instead."""


@dataclass(frozen=True)
class Call:
    """A route as one request: its template, and a path with every parameter filled in."""

    method: str
    template: str
    operation: Operation | None

    @property
    def name(self) -> str:
        return f"{self.method} {self.template}"

    @property
    def path(self) -> str:
        return re.sub(r"\{[^}]+\}", "x", self.template)


def calls_of(routes: list[BaseRoute]) -> Iterator[Call]:
    for route in routes:
        if isinstance(route, RouteTable):
            yield from calls_of(list(route.routes))
        elif isinstance(route, OperationRoute):
            yield Call(route.operation.method, route.path, route.operation)
        elif isinstance(route, Mount):
            for method, path in (("GET", "/x/info/refs"), ("POST", "/x/git-receive-pack"), ("PUT", "/x")):
                yield Call(method, route.path + path, None)
        elif isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield Call(method, route.path, None)
        else:
            raise AssertionError(f"a route of an unknown kind is mounted: {route}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole product with every installed plugin."""
    with served(tmp_path_factory.mktemp("data"), plugins=None) as running:
        yield running


@pytest.fixture(scope="module")
def calls(server: Served) -> list[Call]:
    found = list(calls_of(server.app.routes))
    assert len(found) > 25
    return found


def ask(client: httpx.Client, call: Call) -> int:
    """The status of an empty request. Streams are left open, so only the head is read."""
    with client.stream(call.method, call.path) as answer:
        return answer.status_code


def test_nobody_is_refused_everywhere_else(server: Served, calls: list[Call]) -> None:
    client = server.client()
    answers = {call.name: ask(client, call) for call in calls}
    assert {name: status for name, status in answers.items() if status != 401} == OPEN | SIGNED


def test_a_user_without_a_role_is_refused_everywhere_else(server: Served, calls: list[Call]) -> None:
    answers = {}
    for call in calls:
        client = server.session("user:default/powerless")
        client.headers["x-csrf-token"] = client.cookies["taxiway_csrf"]
        answers[call.name] = ask(client, call)
    is_mount = {
        call.name for call in calls if call.operation is None and call.name not in OPEN and "/api" not in call.path
    }
    open_to_them = {name: status for name, status in answers.items() if status != 403 and name not in is_mount}
    assert open_to_them == OPEN_TO_THE_POWERLESS
    assert all(400 <= answers[name] < 500 for name in is_mount)


def test_a_developer_who_owns_nothing_changes_nothing(server: Served, calls: list[Call]) -> None:
    client = server.client(server.token("developer", "user:default/stranger"))
    writes = [call for call in calls if call.operation is not None and call.operation.effect != "read"]
    answers = {call.name: ask(client, call) for call in writes if call.operation.permission is not None}
    assert {name: status for name, status in answers.items() if not 400 <= status < 500} == {}


def test_every_list_refuses_a_cursor_that_it_did_not_give_in_the_same_words(server: Served) -> None:
    client = server.client(server.token())
    lists = [
        (path, one["name"])
        for path, item in client.get("/openapi.json").json()["paths"].items()
        for one in item.get("get", {}).get("parameters", ())
        if "{" not in path and (one["name"] in ("cursor", "pageCursor") or path + one["name"] == f"{ENTITIES}after")
    ]
    assert len(lists) > 15
    for path, name in lists:
        for cursor in ("x!", "WzEsMiwzLDRd"):  # no cursor at all, and one of four numbers
            answer = client.get(path, params={name: cursor, "text": "abc"})
            assert f"this list gave no such '{name}': leave it out for the first page" in answer.text, path
            assert answer.json().get("code", "input.cursor") == "input.cursor"


def test_what_is_no_json_and_numbers_that_nobody_can_hold_are_refused(server: Served) -> None:
    client = server.client(server.token())
    client.headers["content-type"] = "application/json"
    plans = "/api/scaffolder/v1/plans"
    for path, name, status in (
        ("/api/access/v1/sessions", "link_token", 422),
        (plans, "template_ref", 422),
        ("/api/catalog/entity-facets", "facets", 400),
    ):
        for half in (rb"\ud800", b"\xed\xa0\x80"):
            answer = client.post(path, content=b'{"%s": "a%s"}' % (name.encode(), half))
            assert answer.status_code == status, answer.text
            assert "surrogate" in answer.text
            media, described = BODIES["backstage" if status == 400 else "problem"]
            assert answer.headers["content-type"] == media
            assert set(described.model_validate_json(answer.text, strict=True).model_dump()) == set(answer.json())
        for wrong in (b"NaN", b"1e999", b"[" * 5000):
            answer = client.post(path, content=b'{"%s": %s' % (name.encode(), wrong))
            assert (answer.status_code, "not valid JSON" in answer.text) == (status, True), answer.text
    whole = client.post("/api/access/v1/sessions", content=b'\xef\xbb\xbf{"link_token": "\\ud83d\\ude00"}')
    assert (whole.status_code, whole.json()["code"]) == (401, "authentication.link")
    for number in ("9" * 16, "9" * 5000):
        lines = client.get("/api/runs/v1/runs/x/logs", params={"after": number})
        assert (lines.status_code, lines.json()["code"]) == (422, "input.invalid")
        with client.stream("GET", "/api/events/v1/stream", headers={"last-event-id": number}) as stream:
            assert stream.status_code == 200, "it begins where it would without"


def test_operations_without_a_permission_are_these(calls: list[Call]) -> None:
    found = {call.operation.id for call in calls if call.operation and call.operation.permission is None}
    assert found == NO_PERMISSION


def test_every_permission_is_declared_and_every_id_is_used_once(server: Served, calls: list[Call]) -> None:
    operations = [call.operation for call in calls if call.operation is not None]
    used = {operation.permission for operation in operations if operation.permission}
    assert used - set(server.platform.permissions) == set()
    ids = [operation.id for operation in operations]
    assert len(ids) == len(set(ids))
    assert all(operation.handler.__doc__ for operation in operations), "each operation has a summary"


def test_unknown_paths_of_the_api_are_refused_to_nobody(server: Served) -> None:
    for path in ("/api", "/api/", "/api/x", "/api/runs/v1/x/y/z"):
        assert server.client().get(path).status_code == 401, path


def test_anothers_run_can_be_seen_but_not_steered(server: Served) -> None:
    platform = server.platform
    maker = Principal("user:default/maker", frozenset({"developer"}), frozenset({"user:default/maker"}))
    kind = sorted(platform.runs.parts.handlers)[0]
    spec = RunSpec(kind, "A run", [StepDefinition("a", "A", "debug:log")], owner="group:default/makers")
    run_id = platform.store.write(lambda tx: platform.runs.start(tx, maker, spec))
    stranger = server.client(server.token("developer", "user:default/stranger"))
    run = stranger.get(f"/api/runs/v1/runs/{run_id}").json()
    assert run["actions"] == []
    for action in ("cancel", "retry", "resume", "undo"):
        assert stranger.post(f"/api/runs/v1/runs/{run_id}/{action}").status_code == 403, action
    assert stranger.get(f"/api/runs/v1/runs/{run_id}/undo").status_code == 403
    for path in ("approvals", "signals/go"):
        assert stranger.post(f"/api/runs/v1/runs/{run_id}/{path}", json={}).status_code == 403, path
    owner = server.client(server.token("platform", "user:default/platform"))
    assert owner.get(f"/api/runs/v1/runs/{run_id}").json()["actions"] == ["cancel"]
    assert owner.post(f"/api/runs/v1/runs/{run_id}/cancel").status_code == 202
    with owner.stream("GET", f"/api/runs/v1/runs/{run_id}/events") as answer:
        text = "".join(answer.iter_text())
    assert "event: run\n" in text
    assert 'event: end\ndata: {"state":"cancelled"}' in text


def test_the_roles_of_the_first_start_are_one_administrators(server: Served) -> None:
    assert access.roles_of(server.platform, "user:default/admin") == {"admin"}
    assert access.roles_of(server.platform, "user:default/somebody") == frozenset()
