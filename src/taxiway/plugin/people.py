"""People and teams of outside systems as User and Group documents, for plugins that read them from anywhere.

A directory knows people by identifiers of its own; the catalog wants names. Each identifier gets one name, the same one
every time as long as what came before it is the same: give persons and teams in an order that does not change.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

API_VERSION = "backstage.io/v1alpha1"
LONGEST = 63


@dataclass(frozen=True)
class Person:
    """Somebody. `id` is what teams call them by, `name` the name that is wanted in the catalog. Whose account is off
    (`is_active`) has no User, and yet keeps the name: nobody else is to become who they were."""

    id: str
    name: str
    display_name: str = ""
    email: str = ""
    picture: str = ""
    title: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_active: bool = True


@dataclass(frozen=True)
class Team:
    """A team: `people` and `teams` are the identifiers of its direct members. Unknown ones are left out."""

    id: str
    name: str
    display_name: str = ""
    description: str = ""
    email: str = ""
    picture: str = ""
    type: str = "team"
    people: Sequence[str] = ()
    teams: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


def name_for(text: str) -> str:
    """A valid entity name for any text: the text itself where it is one. Never empty."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-_.")
    if name == text and len(name) <= LONGEST:
        return name
    if not name:
        return f"x-{short_digest(text)}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9].rstrip('-_.')}-{short_digest(text)}"


def short_digest(text: str) -> str:
    """Eight hexadecimal digits that tell texts apart."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:8]


class Names:
    """Gives names out, each once; letters that differ in case only do not make another name."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, wanted: str, identifier: str) -> str:
        """`wanted` made valid; with a digest of `identifier` behind it where somebody else has the name."""
        name = name_for(wanted or identifier)
        if name.lower() in self._taken:
            name = f"{name[: LONGEST - 9].rstrip('-_.')}-{short_digest(identifier)}"
        self._taken.add(name.lower())
        return name


def people_documents(
    persons: Iterable[Person], teams: Iterable[Team], namespace: str = "default"
) -> Iterator[dict[str, Any]]:
    """A User for each person, a Group for each team, Groups first. Every membership is told by the User."""
    users, groups = list(persons), list(teams)
    user_names, group_names = Names(), Names()
    group_of = {team.id: group_names.claim(team.name, team.id) for team in groups}
    member_of: dict[str, list[str]] = {person.id: [] for person in users}
    for team in groups:
        for identifier in dict.fromkeys(team.people):
            if identifier in member_of:
                member_of[identifier].append(group_of[team.id])
        yield _group(team, group_of, namespace)
    for person in users:
        name = user_names.claim(person.name, person.id)
        if person.is_active:
            yield _user(person, name, sorted(member_of[person.id]), namespace)


def _group(team: Team, names: Mapping[str, str], namespace: str) -> dict[str, Any]:
    children = [names[one] for one in dict.fromkeys(team.teams) if one in names and one != team.id]
    profile = filled({"displayName": team.display_name, "email": team.email, "picture": team.picture})
    spec = {"type": team.type or "team", **({"profile": profile} if profile else {}), "children": sorted(children)}
    metadata = _metadata(names[team.id], namespace, team.annotations)
    if team.description:
        metadata["description"] = team.description
    return {"apiVersion": API_VERSION, "kind": "Group", "metadata": metadata, "spec": spec}


def _user(person: Person, name: str, groups: Sequence[str], namespace: str) -> dict[str, Any]:
    profile = filled({"displayName": person.display_name, "email": person.email, "picture": person.picture})
    spec = {**({"profile": profile} if profile else {}), "memberOf": list(groups)}
    metadata = _metadata(name, namespace, person.annotations)
    if person.title:
        metadata["description"] = person.title
    return {"apiVersion": API_VERSION, "kind": "User", "metadata": metadata, "spec": spec}


def _metadata(name: str, namespace: str, annotations: Mapping[str, str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace != "default":
        metadata["namespace"] = namespace
    kept = {key: value for key, value in annotations.items() if value}
    return {**metadata, "annotations": kept} if kept else metadata


def filled(values: Mapping[str, str | None]) -> dict[str, str]:
    """What has a value."""
    return {key: value for key, value in values.items() if value}
