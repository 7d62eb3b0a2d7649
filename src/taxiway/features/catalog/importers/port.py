"""Port: blueprints and entities as its API, its exports and `port.yml` files have them.

A blueprint decides the kind of its entities (`port_kinds`); properties go to `spec.properties` as they are. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.features.catalog.importers.drafting import Draft, as_text, ref_for
from taxiway.features.catalog.importers.naming import Names
from taxiway.features.catalog.importers.port_kinds import defaults_of, field_for, kind_of
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.kit.pointer import dig, pointer

VENDOR = "port.io"
NOT_CATALOG: Mapping[str, str] = {
    "scorecards": "scorecards are rules over the catalog, not entities",
    "actions": "an action is a golden path here: write a template for it",
    "pages": "pages are the portal's own",
    "integrations": "register the source itself as a location",
    "ok": "it says that the answer is one",
    "next": "it is a cursor of the answer",
}
BLUEPRINT_FIELDS: Mapping[str, str] = {
    "identifier": "its entities have it as spec.type and as an annotation",
    "schema": "it says what properties look like; they are carried with the entities",
    "relations": "it says what relations mean; they are carried with the entities",
    "mirrorProperties": "their values are computed from other entities",
    "calculationProperties": "their values are computed by jq",
    "aggregationProperties": "their values are computed from other entities",
}


@dataclass
class _Reading:
    """What the documents hold, before anything is converted."""

    options: Options
    blueprints: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    entities: list[tuple[str, str, int, Mapping[str, Any]]] = field(default_factory=list)
    definitions: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    names: Names = field(default_factory=Names)


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of Port's documents. Targets of relations are looked for in all of them."""
    reading = _Reading(options)
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                reading.items.append(value)
            else:
                _sort(reading, document.name, value, value.value, value.at)
    _check_targets(reading)
    yield from reading.items
    claimed = _claim(reading)
    for position, found in enumerate(reading.entities):
        if position in claimed:
            yield _entity(reading, found, claimed[position])
        else:
            name, at, line, entity = found
            source = f"{entity.get('blueprint')}/{entity.get('identifier')}"
            yield refused(name, at, source, "the blueprint has an entity with this identifier already", line)


def _sort(reading: _Reading, name: str, value: Value, found: Any, at: str) -> None:
    if isinstance(found, list):
        for index, one in enumerate(found):
            _sort(reading, name, value, one, f"{at}/{index}")
        if not found:
            reading.items.append(
                Item(name, at, "list", "definition", [Note(at, "not_carried", None, "it is empty")], line=value.line)
            )
    elif not isinstance(found, dict):
        reading.items.append(refused(name, at, "value", "it is neither a blueprint nor an entity", value.line))
    elif isinstance(found.get("blueprint"), str) and isinstance(found.get("identifier"), str):
        reading.entities.append((name, at, value.line, found))
    elif isinstance(found.get("identifier"), str) and ("schema" in found or "relations" in found):
        _blueprint(reading, name, at, value.line, found)
    elif {"blueprints", "entities", "blueprint", "entity"} & found.keys():
        _envelope(reading, name, value, found, at)
    else:
        reason = "it has neither blueprint and identifier, as an entity, nor identifier and schema, as a blueprint"
        reading.items.append(refused(name, at, str(found.get("identifier", "object")), reason, value.line))


def _envelope(reading: _Reading, name: str, value: Value, found: Mapping[str, Any], at: str) -> None:
    notes = []
    for key, inner in found.items():
        here = at + pointer([key])
        if key in ("blueprints", "entities", "blueprint", "entity"):
            by_blueprint = key == "entities" and isinstance(inner, dict) and "identifier" not in inner
            for part, one in inner.items() if by_blueprint else [(None, inner)]:
                _sort(reading, name, value, one, here if part is None else here + pointer([part]))
        else:
            notes.append(Note(here, "not_carried", None, NOT_CATALOG.get(key, "it is no blueprint and no entity")))
    if notes:
        reading.items.append(Item(name, at, "export", "definition", notes, line=value.line))


def _blueprint(reading: _Reading, name: str, at: str, line: int, found: Mapping[str, Any]) -> None:
    identifier = found["identifier"]
    if identifier in reading.blueprints:
        reading.items.append(
            refused(name, at, f"blueprint {identifier}", "there is a blueprint of this identifier", line)
        )
        return
    reading.blueprints[identifier] = found
    kind = kind_of(identifier, reading.options.kinds)
    notes = [Note(f"{at}/identifier", "changed", "/kind", f"{BLUEPRINT_FIELDS['identifier']}; the kind is {kind}")]
    for key in found:
        if key != "identifier":
            why = BLUEPRINT_FIELDS.get(key, "only its entities are carried")
            notes.append(Note(at + pointer([key]), "not_carried", None, why))
    reading.items.append(Item(name, at, f"blueprint {identifier}", "definition", notes, line=line))
    reading.definitions.append((len(reading.items) - 1, found))


def _check_targets(reading: _Reading) -> None:
    """Say which relations lead to a blueprint that is not among the documents."""
    for position, found in reading.definitions:
        item, notes = reading.items[position], []
        relations = found.get("relations")
        for relation, said in relations.items() if isinstance(relations, dict) else ():
            target = dig(said, "target")
            if not isinstance(target, str) or target not in reading.blueprints:
                here = item.at + pointer(["relations", relation])
                notes.append(Note(here, "not_carried", None, f"its target {target} is not among the documents"))
        reading.items[position] = replace(item, notes=[*item.notes, *notes])


def _claim(reading: _Reading) -> dict[int, str]:
    """How each entity's name came about, by position; those that describe one twice are left out."""
    claimed: dict[int, str] = {}
    titles: dict[str, str] = {}
    for position, (_, _, _, entity) in enumerate(reading.entities):
        key = f"{entity['blueprint']}\0{entity['identifier']}"
        if key in reading.names:
            continue
        kind = _kind(reading, entity)
        ref, claimed[position] = reading.names.claim(key, kind, entity["identifier"])
        if kind == "Group" and isinstance(entity.get("title"), str):
            titles[f"{entity['blueprint']}\0{entity['title']}"] = ref  # `team` may hold what a team is called
    for key, ref in titles.items():
        reading.names.alias(key, ref)
    return claimed


def _kind(reading: _Reading, entity: Mapping[str, Any]) -> str:
    kind = kind_of(entity["blueprint"], reading.options.kinds)
    return "Resource" if kind == "API" and _definition(entity) is None else kind


def _definition(entity: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The property of an API entity that holds its definition."""
    properties = entity.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        if isinstance(value, dict) and {"openapi", "swagger", "asyncapi"} & value.keys():
            return name, value
        if isinstance(value, str) and value.lstrip().startswith(("openapi:", "swagger:", "asyncapi:", '{"openapi"')):
            return name, value
    return None


def _entity(reading: _Reading, found: tuple[str, str, int, Mapping[str, Any]], name_note: str) -> Item:
    document, at, line, entity = found
    blueprint, identifier = entity["blueprint"], entity["identifier"]
    ref = reading.names.find(f"{blueprint}\0{identifier}") or ""
    draft = Draft(document, at, entity, ref, VENDOR, "port", line)
    draft.identify("identifier", identifier, name_note)
    draft.text("title", "metadata", "title")
    _type(reading, draft, blueprint)
    _teams(reading, draft)
    for key, name in (("icon", "icon"), ("createdAt", "created-at"), ("updatedAt", "updated-at")):
        draft.annotation(key, name)
    draft.annotation("createdBy", "created-by")
    draft.annotation("updatedBy", "updated-by")
    if "scorecards" in entity:
        draft.told("scorecards", "not_carried", None, "results are computed by Port")
    _relations(reading, draft, reading.blueprints.get(blueprint, {}))
    _properties(draft, reading.blueprints.get(blueprint, {}))
    draft.keep_rest()
    draft.settle(**defaults_of(draft.kind, blueprint))
    return draft.finish(f"{blueprint}/{identifier}")


def _type(reading: _Reading, draft: Draft, blueprint: str) -> None:
    draft.annotate("blueprint", blueprint)
    to = "/metadata/annotations/port.io~1blueprint"
    known = "" if blueprint in reading.blueprints else ": the blueprint itself is not among the documents"
    if draft.kind in ("Component", "Resource", "API"):
        draft.put(blueprint, "spec", "type")
        draft.told("blueprint", "changed", "/spec/type", f"kind {draft.kind}, also an annotation{known}")
    else:
        draft.told("blueprint", "changed", to, f"kind {draft.kind}{known}")


def _teams(reading: _Reading, draft: Draft) -> None:
    value = draft.take("team")
    if value is None:
        return
    teams = [team for team in (value if isinstance(value, list) else [value]) if isinstance(team, str) and team]
    if not teams or draft.kind == "Group":
        draft.keep("team", value)
        return
    refs = [_target(reading, "_team", team, "Group")[0] for team in teams]
    if draft.kind == "User":
        draft.relate("memberOf", refs)
        draft.told("team", "carried", "/spec/memberOf")
        return
    draft.put(refs[0], "spec", "owner")
    if len(refs) == 1:
        draft.told("team", "carried", "/spec/owner")
        return
    draft.annotate("teams", ",".join(teams))
    draft.told("team", "changed", "/spec/owner", "an entity has one owner, the first team: all are in an annotation")


def _target(reading: _Reading, blueprint: str, identifier: str, kind: str) -> tuple[str, bool]:
    keys = [f"{blueprint}\0{identifier}"]
    if kind == "Group":
        keys += [f"{name}\0{identifier}" for name in ("_team", "team", "group")]
    return ref_for(reading.names, keys, kind, identifier)


def _relations(reading: _Reading, draft: Draft, blueprint: Mapping[str, Any]) -> None:
    relations = draft.take("relations")
    if not isinstance(relations, dict):
        if relations is not None:
            draft.keep("relations", relations, "it is no mapping")
        return
    for name, value in relations.items():
        path = ("relations", name)
        found = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str) and one]
        if not found:
            empty = value is None or value == [] or value == ""
            why = "it is empty" if empty else f"{as_text(value)[:200]} names no entity"
            draft.told(path, "not_carried", None, why)
            continue
        said = dig(blueprint, "relations", name, "target")
        _relation(reading, draft, name, found, said if isinstance(said, str) else None)


def _relation(reading: _Reading, draft: Draft, name: str, found: list[str], target: str | None) -> None:
    path = ("relations", name)
    kind = None if target is None else kind_of(target, reading.options.kinds)
    pairs = [_target(reading, target or "", one, kind or "Resource") for one in found]
    if target is not None and any(known for _, known in pairs):
        kind = next(ref for ref, known in pairs if known).partition(":")[0]
        kind = {"api": "API"}.get(kind, kind.capitalize())
    missing = [one for one, (_, known) in zip(found, pairs, strict=True) if not known]
    said = f"; not among the documents: {', '.join(missing[:5])}" if missing and target is not None else ""
    equal = field_for(draft.kind, name, kind)
    refs = [ref for ref, _ in pairs]
    if equal is not None and equal[1]:
        draft.relate(equal[0], refs)
        draft.told(path, "changed", f"/spec/{equal[0]}", f"as references{said}")
        return
    if equal is not None and not draft.spec.get(equal[0]) and len(refs) == 1:
        draft.put(refs[0], "spec", equal[0])
        draft.told(path, "changed", f"/spec/{equal[0]}", f"as a reference{said}")
        return
    kept = refs if target is not None else found
    draft.spec.setdefault("port", {}).setdefault("relations", {})[name] = kept
    why = "its blueprint does not declare the relation" if target is None else "no field of spec means the same"
    if equal is not None:
        why = f"spec.{equal[0]} holds one reference, and has one" if len(refs) == 1 else "the field holds one only"
    draft.told(path, "changed", pointer(["spec", "port", "relations", name]), f"as text: {why}{said}")


def _properties(draft: Draft, blueprint: Mapping[str, Any]) -> None:
    properties = draft.take("properties")
    if not isinstance(properties, dict):
        if properties is not None:
            draft.keep("properties", properties, "it is no mapping")
        return
    for name, value in properties.items():
        _property(draft, name, value, dig(blueprint, "schema", "properties", name, default=None) or {})


def _property(draft: Draft, name: str, value: Any, schema: Any) -> None:
    path = ("properties", name)
    if value is None or value == "":
        draft.told(path, "not_carried", None, "it is empty")
        return
    title = dig(schema, "title")
    definition = _definition(draft.source) if draft.kind == "API" else None
    if definition is not None and definition[0] == name:
        draft.put(as_text(value), "spec", "definition")
        draft.told(path, "carried" if isinstance(value, str) else "changed", "/spec/definition")
        return
    if name == "description" and isinstance(value, str) and "description" not in draft.metadata:
        draft.put(value, "metadata", "description")
        draft.told(path, "carried", "/metadata/description")
        return
    if name == "lifecycle" and isinstance(value, str) and draft.kind in ("Component", "API"):
        draft.put(value, "spec", "lifecycle")
        draft.told(path, "carried", "/spec/lifecycle")
        return
    if name in ("tags", "labels") and _are_tags(value):
        for index, tag in enumerate(value):
            draft.tag((*path, index), tag)
        return
    if name == "email" and draft.kind in ("User", "Group") and isinstance(value, str):
        draft.put(value, "spec", "profile", "email")
        draft.told(path, "carried", "/spec/profile/email")
        return
    if dig(schema, "format") == "url" and draft.link(path, value, title if isinstance(title, str) else name):
        return
    draft.put(value, "spec", "properties", name)
    draft.told(path, "carried", pointer(["spec", "properties", name]))


def _are_tags(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)
