"""The attributes of RFC 7643 that are kept, as data: what `/Schemas` says and what bodies are judged by are one thing.

What is not listed here is not stored. A password is never kept: nobody signs in with one that was pushed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST_RESULTS = 200


@dataclass(frozen=True)
class Attribute:
    """One attribute. `subs` are those of a complex one."""

    name: str
    type: str = "string"
    multi: bool = False
    required: bool = False
    mutability: str = "readWrite"
    subs: Sequence[Attribute] = ()
    unique: bool = False

    def described(self) -> dict[str, Any]:
        """As `/Schemas` shows it."""
        said: dict[str, Any] = {
            "name": self.name,
            "type": self.type,
            "multiValued": self.multi,
            "required": self.required,
            "mutability": self.mutability,
            "returned": "default",
            "uniqueness": "server" if self.unique else "none",
        }
        if self.type == "string":
            said["caseExact"] = False
        if self.subs:
            said["subAttributes"] = [sub.described() for sub in self.subs]
        return said


def _texts(*names: str) -> tuple[Attribute, ...]:
    return tuple(Attribute(name) for name in names)


def _many(name: str, *more: Attribute) -> Attribute:
    subs = (*_texts("value", "display", "type"), Attribute("primary", "boolean"), *more)
    return Attribute(name, "complex", multi=True, subs=subs)


_MEMBERSHIP = _texts("value", "$ref", "display", "type")
USER_ATTRIBUTES = (
    Attribute("userName", required=True, unique=True),
    Attribute(
        "name",
        "complex",
        subs=_texts("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix"),
    ),
    *_texts("displayName", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone"),
    Attribute("active", "boolean"),
    _many("emails"),
    _many("phoneNumbers"),
    _many("photos"),
    _many("roles"),
    Attribute("groups", "complex", multi=True, mutability="readOnly", subs=_MEMBERSHIP),
)
GROUP_ATTRIBUTES = (
    Attribute("displayName", required=True),
    Attribute("members", "complex", multi=True, subs=_MEMBERSHIP),
)
ENTERPRISE_ATTRIBUTES = (
    *_texts("employeeNumber", "costCenter", "organization", "division", "department"),
    Attribute("manager", "complex", subs=_texts("value", "$ref", "displayName")),
)


@dataclass(frozen=True)
class ResourceType:
    """What is served under `/<endpoint>`."""

    name: str
    endpoint: str
    schema: str
    attributes: Sequence[Attribute]
    extensions: dict[str, Sequence[Attribute]]

    @property
    def key(self) -> str:
        """The required attribute that names a resource."""
        return next(one.name for one in self.attributes if one.required)


TYPES = {
    "Users": ResourceType("User", "Users", USER, USER_ATTRIBUTES, {ENTERPRISE: ENTERPRISE_ATTRIBUTES}),
    "Groups": ResourceType("Group", "Groups", GROUP, GROUP_ATTRIBUTES, {}),
}


def service_provider_config(base: str) -> dict[str, Any]:
    """What this server can do."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "API token",
                "description": "An API token of Taxiway as bearer token",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    """Users and groups, as `/ResourceTypes` lists them."""
    return [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": one.name,
            "name": one.name,
            "endpoint": f"/{one.endpoint}",
            "schema": one.schema,
            "schemaExtensions": [{"schema": urn, "required": False} for urn in one.extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{one.name}"},
        }
        for one in TYPES.values()
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    """The schemas, as `/Schemas` lists them."""
    known = [(USER, "User", USER_ATTRIBUTES), (GROUP, "Group", GROUP_ATTRIBUTES)]
    return [
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": urn,
            "name": name,
            "attributes": [one.described() for one in attributes],
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{urn}"},
        }
        for urn, name, attributes in [*known, (ENTERPRISE, "EnterpriseUser", ENTERPRISE_ATTRIBUTES)]
    ]
