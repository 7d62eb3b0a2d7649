"""Backstage: entities as a running instance's API gives them. They are carried as they are, but for what a server
sets: uid, etag, relations, status and where it read them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from taxiway.features.catalog.importers.drafting import judged
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.features.catalog.kinds import INVERSE
from taxiway.features.catalog.model import MANAGED_BY, ORIGIN
from taxiway.features.catalog.validation import validate
from taxiway.kit.pointer import dig, pointer
from taxiway.model.entity import ref_of

SERVER: Mapping[str, str] = {
    "uid": "the catalog gives each entity its own",
    "etag": "the catalog gives each entity its own",
    "generation": "the catalog counts versions itself",
}
ANNOTATIONS: Mapping[str, str] = {
    MANAGED_BY: "taxiway.dev/imported-location",
    ORIGIN: "taxiway.dev/imported-origin-location",
}
"""Where the other instance read an entity is kept under another name: ours says that it was imported."""
ORPHAN = "backstage.io/orphan"


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of entities."""
    made: list[Item] = []
    seen: set[str] = set()
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                yield value
                continue
            for at, one in _entities(value.value, value.at):
                item = _entity(document.name, at, one, value)
                if item.entity is not None and item.ref is not None:
                    ref = item.ref
                    if ref in seen:
                        item = refused(document.name, at, ref, f"{ref} was there already", value.line)
                    seen.add(ref)
                made.append(item)
            if isinstance(value.value, dict) and "items" in value.value:
                yield from _paging(document.name, value)
    stated = _stated(made)
    for item in made:
        yield _with_relations(item, stated)


def _entities(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        value, at = value["items"], f"{at}/items"
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield f"{at}/{index}", one
    else:
        yield at, value


def _paging(name: str, value: Value) -> Iterator[Item]:
    notes = [
        Note(value.at + pointer([key]), "not_carried", None, "it is a part of the answer's paging")
        for key in value.value
        if key != "items"
    ]
    if value.value["items"] == []:
        notes.append(Note(f"{value.at}/items", "not_carried", None, "it is empty"))
    if notes:
        yield Item(name, value.at, "page", "definition", notes, line=value.line)


def _entity(name: str, at: str, one: Any, value: Value) -> Item:
    if not isinstance(one, dict) or not isinstance(one.get("metadata"), dict) or "kind" not in one:
        return refused(name, at, "document", "it is no entity: kind or metadata is missing", value.line)
    notes: list[Note] = []
    entity: dict[str, Any] = {}
    for key, part in one.items():
        if key == "metadata":
            entity[key] = _metadata(part, f"{at}/metadata", notes)
        elif key == "relations":
            entity[key] = part
        elif key == "status":
            notes.append(Note(f"{at}/status", "not_carried", None, "it tells of the other instance's processing"))
        else:
            entity[key] = part
            notes.append(Note(at + pointer([key]), "carried", pointer([key])))
    source = f"{one.get('kind')} {one['metadata'].get('name')}"
    relations = entity.pop("relations", None)
    ref: str | None = None
    with suppress(KeyError, TypeError, AttributeError, ValueError):  # the judge says what is wrong
        ref = str(ref_of(entity))
    item = judged(Item(name, at, source, "entity", notes, ref=ref, entity=entity), value.line)
    if item.entity is None or "relations" not in one:
        rest = [Note(f"{at}/relations", "not_carried", None, "the entity is refused")] if "relations" in one else []
        return replace(item, notes=[*item.notes, *rest])
    return replace(item, location={"relations": relations})


def _metadata(metadata: Mapping[str, Any], at: str, notes: list[Note]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if not metadata:
        notes.append(Note(at, "not_carried", None, "it is empty"))
    for key, value in metadata.items():
        here = at + pointer([key])
        if key in SERVER:
            notes.append(Note(here, "not_carried", None, SERVER[key]))
        elif key == "annotations" and isinstance(value, dict) and value:
            kept[key] = _annotations(value, here, notes)
        else:
            kept[key] = value
            notes.append(Note(here, "carried", pointer(["metadata", key])))
    return kept


def _annotations(annotations: Mapping[str, Any], at: str, notes: list[Note]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in annotations.items():
        here = at + pointer([key])
        if key == ORPHAN:
            notes.append(Note(here, "not_carried", None, "the import is the entity's source now"))
        elif key in ANNOTATIONS:
            kept[ANNOTATIONS[key]] = value
            to = pointer(["metadata", "annotations", ANNOTATIONS[key]])
            notes.append(Note(here, "changed", to, "under another name: it tells where the other instance read it"))
        else:
            kept[key] = value
            notes.append(Note(here, "carried", pointer(["metadata", "annotations", key])))
    return kept


def _stated(made: Sequence[Item]) -> set[tuple[str, str, str]]:
    """(source, type, target) of every relation that the entities' specs state, and its reverse."""
    found: set[tuple[str, str, str]] = set()
    for item in made:
        if item.entity is None or item.ref is None:
            continue
        for type_, target in validate(item.entity):
            found.add((item.ref.lower(), type_, target))
            if type_ in INVERSE:
                found.add((target, INVERSE[type_], item.ref.lower()))
    return found


def _with_relations(item: Item, stated: set[tuple[str, str, str]]) -> Item:
    """The item, with what becomes of each of its relations."""
    if item.location is None:
        return item
    relations, at = item.location["relations"], f"{item.at}/relations"
    notes = list(item.notes)
    if not isinstance(relations, list):
        notes.append(Note(at, "not_carried", None, "it is no list"))
        return replace(item, notes=notes, location=None)
    for index, one in enumerate(relations):
        type_, target = dig(one, "type"), dig(one, "targetRef")
        texts = (item.ref, type_ if isinstance(type_, str) else "", target if isinstance(target, str) else "")
        key = ((texts[0] or "").lower(), texts[1], texts[2].lower())
        if key in stated:
            notes.append(Note(f"{at}/{index}", "carried", None, "computed again from spec"))
        else:
            why = "no field of an entity in this import states it: a processor of the other instance made it"
            notes.append(Note(f"{at}/{index}", "not_carried", None, f"{key[1]} {key[2]}: {why}"))
    if not relations:
        notes.append(Note(at, "not_carried", None, "it is empty"))
    return replace(item, notes=notes, location=None)
