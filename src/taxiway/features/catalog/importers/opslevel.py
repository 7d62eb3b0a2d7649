"""OpsLevel: `opslevel.yml` files and JSON as its command line and GraphQL API give it. Pure.

A component is a Component, a system a System, a domain a Domain, a team a Group, a user a User; repositories and
infrastructure are Resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.features.catalog.importers import opslevel_fields as fields
from taxiway.features.catalog.importers.drafting import UNKNOWN, Draft
from taxiway.features.catalog.importers.naming import Names
from taxiway.features.catalog.importers.people import People
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.kit.pointer import pointer

VENDOR = "opslevel.com"
SECTIONS: Mapping[str, str] = {
    "component": "component",
    "components": "component",
    "service": "component",
    "services": "component",
    "repository": "repository",
    "repositories": "repository",
    "system": "system",
    "systems": "system",
    "domain": "domain",
    "domains": "domain",
    "team": "team",
    "teams": "team",
    "user": "user",
    "users": "user",
    "infrastructure": "infrastructure",
    "infrastructureResources": "infrastructure",
}
"""Keys that hold things, one or a list, in opslevel.yml and in JSON."""
KINDS: Mapping[str, str] = {
    "component": "Component",
    "repository": "Resource",
    "system": "System",
    "domain": "Domain",
    "team": "Group",
    "user": "User",
    "infrastructure": "Resource",
}
WRAPPERS = ("data", "account")


@dataclass(frozen=True)
class Thing:
    """One thing as it was read. `section` is one of the values of SECTIONS."""

    document: str
    at: str
    line: int
    section: str
    value: Mapping[str, Any]
    identifier: str
    kind: str


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of OpsLevel's documents. Aliases are looked for in all of them."""
    found: list[Thing] = []
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                yield value
            else:
                yield from _sort(found, document.name, value, value.value, value.at, options)
    names = Names()
    people = People(names, VENDOR)
    claimed: dict[int, str] = {}
    for position, thing in enumerate(found):
        key = f"{thing.section}\0{thing.identifier}"
        if key in names:
            continue
        ref, claimed[position] = names.claim(key, thing.kind, _plain(thing.identifier))
        for alias in fields.aliases_of(thing.value):
            names.alias(f"{thing.section}\0{alias}", ref)
        if thing.section == "user":
            names.alias(f"user\0{thing.identifier.lower()}", ref)
    for position, thing in enumerate(found):
        if position in claimed:
            yield _entity(thing, claimed[position], names, people)
        else:
            reason = f"a {thing.section} of this name was there already"
            yield refused(thing.document, thing.at, thing.identifier, reason, thing.line)
    yield from people.items()


def _plain(identifier: str) -> str:
    """An address names somebody by what stands before the sign."""
    return identifier.partition("@")[0] or identifier


def _sort(found: list[Thing], name: str, value: Value, one: Any, at: str, options: Options) -> Iterator[Item]:
    if isinstance(one, list):
        for index, inner in enumerate(one):
            yield from _sort(found, name, value, inner, f"{at}/{index}", options)
        return
    if not isinstance(one, dict):
        yield refused(name, at, "document", "it is neither an opslevel.yml nor an export", value.line)
        return
    section = _looks_like(one)
    if section is not None:
        yield from _things(found, name, value, section, one, at, options)
        return
    if not (one.keys() & (SECTIONS.keys() | set(WRAPPERS))):
        reason = "it has none of component, service, repository, system, domain, team, user, infrastructure"
        yield refused(name, at, "document", reason, value.line)
        return
    yield from _envelope(found, name, value, one, at, options)


def _envelope(
    found: list[Thing], name: str, value: Value, one: Mapping[str, Any], at: str, options: Options
) -> Iterator[Item]:
    notes = []
    for key, inner in one.items():
        here = at + pointer([key])
        if key in WRAPPERS and isinstance(inner, dict):
            yield from _sort(found, name, value, inner, here, options)
        elif key in SECTIONS:
            yield from _things(found, name, value, SECTIONS[key], inner, here, options)
        elif key == "version":
            notes.append(Note(here, "not_carried", None, "the version of the file's format"))
        else:
            notes.append(Note(here, "not_carried", None, "it is no part of the catalog that is known"))
    if notes:
        yield Item(name, at, "file", "definition", notes, line=value.line)


def _looks_like(one: Mapping[str, Any]) -> str | None:
    """What an element of a bare list is, told by fields that only it has."""
    if "kind" in one or (one.keys() & SECTIONS.keys() and "name" not in one):
        return None
    if "email" in one:
        return "user"
    if one.keys() & {"memberships", "parentTeam", "responsibilities", "contacts"}:
        return "team"
    if "name" in one and one.keys() & {"lifecycle", "tier", "tools", "repos", "product", "framework", "type"}:
        return "component"
    return None


def _things(
    found: list[Thing], name: str, value: Value, section: str, inner: Any, at: str, options: Options
) -> Iterator[Item]:
    if isinstance(inner, dict) and ("nodes" in inner or "edges" in inner):
        paging = [
            Note(at + pointer([key]), "not_carried", None, "it is a part of the answer's paging")
            for key in inner
            if key not in ("nodes", "edges")
        ]
        if paging:
            yield Item(name, at, "page", "definition", paging, line=value.line)
        for key in [key for key in ("nodes", "edges") if key in inner]:
            yield from _things(found, name, value, section, inner[key], at + pointer([key]), options)
        return
    if isinstance(inner, dict) and isinstance(inner.get("node"), dict):
        rest = [
            Note(at + pointer([key]), "not_carried", None, "it is a part of the answer's paging")
            for key in inner
            if key != "node"
        ]
        if rest:
            yield Item(name, at, "edge", "definition", rest, line=value.line)
        yield from _things(found, name, value, section, inner["node"], at + "/node", options)
        return
    if isinstance(inner, list) and inner:
        for index, one in enumerate(inner):
            yield from _things(found, name, value, section, one, f"{at}/{index}", options)
        return
    if inner is None or inner in ([], {}, ""):
        notes = [Note(at, "not_carried", None, "it is empty")]
        yield Item(name, at, section, "definition", notes, line=value.line)
        return
    identifier = fields.identifier_of(section, inner) if isinstance(inner, dict) else None
    if identifier is None:
        where = f"a {section} needs a name or an alias"
        yield refused(name, at, section, where, value.line)
        return
    type_ = fields.alias_of(inner.get("type")) or section
    kind = options.kinds.get(type_, KINDS[section])
    found.append(Thing(name, at, value.line, section, inner, identifier, kind))


def _entity(thing: Thing, name_note: str, names: Names, people: People) -> Item:
    ref = names.find(f"{thing.section}\0{thing.identifier}") or ""
    draft = Draft(thing.document, thing.at, thing.value, ref, VENDOR, "opslevel", thing.line)
    fields.identify(draft, thing.section, thing.identifier, name_note)
    fields.FILL[thing.section](draft, names, people)
    draft.keep_rest()
    draft.settle(**_defaults(draft.kind, thing.section))
    return draft.finish(f"{thing.section} {thing.identifier}")


def _defaults(kind: str, section: str) -> dict[str, Any]:
    by_kind: dict[str, dict[str, Any]] = {
        "Component": {"type": "service", "lifecycle": UNKNOWN, "owner": UNKNOWN},
        "Resource": {"type": section, "owner": UNKNOWN},
        "Group": {"type": "team", "children": []},
        "User": {"memberOf": []},
    }
    return by_kind.get(kind, {"owner": UNKNOWN})
