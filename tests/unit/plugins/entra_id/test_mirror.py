"""Delta queries applied one after the other, and what becomes of the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from taxiway.plugins.entra_id.entities import documents
from taxiway.plugins.entra_id.mirror import Mirror, load, save
from taxiway.plugins.entra_id.settings import EntraOptions

ADA = {
    "id": "u-1",
    "displayName": "Ada Lovelace",
    "mail": "Ada.L@example.com",
    "userPrincipalName": "ada@example.com",
    "jobTitle": None,
    "accountEnabled": True,
    "userType": "Member",
}


def options(**more: Any) -> EntraOptions:
    return EntraOptions.model_validate({"tenant": "t", "client_id": "c", "client_secret": "env:X", **more})


def tenant() -> Mirror:
    mirror = Mirror()
    mirror.apply("users", ADA)
    mirror.apply("users", {"id": "u-2", "userPrincipalName": "bob@example.com", "accountEnabled": False})
    mirror.apply("users", {"id": "u-3", "userPrincipalName": "eve_x#EXT#@example.com", "userType": "Guest"})
    mirror.apply("users", {"id": "u-4", "userPrincipalName": "carl@example.com", "mail": None})
    mirror.apply(
        "groups",
        {
            "id": "g-1",
            "displayName": "Engine Room",
            "mailNickname": "engines",
            "securityEnabled": False,
            "members@delta": [
                {"@odata.type": "#microsoft.graph.user", "id": "u-1"},
                {"@odata.type": "#microsoft.graph.group", "id": "g-2"},
                {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "s-1"},
            ],
        },
    )
    mirror.apply("groups", {"id": "g-2", "displayName": "SG Ops", "mailNickname": "x", "securityEnabled": True})
    return mirror


def names(mirror: Mirror, **more: Any) -> list[str]:
    return [f"{one['kind']}:{one['metadata']['name']}" for one in documents(mirror, options(**more))]


def test_people_and_groups_have_the_names_of_backstage() -> None:
    found = {one["metadata"]["name"]: one for one in documents(tenant(), options())}
    assert list(found) == ["engines", "sg_ops", "ada.l_example.com", "carl_example.com"]
    assert found["ada.l_example.com"]["spec"]["memberOf"] == ["engines"]
    assert found["engines"]["spec"]["children"] == ["sg_ops"]
    assert found["ada.l_example.com"]["metadata"]["annotations"] == {
        "graph.microsoft.com/user-id": "u-1",
        "microsoft.com/email": "Ada.L@example.com",
    }


def test_people_and_groups_are_chosen() -> None:
    assert names(tenant(), groups=["sg *"], members_only=True) == ["Group:sg_ops"]
    assert "User:eve_x_ext_example.com" in names(tenant(), guests=True)
    assert names(tenant(), users=["carl@*"], groups=[]) == ["User:carl_example.com"]


def test_changes_are_applied() -> None:
    mirror = tenant()
    assert mirror.apply("groups", {"id": "g-1", "members@delta": [{"id": "u-1", "@removed": {"reason": "deleted"}}]})
    assert mirror.apply("groups", {"id": "g-2", "@removed": {"reason": "changed"}})
    assert mirror.apply("users", {"id": "u-4", "displayName": "Carl"})
    assert not mirror.apply("users", {"id": "u-9", "@removed": {"reason": "deleted"}})
    assert not mirror.apply("users", {"displayName": "nobody"})
    found = {one["metadata"]["name"]: one for one in documents(mirror, options())}
    assert found["ada.l_example.com"]["spec"]["memberOf"] == []
    assert found["engines"]["spec"]["children"] == []
    assert found["carl_example.com"]["spec"]["profile"] == {"displayName": "Carl"}


@pytest.mark.parametrize("members", [None, [None, "x", {"id": 7}, {}], []])
def test_odd_members_do_no_harm(members: Any) -> None:
    mirror = Mirror()
    mirror.apply("groups", {"id": "g", "members@delta": members})
    assert mirror.groups["g"]["members"] == []


def test_a_mirror_that_is_not_the_last_one_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    assert load(path, None) is None
    digest = save(path, tenant())
    assert path.stat().st_mode & 0o077 == 0
    assert load(path, digest) == tenant()
    assert load(path, "other") is None
    path.write_text("rubbish")
    assert load(path, digest) is None
