"""A tenant's people and groups as documents. Names and annotations are those of Backstage's own provider. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from taxiway.plugin.people import Person, Team, people_documents
from taxiway.plugins.entra_id.mirror import Mirror
from taxiway.plugins.entra_id.settings import EntraOptions

USER_KEY, GROUP_KEY = "graph.microsoft.com/user-id", "graph.microsoft.com/group-id"
TENANT_KEY, EMAIL_KEY = "graph.microsoft.com/tenant-id", "microsoft.com/email"


def documents(mirror: Mirror, options: EntraOptions) -> Iterator[dict[str, Any]]:
    """A User for each account that is on, a Group for each group, as far as they are asked for; in order of their ids.
    Nested groups are children of the groups that they are in."""
    groups = [
        (identifier, item)
        for identifier, item in sorted(mirror.groups.items())
        if _is_asked_for(str(item.get("displayName") or ""), options.groups)
    ]
    members = {one for _, item in groups for one in item.get("members", ())}
    persons = [
        _person(identifier, item, is_active=item.get("accountEnabled") is not False)
        for identifier, item in sorted(mirror.users.items())
        if _is_wanted(item, options) and (not options.members_only or identifier in members)
    ]
    teams = [_team(identifier, item, options) for identifier, item in groups]
    return people_documents(persons, teams, options.namespace)


def _is_wanted(user: Mapping[str, Any], options: EntraOptions) -> bool:
    if user.get("userType") == "Guest" and not options.guests:
        return False
    return _is_asked_for(str(user.get("userPrincipalName") or ""), options.users)


def _is_asked_for(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _person(identifier: str, item: Mapping[str, Any], *, is_active: bool) -> Person:
    email = str(item.get("mail") or "")
    return Person(
        id=identifier,
        name=_normalized(email or str(item.get("userPrincipalName") or identifier)),
        display_name=str(item.get("displayName") or ""),
        email=email,
        title=str(item.get("jobTitle") or ""),
        annotations={USER_KEY: identifier, EMAIL_KEY: email},
        is_active=is_active,
    )


def _team(identifier: str, item: Mapping[str, Any], options: EntraOptions) -> Team:
    shown = str(item.get("displayName") or "")
    name = shown if item.get("securityEnabled") or not item.get("mailNickname") else str(item["mailNickname"])
    return Team(
        id=identifier,
        name=_normalized(name or identifier),
        display_name=shown,
        description=str(item.get("description") or ""),
        email=str(item.get("mail") or ""),
        people=item.get("members", ()),
        teams=item.get("members", ()),
        annotations={GROUP_KEY: identifier, TENANT_KEY: options.tenant},
    )


def _normalized(text: str) -> str:
    # "Ada.L@example.com" is "ada.l_example.com", as in catalogs that Backstage filled.
    name = re.sub(r"[^a-zA-Z0-9_.-]", "_", text.strip().lower())
    return re.sub(r"_{2,}", "_", name).strip("_")
