"""PATCH as the RFC has it, and as Entra ID and Okta send it."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.model.errors import InputError
from taxiway.plugins.scim.patching import Immutable, NoTarget, patched
from taxiway.plugins.scim.resources import InvalidValue, kept, projected
from taxiway.plugins.scim.schemas import ENTERPRISE, TYPES

USERS, GROUPS = TYPES["Users"], TYPES["Groups"]


def patch(resource: dict[str, Any], *operations: dict[str, Any], group: bool = False) -> dict[str, Any]:
    kind = GROUPS if group else USERS
    return kept(kind, patched(kind, resource, {"Operations": list(operations)}))


def test_entra_changes_a_user() -> None:
    # The shapes of Microsoft's own reference requests.
    user = {
        "userName": "ada@example.com",
        "active": True,
        "name": {"givenName": "Ada", "familyName": "K"},
        "emails": [{"type": "work", "value": "ada@example.com"}],
    }
    changed = patch(
        user,
        {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "ada@lovelace.example"},
        {"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "555"},
        {"op": "Replace", "path": "name.familyName", "value": "Lovelace"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Engines"},
        {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": "42"},
        {"op": "Replace", "value": {"displayName": "Ada L", "name.givenName": "Augusta"}},
    )
    assert changed == {
        "userName": "ada@example.com",
        "displayName": "Ada L",
        "active": False,
        "name": {"givenName": "Augusta", "familyName": "Lovelace"},
        "emails": [{"type": "work", "value": "ada@lovelace.example"}],
        "phoneNumbers": [{"type": "mobile", "value": "555"}],
        ENTERPRISE: {"department": "Engines", "manager": {"value": "42"}},
    }


def test_okta_deactivates_without_a_path() -> None:
    assert patch({"userName": "a"}, {"op": "replace", "value": {"active": False}})["active"] is False


def test_an_extension_is_changed_as_a_whole() -> None:
    user = {"userName": "a", ENTERPRISE: {"department": "x", "costCenter": "1"}}
    more = patch(user, {"op": "add", "path": ENTERPRISE, "value": {"department": "y"}})
    assert more[ENTERPRISE] == {"department": "y", "costCenter": "1"}
    assert patch(user, {"op": "replace", "path": ENTERPRISE, "value": {"division": "z"}})[ENTERPRISE] == {
        "division": "z"
    }
    assert ENTERPRISE not in patch(user, {"op": "remove", "path": ENTERPRISE})


def test_members_come_and_go() -> None:
    group = {"displayName": "Engines", "members": [{"value": "1"}, {"value": "2"}]}
    more = patch(group, {"op": "add", "path": "members", "value": [{"value": "2"}, {"value": "3"}]}, group=True)
    assert [one["value"] for one in more["members"]] == ["1", "2", "3"]
    by_filter = patch(group, {"op": "remove", "path": 'members[value eq "1"]'}, group=True)
    assert by_filter["members"] == [{"value": "2"}]
    by_value = patch(group, {"op": "Remove", "path": "members", "value": [{"value": "2"}]}, group=True)
    assert by_value["members"] == [{"value": "1"}]
    assert "members" not in patch(group, {"op": "remove", "path": "members"}, group=True)
    renamed = patch(group, {"op": "replace", "value": {"id": "x", "displayName": "New"}}, group=True)
    assert renamed["displayName"] == "New", "what cannot change, sent back as it was, is no fault"


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "replace", "path": 'emails[type eq "home"].value', "value": "x"}, NoTarget),
        ({"op": "remove"}, NoTarget),
        ({"op": "replace", "path": "emails.value", "value": "x"}, NoTarget),
        ({"op": "replace", "path": "urn:x:y:z", "value": "x"}, NoTarget),
        ({"op": "replace", "path": "a..b", "value": "x"}, NoTarget),
        ({"op": "replace", "path": "id", "value": "x"}, Immutable),
        ({"op": "replace", "path": "active", "value": "perhaps"}, InvalidValue),
        ({"op": "remove", "path": "userName"}, InvalidValue),
        ({"op": "replace", "path": "userName", "value": {"a": 1}}, InvalidValue),
        ({"op": "add", "path": "emails", "value": [1]}, InvalidValue),
        ({"op": "add", "path": "emails[type eq", "value": "x"}, InputError),
        ({"op": "move", "path": "title"}, InputError),
        ({"op": "add", "path": 7}, InputError),
        ({"op": "add", "value": "x"}, InputError),
        ("add", InputError),
    ],
)
def test_what_cannot_be_done_is_said(operation: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        patch({"userName": "a", "emails": [{"type": "work", "value": "b"}]}, operation)


@pytest.mark.parametrize("body", [None, [], {}, {"Operations": []}, {"Operations": {}}])
def test_a_body_without_operations_is_said(body: Any) -> None:
    with pytest.raises(InputError):
        patched(USERS, {"userName": "a"}, body)


def test_passwords_and_unknown_attributes_are_not_kept() -> None:
    body = {"UserName": "a", "password": "secret", "groups": [{"value": "1"}], "x": 1, "emails": ["a@b.c"]}
    assert kept(USERS, body) == {"userName": "a", "emails": [{"value": "a@b.c"}]}


def test_parts_can_be_asked_for() -> None:
    user = {"schemas": [], "id": "1", "userName": "a", "emails": [{"value": "x", "type": "work"}], "title": "t"}
    assert projected(user, ["emails.value"], []) == {"schemas": [], "id": "1", "emails": [{"value": "x"}]}
    assert projected(user, [], ["emails", "title", "id"]) == {"schemas": [], "id": "1", "userName": "a"}
