"""Documents of people and teams, in the shape that Backstage's own providers give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.plugin.people import API_VERSION, filled

_WRONG = re.compile(r"[^a-zA-Z0-9\-_.]+")


def safe_name(text: str) -> str:
    """A name that an entity may have: other characters become '-', and it has at most 63 of them."""
    return _WRONG.sub("-", text).strip("-_.")[:63].strip("-_.") or "unnamed"


def user_document(
    name: str,
    *,
    annotations: Mapping[str, str],
    member_of: Sequence[str],
    profile: Mapping[str, str | None],
    about: str = "",
) -> dict[str, Any]:
    """A User."""
    metadata: dict[str, Any] = {"name": safe_name(name), "annotations": dict(annotations)}
    if about:
        metadata["description"] = about
    spec = {"profile": filled(profile), "memberOf": sorted(set(member_of))}
    return {"apiVersion": API_VERSION, "kind": "User", "metadata": metadata, "spec": spec}


def group_document(
    name: str,
    *,
    type_: str = "team",
    annotations: Mapping[str, str],
    parent: str | None = None,
    members: Sequence[str] = (),
    profile: Mapping[str, str | None],
    about: str = "",
) -> dict[str, Any]:
    """A Group. Children are told by their parent fields."""
    metadata: dict[str, Any] = {"name": safe_name(name), "annotations": dict(annotations)}
    if about:
        metadata["description"] = about
    spec: dict[str, Any] = {"type": type_, "profile": filled(profile), "children": []}
    if parent is not None:
        spec["parent"] = safe_name(parent)
    if members:
        spec["members"] = sorted({safe_name(member) for member in members})
    return {"apiVersion": API_VERSION, "kind": "Group", "metadata": metadata, "spec": spec}


def org_document(name: str, *, annotations: Mapping[str, str], profile: Mapping[str, str | None]) -> dict[str, Any]:
    """The Group of an organisation."""
    return group_document(name, type_="organization", annotations=annotations, profile=profile)
