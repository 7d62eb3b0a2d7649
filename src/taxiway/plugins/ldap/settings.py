"""What to read from a directory. The defaults fit OpenLDAP, 389, FreeIPA and Active Directory alike."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings

PEOPLE = "(|(objectClass=inetOrgPerson)(&(objectClass=user)(!(objectClass=computer))))"
GROUPS = "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)(objectClass=group))"


class Attributes(PluginSettings):
    """Which attributes hold what. Of several, the first that an entry has is taken."""

    user_name: tuple[str, ...] = Field(("uid", "sAMAccountName", "cn"), description="names of users in the catalog")
    group_name: tuple[str, ...] = Field(("cn",), description="names of groups in the catalog")
    display_name: tuple[str, ...] = Field(("displayName", "cn"), description="names that are shown")
    email: tuple[str, ...] = Field(("mail",), description="e-mail addresses")
    title: tuple[str, ...] = Field(("title",), description="a person's description")
    description: tuple[str, ...] = Field(("description",), description="a group's description")
    members: tuple[str, ...] = Field(
        ("member", "uniqueMember", "memberUid"), description="members of a group: all of these attributes count"
    )
    member_of: tuple[str, ...] = Field(("memberOf",), description="groups of a person or group: all of these count")


class LdapOptions(PluginSettings):
    """One directory."""

    url: str = Field(pattern=r"^ldaps?://[^/]+/?$", description="address: `ldaps://host`, or `ldap://host:port`")
    start_tls: bool = Field(False, description="ask for TLS on an `ldap://` connection before signing in")
    ca_file: str | None = Field(None, description="certificates of the authorities to trust; none: the system's")
    bind_dn: str = Field("", description="who signs in; empty: nobody (anonymous)")
    password: CredentialRef | None = Field(None, description="password of `bind_dn`, by reference")
    users_base: str | None = Field(None, description="DN below which people are; none: people are not read")
    users_filter: str = Field(PEOPLE, description="LDAP filter of people")
    groups_base: str | None = Field(None, description="DN below which groups are; none: groups are not read")
    groups_filter: str = Field(GROUPS, description="LDAP filter of groups")
    scope: Literal["subtree", "one"] = Field("subtree", description="whether what is further below counts")
    namespace: str = Field("default", description="namespace of the users and groups in the catalog")
    attributes: Attributes = Field(default_factory=Attributes)
    timeout_seconds: int = Field(30, ge=1, le=600, description="seconds to wait for one answer")
    most_entries: int = Field(100_000, ge=1, description="people, and groups, that are read: with more nothing is")
