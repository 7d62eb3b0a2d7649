"""The kinds as data: which apiVersions, what `spec` must look like, and which fields relate to other entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BACKSTAGE = frozenset({"backstage.io/v1alpha1", "backstage.io/v1beta1"})
SCAFFOLDER = frozenset({"scaffolder.backstage.io/v1beta3"})
OURS = frozenset({"taxiway.dev/v1"})

INVERSE: Mapping[str, str] = {
    one: other
    for pair in (
        ("ownedBy", "ownerOf"),
        ("partOf", "hasPart"),
        ("providesApi", "apiProvidedBy"),
        ("consumesApi", "apiConsumedBy"),
        ("dependsOn", "dependencyOf"),
        ("memberOf", "hasMember"),
        ("parentOf", "childOf"),
    )
    for one, other in (pair, pair[::-1])
}
"""The relation that the other end of a relation has."""


@dataclass(frozen=True)
class Field:
    """A spec field that holds references: the relation it states, and the kind that a bare name means.

    `declared` fields are in the schema; the others are taken as they come, as upstream does with `dependencyOf`.
    """

    relation: str
    default_kind: str | None
    is_list: bool = False
    declared: bool = True


@dataclass(frozen=True)
class Kind:
    """One kind. `schema` is the JSON Schema of `spec`."""

    name: str
    api_versions: frozenset[str]
    schema: Mapping[str, Any]
    fields: Mapping[str, Field]


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT}
OBJECT = {"type": "object"}
PROFILE = {"type": "object", "properties": {"displayName": TEXT, "email": TEXT, "picture": TEXT}}
OWNER = Field("ownedBy", "group")
SYSTEM = Field("partOf", "system")
DEPENDS = {
    "dependsOn": Field("dependsOn", None, is_list=True),
    "dependencyOf": Field("dependencyOf", None, is_list=True, declared=False),
}


def _kind(
    name: str,
    required: str,
    fields: Mapping[str, Field],
    api_versions: frozenset[str] = BACKSTAGE,
    **properties: Any,
) -> Kind:
    declared = {key: TEXTS if field.is_list else TEXT for key, field in fields.items() if field.declared}
    schema = {"type": "object", "required": required.split(), "properties": {**declared, **properties}}
    return Kind(name, api_versions, schema, fields)


_API = _kind(
    "API", "type lifecycle owner", {"owner": OWNER, "system": SYSTEM}, type=TEXT, lifecycle=TEXT, definition=TEXT
)
_REMOTE = {"type": "object", "required": ["type", "url"], "properties": {"type": TEXT, "url": TEXT}}
API = Kind(
    "API",
    BACKSTAGE,
    {
        **_API.schema,
        "if": {"required": ["type"], "properties": {"type": {"const": "mcp-server"}}},
        "then": {
            "required": ["remotes"],
            "properties": {"remotes": {"type": "array", "minItems": 1, "items": _REMOTE}},
        },
        "else": {"required": ["definition"]},
    },
    _API.fields,
)
_STEP = {
    "type": "object",
    "required": ["action"],
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "action": {"type": "string"},
        "input": OBJECT,
        "if": {"type": ["string", "boolean"]},
    },
}

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        API,
        _kind(
            "Component",
            "type lifecycle owner",
            {
                "owner": OWNER,
                "system": SYSTEM,
                "subcomponentOf": Field("partOf", "component"),
                "providesApis": Field("providesApi", "api", is_list=True),
                "consumesApis": Field("consumesApi", "api", is_list=True),
                **DEPENDS,
            },
            type=TEXT,
            lifecycle=TEXT,
        ),
        _kind("Resource", "type owner", {"owner": OWNER, "system": SYSTEM, **DEPENDS}, type=TEXT),
        _kind("System", "owner", {"owner": OWNER, "domain": Field("partOf", "domain")}, type=TEXT),
        _kind("Domain", "owner", {"owner": OWNER, "subdomainOf": Field("partOf", "domain")}, type=TEXT),
        _kind(
            "Group",
            "type children",
            {
                "parent": Field("childOf", "group"),
                "children": Field("parentOf", "group", is_list=True),
                "members": Field("hasMember", "user", is_list=True),
            },
            type=TEXT,
            profile=PROFILE,
        ),
        _kind("User", "memberOf", {"memberOf": Field("memberOf", "group", is_list=True)}, profile=PROFILE),
        _kind(
            "Location",
            "",
            {},
            type=TEXT,
            target=TEXT,
            targets=TEXTS,
            presence={"type": "string", "enum": ["required", "optional"]},
        ),
        _kind(
            "Template",
            "type steps",
            {"owner": OWNER},
            SCAFFOLDER,
            type=TEXT,
            parameters={"oneOf": [OBJECT, {"type": "array", "items": OBJECT}]},
            steps={"type": "array", "items": _STEP},
            output=OBJECT,
            presentation=OBJECT,
        ),
        _kind("Recipe", "resourceType driver", {"owner": OWNER}, OURS, resourceType=TEXT, driver=TEXT),
        _kind(
            "EnvironmentType",
            "",
            {"owner": OWNER},
            OURS,
            rank={"type": "integer"},
            production={"type": "boolean"},
            autoDeploy={"type": "boolean"},
        ),
        _kind("Environment", "type destination", {"owner": OWNER}, OURS, type=TEXT, destination=TEXT, variables=OBJECT),
    )
}
"""Every kind that the catalog takes, by its exact name."""
