"""Backstage's `app-config.yaml`: the locations of its catalog section; every other setting of the section is listed
with what it is here. Later files win over earlier ones, as upstream has it. Pure: nothing is registered here.

Placeholders (`$env`, `$file`, `$include`, `${NAME}`) are never resolved: what holds one is listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from posixpath import join, normpath
from typing import Any

from taxiway.features.catalog.importers.reading import read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.kit.pointer import pointer

PLACEHOLDER = re.compile(r"(?<!\$)\$\{([^}]+)\}")
DIRECTIVES = ("$env", "$file", "$include")
TRUSTED = frozenset({"User", "Group", "Template", "Kind"})
ALWAYS = "every source may bring them"
LISTED: Mapping[str, str] = {
    "locations": "it is no list of locations",
    "rules": "it is no list of rules",
    "providers": "providers are not set up by an import: register what they would find as locations, or add a source",
    "processors": "there are no processors: what they do is built in, or is a plugin's",
    "processorOptions": "there are no processors: what they do is built in, or is a plugin's",
    "processingInterval": "nothing is polled: a change is followed when it happens",
    "orphanStrategy": "an entity goes with the source that brought it",
    "orphanProviderStrategy": "an entity goes with the source that brought it",
    "stitchingStrategy": "relations are written with the entity, there is nothing to stitch",
    "readonly": "who may register is decided by roles: nobody needs to have catalog.location.create",
    "import": "the name of the file to look for is given when a repository is analysed",
    "useUrlReadersSearch": "patterns are allowed in file and repository locations",
    "disableRelationsCompatibility": "relations have one shape here",
    "defaultLocationConflictStrategy": "a caller says what is to happen: onConflict=refresh",
    "scmEvents": "pushes to the built-in forge are always followed",
}


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of configuration files, in their order."""
    parts: list[tuple[str, int, Mapping[str, Any]]] = []
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                yield value
            elif not isinstance(value.value, dict):
                yield refused(document.name, value.at, "document", "it is no configuration: a mapping", value.line)
            else:
                parts.append((document.name, value.line, value.value))
    winners = _winners(parts)
    for index, (name, line, whole) in enumerate(parts):
        yield from _file(name, line, whole, {key for key, at in winners.items() if at == index}, options)


def _winners(parts: Sequence[tuple[str, int, Mapping[str, Any]]]) -> dict[str, int]:
    """For each list of the catalog section, the last file that sets it: a later list replaces an earlier one."""
    found: dict[str, int] = {}
    for index, (_, _, whole) in enumerate(parts):
        catalog = whole.get("catalog")
        for key in ("locations", "rules"):
            if isinstance(catalog, dict) and key in catalog:
                found[key] = index
    return found


def _file(name: str, line: int, whole: Mapping[str, Any], wins: set[str], options: Options) -> Iterator[Item]:
    notes = [
        Note(pointer([key]), "not_carried", None, "it is outside the catalog section")
        for key in whole
        if key != "catalog"
    ]
    catalog = whole.get("catalog")
    if "catalog" in whole and not (isinstance(catalog, dict) and catalog):
        notes.append(Note("/catalog", "not_carried", None, "it is empty, or no mapping"))
        catalog = {}
    if not whole:
        notes.append(Note("", "not_carried", None, "it is empty"))
    rules: list[Any] = []
    for key, value in (catalog or {}).items():
        at = pointer(["catalog", key])
        if key in ("locations", "rules") and value == []:
            notes.append(Note(at, "not_carried", None, "it is empty"))
            continue
        if key == "locations" and isinstance(value, list) and key in wins:
            continue
        if key == "rules" and isinstance(value, list) and key in wins:
            rules = value
            notes.extend(_rules(value, at))
        elif key in ("locations", "rules") and key not in wins:
            notes.append(Note(at, "not_carried", None, "a later file replaces the list"))
        else:
            notes.extend(_setting(key, value, at))
    yield Item(name, "", "configuration", "definition", notes, line=line)
    locations = (catalog or {}).get("locations")
    if isinstance(locations, list) and "locations" in wins:
        for index, one in enumerate(locations):
            yield _location(name, line, pointer(["catalog", "locations", index]), one, rules, options)


def _setting(key: str, value: Any, at: str) -> Iterator[Note]:
    why = LISTED.get(key, "Taxiway knows no setting of this name")
    if isinstance(value, dict) and key in ("providers", "processors", "processorOptions") and value:
        for part, one in value.items():
            yield Note(at + pointer([part]), "not_carried", None, why + _placeholders(one))
    else:
        yield Note(at, "not_carried", None, why + _placeholders(value))


def _placeholders(value: Any) -> str:
    found = sorted(set(placeholders_in(value)))
    return f" (it holds placeholders, which were not resolved: {', '.join(found)})" if found else ""


def placeholders_in(value: Any) -> Iterator[str]:
    """Every placeholder in a value, as it is written."""
    if isinstance(value, str):
        yield from (f"${{{name}}}" for name in PLACEHOLDER.findall(value))
    elif isinstance(value, list):
        for one in value:
            yield from placeholders_in(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in DIRECTIVES:
                yield f"{key}: {one}"
            else:
                yield from placeholders_in(one)


def _rules(rules: Sequence[Any], at: str) -> Iterator[Note]:
    for index, rule in enumerate(rules):
        here = f"{at}/{index}"
        kinds = kinds_of(rule)
        special = sorted(kinds & TRUSTED)
        where = isinstance(rule, dict) and rule.get("locations")
        if special and where:
            yield Note(here, "changed", None, f"locations it names are registered with trust, for {', '.join(special)}")
        elif special:
            why = f"{', '.join(special)} may come from trusted locations only: trust single locations"
            yield Note(here, "not_carried", None, why)
        elif kinds:
            yield Note(here, "changed", None, f"{', '.join(sorted(kinds))}: {ALWAYS}")
        else:
            yield Note(here, "not_carried", None, "it allows nothing")


def kinds_of(rule: Any) -> set[str]:
    """The kinds that a rule allows; a rule for one `spec.type` counts as one for its kind."""
    allow = rule.get("allow") if isinstance(rule, dict) else None
    found = set()
    for one in allow if isinstance(allow, list) else []:
        kind = one.get("kind") if isinstance(one, dict) else one
        if isinstance(kind, str):
            found.add(kind)
    return found


def _location(name: str, line: int, at: str, one: Any, rules: Sequence[Any], options: Options) -> Item:
    kind, target = (one.get("type"), one.get("target")) if isinstance(one, dict) else (None, None)
    source = f"{kind}:{target}" if isinstance(target, str) else "location"
    held = sorted(set(placeholders_in(one)))
    if held:
        reason = f"it holds {', '.join(held)}, which was not resolved: write the value, then import again"
        return refused(name, at, source, reason, line)
    if not isinstance(kind, str) or not isinstance(target, str) or not kind or not target:
        return refused(name, at, source, "a location needs type and target", line)
    notes = [Note(f"{at}/type", "carried", "type")]
    if kind == "file" and not target.startswith("/"):
        if options.base is None:
            reason = "the path is relative to where Backstage's backend runs: import again with that folder as base"
            return refused(name, at, source, reason, line)
        target = normpath(join(options.base, target))
        notes.append(Note(f"{at}/target", "changed", "target", f"relative to the base {options.base}"))
    else:
        notes.append(Note(f"{at}/target", "carried", "target"))
    own = one.get("rules") if isinstance(one.get("rules"), list) else []
    trust = any(kinds_of(rule) & TRUSTED for rule in [*own, *_naming(rules, kind, target)])
    for key, value in one.items():
        if key == "rules" and isinstance(value, list):
            notes.extend(_own_rules(value, f"{at}/rules"))
        elif key not in ("type", "target"):
            notes.append(Note(at + pointer([key]), "not_carried", None, "a registered location has type and target"))
    location = {"type": kind, "target": target, "trust": trust}
    return Item(name, at, source, "location", notes, location=location, line=line)


def _own_rules(rules: Sequence[Any], at: str) -> Iterator[Note]:
    for index, rule in enumerate(rules):
        special = sorted(kinds_of(rule) & TRUSTED)
        why = f"registered with trust, for {', '.join(special)}" if special else ALWAYS
        yield Note(f"{at}/{index}", "changed", "trust" if special else None, why)
    if not rules:
        yield Note(at, "not_carried", None, "it is empty")


def _naming(rules: Sequence[Any], kind: str, target: str) -> list[Any]:
    """The rules that name a location exactly; patterns are not followed when it comes to trust."""
    found = []
    for rule in rules:
        places = rule.get("locations") if isinstance(rule, dict) else None
        for where in places if isinstance(places, list) else []:
            if isinstance(where, dict) and where.get("exact") == target and where.get("type", kind) == kind:
                found.append(rule)
    return found
