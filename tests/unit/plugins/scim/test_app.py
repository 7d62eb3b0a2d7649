"""The endpoints: what an identity provider does in the life of a person and a group, and what it may not do."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from taxiway.model.errors import TaxiwayError
from taxiway.plugin import ManualClock, MountedRoutes
from taxiway.plugin.testing import MountedRoutesConformance
from taxiway.plugin.testing.host import MemoryRecords
from taxiway.plugins.scim.app import Answer, Request, ScimApp, told
from taxiway.plugins.scim.directory import Directory
from taxiway.plugins.scim.entities import documents
from taxiway.plugins.scim.schemas import TYPES

BASE = "http://taxiway.test/scim/v2"


class Server:
    def __init__(self, most: int = 100) -> None:
        numbers = count(1)
        self.directory = Directory(MemoryRecords(), ManualClock(), lambda: f"id-{next(numbers):03}", most)
        self.changes = 0
        self.app = ScimApp(self.directory, BASE, self._note)

    def _note(self) -> None:
        self.changes += 1

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        try:
            return self.app.answer(Request(method, tuple(path.strip("/").split("/")), query, headers or {}, raw))
        except TaxiwayError as error:
            return told(error)

    def entities(self) -> list[dict[str, Any]]:
        return list(documents(self.directory.all(TYPES["Users"]), self.directory.all(TYPES["Groups"]), "default"))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def ada(server: Server) -> str:
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada@example.com",
        "externalId": "00u1",
        "name": {"givenName": "Ada", "familyName": "Lovelace"},
        "emails": [{"primary": True, "value": "ada@example.com", "type": "work"}],
        "active": True,
        "password": "secret",
    }
    answer = server.ask("POST", "/Users", body)
    assert answer.status == 201
    assert answer.location == f"{BASE}/Users/{answer.body['id']}"
    assert "secret" not in json.dumps(answer.body)
    return str(answer.body["id"])


class TestContract(MountedRoutesConformance):
    guarded = ("GET", "/v2/Users")

    @pytest.fixture
    def routes(self) -> MountedRoutes:
        return MountedRoutes("scim", "scim", Server().app)


def test_the_life_of_a_person(server: Server, ada: str) -> None:
    found = server.ask("GET", "/Users", filter='userName eq "ADA@example.com"', startIndex="1", count="100").body
    assert (found["totalResults"], found["Resources"][0]["id"]) == (1, ada)
    assert server.ask("POST", "/Users", {"userName": "Ada@Example.com"}).body["scimType"] == "uniqueness"

    group = server.ask("POST", "/Groups", {"displayName": "Analytical Engines", "members": [{"value": ada}]}).body
    assert server.ask("GET", f"/Users/{ada}").body["groups"][0]["display"] == "Analytical Engines"
    kinds = {one["kind"]: one for one in server.entities()}
    assert kinds["Group"]["metadata"]["name"] == "Analytical-Engines"
    assert kinds["User"]["metadata"]["name"] == "ada"
    assert kinds["User"]["spec"] == {
        "profile": {"displayName": "Ada Lovelace", "email": "ada@example.com"},
        "memberOf": ["Analytical-Engines"],
    }

    off = {"Operations": [{"op": "Replace", "path": "active", "value": "False"}]}
    assert server.ask("PATCH", f"/Users/{ada}", off).body["active"] is False
    assert [one["kind"] for one in server.entities()] == ["Group"]

    assert server.ask("DELETE", f"/Users/{ada}").status == 204
    assert server.ask("GET", f"/Users/{ada}").status == 404
    assert "members" not in server.ask("GET", f"/Groups/{group['id']}").body
    assert server.ask("POST", "/Users", {"userName": "ada@example.com"}).status == 201, "the name is free again"
    assert server.changes == 5


def test_changes_are_made_only_to_what_was_read(server: Server, ada: str) -> None:
    tag = server.ask("GET", f"/Users/{ada}").etag
    assert tag == 'W/"1"'
    assert server.ask("GET", f"/Users/{ada}", headers={"if-none-match": tag}).status == 304
    body = {"userName": "ada@example.com", "title": "Countess"}
    assert server.ask("PUT", f"/Users/{ada}", body, headers={"if-match": tag}).etag == 'W/"2"'
    assert server.ask("PUT", f"/Users/{ada}", body).etag == 'W/"2"', "the same again changes nothing"
    late = server.ask("PUT", f"/Users/{ada}", {"userName": "x"}, headers={"if-match": tag})
    assert (late.status, late.body["status"]) == (412, "412")
    assert server.ask("DELETE", f"/Users/{ada}", headers={"if-match": tag}).status == 412
    renamed = server.ask(
        "PATCH", f"/Users/{ada}", {"Operations": [{"op": "replace", "path": "userName", "value": "al"}]}
    )
    assert renamed.status == 200
    assert server.ask("POST", "/Users", {"userName": "ada@example.com"}).status == 201
    assert server.ask("PUT", f"/Users/{ada}", body).status == 409


def test_lists_have_pages_and_parts(server: Server) -> None:
    for number in range(7):
        assert (
            server.ask("POST", "/Users", {"userName": f"u{number}", "title": "odd" if number % 2 else "even"}).status
            == 201
        )
    page = server.ask("GET", "/Users", filter='title eq "odd"', startIndex="2", count="1", attributes="userName").body
    assert (page["totalResults"], page["itemsPerPage"], page["startIndex"]) == (3, 1, 2)
    assert page["Resources"][0]["userName"] == "u3"
    assert "meta" not in page["Resources"][0]
    assert server.ask("GET", "/Users", count="0").body["totalResults"] == 7
    searched = server.ask("POST", "/Users/.search", {"filter": 'userName sw "u"', "count": 2, "attributes": ["title"]})
    assert len(searched.body["Resources"]) == 2
    server.ask("POST", "/Groups", {"displayName": "odd ones"})
    everything = server.ask("POST", "/.search", {"filter": 'displayName co "odd" or title eq "odd"'}).body
    assert {one["schemas"][0].rpartition(":")[2] for one in everything["Resources"]} == {"User", "Group"}


def test_what_it_can_do_is_described(server: Server) -> None:
    assert server.ask("GET", "/ServiceProviderConfig").body["patch"] == {"supported": True}
    assert {one["id"] for one in server.ask("GET", "/ResourceTypes").body["Resources"]} == {"User", "Group"}
    assert server.ask("GET", "/ResourceTypes/User").body["endpoint"] == "/Users"
    names = {one["name"] for one in server.ask("GET", f"/Schemas/{TYPES['Users'].schema}").body["attributes"]}
    assert "userName" in names
    assert "password" not in names


@pytest.mark.parametrize(
    ("method", "path", "body", "query", "status", "kind"),
    [
        ("POST", "/Users", b"{", {}, 400, "invalidSyntax"),
        ("POST", "/Users", b"[" * 100_000, {}, 400, "invalidSyntax"),
        ("POST", "/Users", [], {}, 400, "invalidSyntax"),
        ("POST", "/Users", {}, {}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": " "}, {}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a\0"}, {}, 400, "invalidValue"),
        ("POST", "/Users", {"userName": "a" * 5000}, {}, 400, "invalidValue"),
        ("POST", "/Groups", {"displayName": "x", "members": "y" * 5000}, {}, 400, "invalidValue"),
        ("GET", "/Users", None, {"filter": "userName"}, 400, "invalidFilter"),
        ("GET", "/Users", None, {"count": "many"}, 400, "invalidSyntax"),
        ("GET", "/Users/nobody", None, {}, 404, None),
        ("GET", "/Users/" + "x" * 600, None, {}, 404, None),
        ("DELETE", "/Users/nobody", None, {}, 404, None),
        ("POST", "/Bulk", {}, {}, 404, None),
        ("GET", "/Me", None, {}, 404, None),
        ("DELETE", "/Users", None, {}, 405, None),
        ("POST", "/Schemas", {}, {}, 405, None),
        ("GET", "/Users/a/b", None, {}, 404, None),
    ],
)
def test_bad_calls_get_scim_errors(
    server: Server, method: str, path: str, body: Any, query: dict[str, str], status: int, kind: str | None
) -> None:
    answer = server.ask(method, path, body, **query)
    assert (answer.status, answer.body.get("scimType")) == (status, kind)
    assert answer.body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert answer.body["detail"]
    assert server.changes == 0


def test_a_provider_that_runs_wild_is_stopped() -> None:
    server = Server(most=2)
    assert [server.ask("POST", "/Users", {"userName": f"u{n}"}).status for n in range(3)] == [201, 201, 413]


def test_a_removal_in_the_middle_of_a_creation_does_no_harm() -> None:
    server = Server()
    server.ask("POST", "/Users", {"userName": "first"})

    def new_id() -> str:
        server.ask("DELETE", "/Users/id-001")
        return "id-002"

    other = replace(server.directory, new_id=new_id)
    assert other.create(TYPES["Users"], {"userName": "second"}).id == "id-002"


def test_two_people_with_one_name_stay_two(server: Server) -> None:
    for name in ("ada@a.example", "ada@b.example"):
        server.ask("POST", "/Users", {"userName": name})
    first, second = (one["metadata"]["name"] for one in server.entities())
    assert first == "ada"
    assert second.startswith("ada-")
    assert second == server.entities()[1]["metadata"]["name"], "the same every time"
    off = {"Operations": [{"op": "replace", "value": {"active": False}}]}
    server.ask("PATCH", "/Users/id-001", off)
    assert [one["metadata"]["name"] for one in server.entities()] == [second], "nobody becomes who somebody else was"
