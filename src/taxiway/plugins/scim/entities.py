"""Pushed people and groups as catalog documents. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from taxiway.plugin.people import Person, Team, people_documents
from taxiway.plugins.scim.directory import Resource
from taxiway.plugins.scim.schemas import ENTERPRISE

ID_KEY, USER_KEY, EXTERNAL_KEY = "taxiway.dev/scim-id", "taxiway.dev/scim-user-name", "taxiway.dev/scim-external-id"


def documents(users: Iterable[Resource], groups: Iterable[Resource], namespace: str) -> Iterator[dict[str, Any]]:
    """A User for everybody who is active, a Group for each group. Who was deactivated is not in the catalog."""
    return people_documents([_person(one) for one in users], [_team(one) for one in groups], namespace)


def _person(resource: Resource) -> Person:
    body = resource.body
    name: Mapping[str, str] = body.get("name", {})
    email = _main(body.get("emails", ()))
    user_name = str(body["userName"])
    full = " ".join(part for part in (name.get("givenName", ""), name.get("familyName", "")) if part)
    return Person(
        id=resource.id,
        name=user_name.partition("@")[0],
        display_name=body.get("displayName") or name.get("formatted") or full,
        email=email or (user_name if "@" in user_name else ""),
        picture=_main(body.get("photos", ())),
        title=", ".join(one for one in (body.get("title", ""), body.get(ENTERPRISE, {}).get("department", "")) if one),
        annotations={ID_KEY: resource.id, USER_KEY: user_name, EXTERNAL_KEY: body.get("externalId", "")},
        is_active=body.get("active", True),
    )


def _team(resource: Resource) -> Team:
    members = [str(one.get("value")) for one in resource.body.get("members", ())]
    return Team(
        id=resource.id,
        name=str(resource.body["displayName"]),
        display_name=str(resource.body["displayName"]),
        people=members,
        teams=members,
        annotations={ID_KEY: resource.id, EXTERNAL_KEY: resource.body.get("externalId", "")},
    )


def _main(values: Iterable[Mapping[str, Any]]) -> str:
    """The value that is marked as primary, else the one for work, else the first."""
    ranked = sorted(
        (one for one in values if one.get("value")),
        key=lambda one: (one.get("primary") is not True, str(one.get("type", "")).lower() != "work"),
    )
    return str(ranked[0]["value"]) if ranked else ""
