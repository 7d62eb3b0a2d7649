"""People that other portals list inside teams: each becomes one User, member of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.catalog.importers.drafting import API_VERSION, judged
from taxiway.features.catalog.importers.naming import Names, key_for, name_of
from taxiway.features.catalog.importers.report import Item, Note


@dataclass
class Person:
    """Somebody who was found in a team. `at` is where, first."""

    ref: str
    email: str
    document: str
    at: str
    line: int
    name: str | None = None
    groups: list[str] = field(default_factory=list)
    note: str = ""


@dataclass
class People:
    """Collects the people of an import by e-mail address."""

    names: Names
    vendor: str
    found: dict[str, Person] = field(default_factory=dict)

    def meet(self, email: str, document: str, at: str, line: int, *, name: str | None, group: str | None) -> str:
        """Note somebody, and return the reference. Who is an entity of the import already is only looked up."""
        key = f"user\0{email.lower()}"
        known = self.names.find(key)
        person = self.found.get(key)
        if known is not None and person is None:
            return known.lower()
        if person is None:
            ref, _ = self.names.claim(key, "User", email.partition("@")[0] or email)
            person = self.found[key] = Person(ref, email, document, at, line)
        person.name = person.name or name
        if group is not None and group not in person.groups:
            person.groups.append(group)
        return person.ref.lower()

    def items(self) -> Iterator[Item]:
        """A User for each."""
        for person in self.found.values():
            profile: dict[str, Any] = {"email": person.email}
            if person.name:
                profile["displayName"] = person.name
            metadata = {
                "name": name_of(person.ref),
                "annotations": {key_for(self.vendor, "identifier"): person.email},
            }
            spec = {"profile": profile, "memberOf": person.groups}
            entity = {"apiVersion": API_VERSION, "kind": "User", "metadata": metadata, "spec": spec}
            notes = (Note(person.at, "changed", "/spec", "a member of a team is a User here, named by the address"),)
            item = Item(
                person.document, person.at, f"member {person.email}", "entity", notes, "", person.ref.lower(), entity
            )
            yield judged(item, person.line)
