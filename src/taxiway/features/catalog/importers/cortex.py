"""Cortex: entity descriptors, which are OpenAPI 3 documents with `x-cortex-*` fields in `info`. Pure.

A `service` is a Component, a `domain` a Domain, a `team` a Group, any other type a Resource. A descriptor that
describes an API as well also becomes an API, provided by its entity.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.catalog.importers import cortex_fields
from taxiway.features.catalog.importers.drafting import API_VERSION, UNKNOWN, Draft, judged
from taxiway.features.catalog.importers.naming import Names, name_of
from taxiway.features.catalog.importers.people import People
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.kit.pointer import pointer

VENDOR = "cortex.io"
KINDS: Mapping[str, str] = {"service": "Component", "domain": "Domain", "team": "Group"}
SPEC_PARTS = ("paths", "components", "servers", "security", "webhooks", "externalDocs")


@dataclass(frozen=True)
class Descriptor:
    """One descriptor as it was read."""

    document: str
    at: str
    line: int
    whole: Mapping[str, Any]
    info: Mapping[str, Any]
    tag: str
    type: str
    kind: str


@dataclass
class Landscape:
    """What the descriptors say together: names, who is whose parent, and the people."""

    names: Names
    people: People
    parents: dict[str, list[str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of descriptors. Tags are looked for in all of them."""
    found: list[Descriptor] = []
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                yield value
            else:
                yield from _sort(found, document.name, value, value.value, value.at, options)
    names = Names()
    land = Landscape(names, People(names, VENDOR))
    claimed: dict[int, str] = {}
    for position, one in enumerate(found):
        if f"tag\0{one.tag}" in names:
            continue
        _, claimed[position] = names.claim(f"tag\0{one.tag}", one.kind, one.tag)
        land.kinds[one.tag] = one.kind
        _hierarchy(land, one)
        cortex_fields.meet_members(one.document, one.at + "/info", one.line, one.info, land.people)
    for position, one in enumerate(found):
        if position in claimed:
            yield from _entity(land, one, claimed[position])
        else:
            yield refused(one.document, one.at, one.tag, "another descriptor has this tag already", one.line)
    yield from land.people.items()


def _sort(found: list[Descriptor], name: str, value: Value, one: Any, at: str, options: Options) -> Iterator[Item]:
    if isinstance(one, list):
        for index, inner in enumerate(one):
            yield from _sort(found, name, value, inner, f"{at}/{index}", options)
        return
    info = one.get("info") if isinstance(one, dict) else None
    tag = info.get("x-cortex-tag") if isinstance(info, dict) else None
    if not isinstance(info, dict) or not isinstance(tag, (str, int)) or tag == "":
        reason = "it is no descriptor: info with x-cortex-tag is missing"
        yield refused(name, at, "document", reason, value.line)
        return
    type_ = info.get("x-cortex-type") or "service"
    type_ = type_ if isinstance(type_, str) else "service"
    kind = options.kinds.get(type_) or KINDS.get(type_, "Resource")
    found.append(Descriptor(name, at, value.line, one, info, str(tag), type_, kind))


def _hierarchy(land: Landscape, one: Descriptor) -> None:
    for key in ("x-cortex-domain-parents", "x-cortex-parents"):
        for tag in cortex_fields.tags_of(one.info.get(key)):
            _add_parent(land, one.tag, tag)
    for tag in cortex_fields.tags_of(one.info.get("x-cortex-children")):
        _add_parent(land, tag, one.tag)


def _add_parent(land: Landscape, child: str, parent: str) -> None:
    parents = land.parents.setdefault(child, [])
    if parent not in parents:
        parents.append(parent)


def _entity(land: Landscape, one: Descriptor, name_note: str) -> Iterator[Item]:
    ref = land.names.find(f"tag\0{one.tag}") or ""
    draft = Draft(one.document, one.at + "/info", one.info, ref, VENDOR, "cortex", one.line)
    draft.identify("x-cortex-tag", one.tag, name_note)
    draft.text("title", "metadata", "title")
    draft.text("description", "metadata", "description")
    if "description" not in draft.metadata:
        draft.text("x-cortex-description", "metadata", "description")
    _type(draft, one)
    cortex_fields.fill(draft, land.names, land.people, land.parents.get(one.tag, []), land.kinds)
    api = _api(land, one, draft)
    _outside(draft, one, api is not None)
    draft.keep_rest()
    draft.settle(**_defaults(draft.kind, one.type))
    yield draft.finish(one.tag)
    if api is not None:
        yield api


def _type(draft: Draft, one: Descriptor) -> None:
    to = "/spec/type"
    if draft.kind in ("Component", "Resource", "Group"):
        draft.put(one.type, "spec", "type")
    else:
        draft.annotate("type", one.type)
        to = "/metadata/annotations/cortex.io~1type"
    said = draft.take("x-cortex-type")
    if isinstance(said, str):
        draft.told("x-cortex-type", "carried", to, f"kind {draft.kind}")
    elif said is not None:
        draft.keep("x-cortex-type", said, "it is no text: it counts as a service")


def _defaults(kind: str, type_: str) -> dict[str, Any]:
    if kind == "Group":
        return {"type": type_, "children": []}
    if kind == "User":
        return {"memberOf": []}
    if kind in ("Domain", "System"):
        return {"owner": UNKNOWN}
    return {"type": type_, "owner": UNKNOWN, **({"lifecycle": UNKNOWN} if kind != "Resource" else {})}


def _api(land: Landscape, one: Descriptor, draft: Draft) -> Item | None:
    """An API for a descriptor that is an API description as well."""
    if not one.whole.get("paths") or draft.kind != "Component":
        return None
    ref, _ = land.names.claim(f"api\0{one.tag}", "API", one.tag)
    own = {key: value for key, value in one.info.items() if not str(key).startswith("x-cortex-")}
    definition = json.dumps({**one.whole, "info": own}, ensure_ascii=False, indent=1)
    metadata: dict[str, Any] = {"name": name_of(ref)}
    if isinstance(own.get("title"), str) and own["title"]:
        metadata["title"] = own["title"]
    spec = {"type": "openapi", "lifecycle": UNKNOWN, "owner": draft.spec.get("owner") or UNKNOWN}
    spec["definition"] = definition
    if isinstance(draft.spec.get("system"), str) and draft.spec["system"].startswith("system:"):
        spec["system"] = draft.spec["system"]
    draft.relate("providesApis", [ref.lower()])
    notes = [
        Note(one.at + pointer([key]), "changed", "/spec/definition", "as JSON, without x-cortex fields")
        for key in one.whole
        if key != "info"
    ]
    entity = {"apiVersion": API_VERSION, "kind": "API", "metadata": metadata, "spec": spec}
    return judged(Item(one.document, one.at, f"{one.tag} (API)", "entity", notes, "", ref.lower(), entity), one.line)


def _outside(draft: Draft, one: Descriptor, has_api: bool) -> None:
    """Fields beside `info`: those of the description go to the API, or are listed."""
    for key, value in one.whole.items():
        if key == "info" or has_api:
            continue
        here = one.at + pointer([key])
        if key in ("openapi", "swagger"):
            why = "the version of the descriptor's format"
        elif key in SPEC_PARTS and value and one.kind != "Component":
            why = f"a {one.kind} has no API"
        elif key in SPEC_PARTS or not value:
            why = "it is empty, or there are no paths that it would belong to"
        else:
            why = "Cortex reads info only"
        draft.notes.append(Note(here, "not_carried", None, why))
