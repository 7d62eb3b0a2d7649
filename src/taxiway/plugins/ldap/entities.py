"""Entries of a directory as User and Group documents. No I/O.

Members are found by DN, by uid, and from the other side (`memberOf`), so that each directory's way of telling works.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.plugin.people import Person, Team, people_documents
from taxiway.plugins.ldap.settings import LdapOptions

DN_KEY, UUID_KEY, RDN_KEY = "backstage.io/ldap-dn", "backstage.io/ldap-uuid", "backstage.io/ldap-rdn"
UUIDS = ("entryuuid", "objectguid", "ipauniqueid", "nsuniqueid", "guid")
DISABLED = 2
"""The bit of Active Directory's userAccountControl for accounts that are switched off."""


@dataclass(frozen=True)
class Entry:
    """One entry: attribute names in lower case, values as they are on the wire."""

    dn: str
    values: Mapping[str, Sequence[bytes]]

    def all(self, names: Iterable[str]) -> list[str]:
        """The values of all of these attributes, as text."""
        found = (value for name in names for value in self.values.get(name.lower(), ()))
        return [text for value in found if (text := value.decode("utf-8", "replace").replace("\0", ""))]

    def first(self, names: Iterable[str]) -> str:
        """The first value of the first of these attributes that is there, or an empty text."""
        return next(iter(self.all(names)), "")

    def uuid(self) -> str:
        """The identifier that stays when the entry is renamed or moved, or an empty text."""
        for name in UUIDS:
            for value in self.values.get(name, ()):
                if name == "objectguid" and len(value) == 16:
                    return str(uuid.UUID(bytes_le=bytes(value)))
                return value.decode("utf-8", "replace")
        return ""


def same_dn(dn: str) -> str:
    """A DN so that equal ones are equal texts: case and blanks around separators do not count."""
    return re.sub(r"\s*([,=+])\s*", r"\1", dn.strip()).casefold()


def documents(users: Iterable[Entry], groups: Iterable[Entry], options: LdapOptions) -> Iterator[dict[str, Any]]:
    """A User for each person whose account is on, a Group for each group; in the order of their DNs."""
    people = sorted(users, key=lambda one: same_dn(one.dn))
    teams = sorted(groups, key=lambda one: same_dn(one.dn))
    by_uid = {one.first(["uid"]).casefold(): same_dn(one.dn) for one in people if one.first(["uid"])}
    members: dict[str, list[str]] = {same_dn(one.dn): [] for one in teams}
    for group in teams:
        for value in group.all(options.attributes.members):
            members[same_dn(group.dn)].append(by_uid.get(value.casefold()) or same_dn(value))
    for entry in [*people, *teams]:
        for value in entry.all(options.attributes.member_of):
            if same_dn(value) in members:
                members[same_dn(value)].append(same_dn(entry.dn))
    return people_documents(
        [_person(one, options) for one in people],
        [_team(one, members[same_dn(one.dn)], options) for one in teams],
        options.namespace,
    )


def _is_on(entry: Entry) -> bool:
    control = entry.first(["userAccountControl"])
    return not (control.lstrip("-").isdigit() and int(control) & DISABLED)


def _person(entry: Entry, options: LdapOptions) -> Person:
    names = options.attributes
    return Person(
        id=same_dn(entry.dn),
        name=entry.first(names.user_name) or _rdn(entry.dn),
        display_name=entry.first(names.display_name),
        email=entry.first(names.email),
        title=entry.first(names.title),
        annotations=_annotations(entry),
        is_active=_is_on(entry),
    )


def _team(entry: Entry, members: Sequence[str], options: LdapOptions) -> Team:
    names = options.attributes
    return Team(
        id=same_dn(entry.dn),
        name=entry.first(names.group_name) or _rdn(entry.dn),
        display_name=entry.first(names.display_name),
        description=entry.first(names.description),
        email=entry.first(names.email),
        people=members,
        teams=members,
        annotations=_annotations(entry),
    )


def _annotations(entry: Entry) -> dict[str, str]:
    return {DN_KEY: entry.dn, UUID_KEY: entry.uuid(), RDN_KEY: _rdn(entry.dn)}


def _rdn(dn: str) -> str:
    first = re.split(r"(?<!\\),", dn, maxsplit=1)[0]
    return first.partition("=")[2].strip().replace("\\", "")
