"""Which kind the entities of a Port blueprint become, and which of its relations mean what a field of spec means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from taxiway.features.catalog.kinds import shipped

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
"""By the blueprint's identifier without '-', '_' and case, where the blueprint itself is not among the documents; every
other one is a Resource then."""
BASIC = frozenset({"Component", "Resource", "System", "Domain", "API", "Group", "User"})
PEOPLE = frozenset({"Group", "User"})
OWN_VERSION = "port.io/v1"
"""The apiVersion of entities whose kind is their blueprint."""
ICONS: Mapping[str, str] = {
    name: icon
    for icon, names in {
        "box": "microservice service component defaultentity",
        "boxes": "system product",
        "cloud": "cloud aws azure googlecloud gcp",
        "cpu": "cpu gpu lambda function",
        "database": "database bucket mongodb postgresql mysql redis",
        "file": "docs document readme",
        "flag": "featureflag launchdarkly",
        "folder": "folder project",
        "globe": "domain website frontend",
        "key": "key secret lock",
        "layers": "environment cluster stack",
        "network": "api swagger link",
        "package": "package library",
        "rocket": "deployment deployedat release",
        "server": "server node ec2",
        "shield": "alert vulnerability security",
        "user": "user",
        "users": "team",
    }.items()
    for name in names.split()
}
"""The portal's icon for one of Port's, by its name in lower case."""
DEPENDS = frozenset({"dependson", "depends", "dependencies", "dependency", "uses", "consumes", "requires"})
PARENTS = frozenset({"parent", "parentteam", "parentgroup", "parentdomain", "parentservice", "partof", "belongsto"})
OWNERS = frozenset({"owner", "owners", "team", "teams", "owningteam", "ownedby", "ownerteam"})
MEMBERS = frozenset({"members", "users", "member"})


def plain(text: str) -> str:
    """Letters and digits only, lower case."""
    return "".join(sign for sign in text.lower() if sign.isalnum())


def kind_of(blueprint: str, chosen: Mapping[str, str]) -> str:
    """The kind for the entities of a blueprint that is not among the documents."""
    if blueprint in chosen:
        return chosen[blueprint]
    return KINDS.get("_" + plain(blueprint) if blueprint.startswith("_") else plain(blueprint), "Resource")


def kind_for(blueprint: str, chosen: Mapping[str, str]) -> tuple[str, bool]:
    """(kind, whether the blueprint declares it) of a blueprint among the documents: people and teams, and what is
    called like a kind of Backstage's, stay those; every other one is a kind of its own."""
    if blueprint in chosen:
        return chosen[blueprint], False
    usual = kind_of(blueprint, {})
    if usual in PEOPLE:
        return usual, False
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", blueprint) if part]
    name = "".join(part[0].upper() + part[1:] for part in parts)
    basic = next((kind for kind in BASIC if kind.lower() == name.lower()), None)
    if basic is not None and not blueprint.startswith("_"):
        return basic, False
    if not name[:1].isalpha() or blueprint.startswith("_") or name.lower() in _shipped_names():
        name = f"Port{name}"
    return name[:63], True


@cache
def _shipped_names() -> frozenset[str]:
    return frozenset(name.lower() for name in shipped().by_name)


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
