"""Which kind the entities of a Port blueprint become, and which of its relations mean what a field of spec means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KINDS: Mapping[str, str] = {
    name: kind
    for kind, names in {
        "User": "_user user employee person developer",
        "Group": "_team team group squad",
        "System": "system product",
        "Domain": "domain businessdomain",
        "API": "api apidefinition openapi",
        "Component": (
            "service microservice component application app library package website frontend backend"
            " webapp mobileapp function lambda job"
        ),
    }.items()
    for name in names.split()
}
"""By the blueprint's identifier without '-', '_' and case; every other blueprint is a Resource."""
DEPENDS = frozenset({"dependson", "depends", "dependencies", "dependency", "uses", "consumes", "requires"})
PARENTS = frozenset({"parent", "parentteam", "parentgroup", "parentdomain", "parentservice", "partof", "belongsto"})
OWNERS = frozenset({"owner", "owners", "team", "teams", "owningteam", "ownedby", "ownerteam"})
MEMBERS = frozenset({"members", "users", "member"})


def plain(text: str) -> str:
    """Letters and digits only, lower case."""
    return "".join(sign for sign in text.lower() if sign.isalnum())


def kind_of(blueprint: str, chosen: Mapping[str, str]) -> str:
    """The kind for a blueprint's entities."""
    if blueprint in chosen:
        return chosen[blueprint]
    return KINDS.get("_" + plain(blueprint) if blueprint.startswith("_") else plain(blueprint), "Resource")


def field_for(kind: str, relation: str, target_kind: str | None) -> tuple[str, bool] | None:
    """(field of spec, whether it is a list) that means the same as a relation to a target kind, or None."""
    name = plain(relation)
    if target_kind == "Group":
        return _to_group(kind, name)
    if target_kind == "User":
        return ("members", True) if kind == "Group" and name in MEMBERS else None
    if target_kind == "System" and kind in ("Component", "API", "Resource"):
        return ("system", False)
    if target_kind == "Domain" and kind == "System":
        return ("domain", False)
    if target_kind == "Domain" and kind == "Domain" and name in PARENTS:
        return ("subdomainOf", False)
    if target_kind == "API" and kind == "Component" and name.startswith(("provide", "expose")):
        return ("providesApis", True)
    if target_kind == "API" and kind == "Component" and (name.startswith("consume") or name in DEPENDS):
        return ("consumesApis", True)
    if target_kind == "Component" and kind == "Component" and name in PARENTS | {"subcomponentof"}:
        return ("subcomponentOf", False)
    if kind in ("Component", "Resource") and target_kind in ("Component", "Resource") and name in DEPENDS:
        return ("dependsOn", True)
    return None


def _to_group(kind: str, name: str) -> tuple[str, bool] | None:
    if kind == "User":
        return ("memberOf", True)
    if kind == "Group":
        if name in PARENTS:
            return ("parent", False)
        return ("children", True) if name.startswith(("child", "sub")) else None
    return ("owner", False) if name in OWNERS else None


def defaults_of(kind: str, type_: str) -> dict[str, Any]:
    """What spec of a kind must have."""
    common = {"type": type_, "owner": "unknown"}
    by_kind: dict[str, dict[str, Any]] = {
        "Component": {**common, "lifecycle": "unknown"},
        "API": {**common, "lifecycle": "unknown"},
        "Resource": common,
        "System": {"owner": "unknown"},
        "Domain": {"owner": "unknown"},
        "Group": {"type": "team", "children": []},
        "User": {"memberOf": []},
    }
    return by_kind[kind]
