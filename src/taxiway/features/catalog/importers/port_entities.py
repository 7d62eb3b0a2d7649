"""Port's entities, of the kinds that their blueprints became. Pure.

What an entity holds goes where its blueprint's kind has it: properties to `spec.properties`, relations to fields of
their own. What does not fit its blueprint is kept below `spec.port`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.catalog.importers.drafting import API_VERSION, Draft, as_text, ref_for
from taxiway.features.catalog.importers.naming import Names, tag_for
from taxiway.features.catalog.importers.port_blueprints import VENDOR, fits
from taxiway.features.catalog.importers.port_kinds import OWN_VERSION, OWNERS, defaults_of, field_for, kind_of, plain
from taxiway.features.catalog.importers.port_shapes import Relation, Shape, Shapes
from taxiway.features.catalog.importers.report import Item, Options, refused
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.validation import is_url
from taxiway.kit.pointer import dig, pointer


@dataclass(frozen=True)
class Found:
    """An entity as it was read."""

    document: str
    at: str
    line: int
    value: Mapping[str, Any]

    @property
    def blueprint(self) -> str:
        """The identifier of its blueprint."""
        return str(self.value["blueprint"])

    @property
    def key(self) -> str:
        """What names it among all entities."""
        return f"{self.blueprint}\0{self.value['identifier']}"


@dataclass
class _Work:
    shapes: Shapes
    options: Options
    kinds: Kinds
    names: Names = field(default_factory=Names)

    def shape(self, blueprint: str) -> Shape | None:
        return self.shapes.get(blueprint)

    def kind(self, found: Found) -> str:
        """The kind of an entity."""
        shape = self.shape(found.blueprint)
        kind = shape.kind if shape is not None else kind_of(found.blueprint, self.options.kinds)
        return "Resource" if kind == "API" and _definition(found.value) is None else kind

    def kind_for(self, blueprint: str | None) -> str:
        """The kind that a relation to a blueprint leads to, as far as its target is not there."""
        shape = self.shapes.get(blueprint)
        if shape is not None:
            return shape.kind
        return "Resource" if blueprint is None else kind_of(blueprint, self.options.kinds)


def convert_entities(found: Sequence[Found], shapes: Shapes, options: Options, kinds: Kinds) -> Iterator[Item]:
    """What becomes of entities, judged by all kinds there are."""
    work = _Work(shapes, options, kinds)
    claimed = _claim(work, found)
    for position, one in enumerate(found):
        if position in claimed:
            yield _entity(work, one, claimed[position])
        else:
            source = f"{one.blueprint}/{one.value['identifier']}"
            why = "the blueprint has an entity with this identifier already"
            yield refused(one.document, one.at, source, why, one.line)


def _claim(work: _Work, found: Sequence[Found]) -> dict[int, str]:
    """How each entity's name came about, by position; those that describe one twice are left out."""
    claimed: dict[int, str] = {}
    titles: dict[str, str] = {}
    for position, one in enumerate(found):
        if one.key in work.names:
            continue
        kind = work.kind(one)
        ref, claimed[position] = work.names.claim(one.key, kind, one.value["identifier"])
        if kind == "Group" and isinstance(one.value.get("title"), str):
            titles[f"{one.blueprint}\0{one.value['title']}"] = ref  # `team` may hold what a team is called
    for key, ref in titles.items():
        work.names.alias(key, ref)
    return claimed


def _definition(entity: Mapping[str, Any]) -> tuple[str, Any] | None:
    """The property of an API entity that holds its definition."""
    properties = entity.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        if isinstance(value, dict) and {"openapi", "swagger", "asyncapi"} & value.keys():
            return name, value
        if isinstance(value, str) and value.lstrip().startswith(("openapi:", "swagger:", "asyncapi:", '{"openapi"')):
            return name, value
    return None


def _entity(work: _Work, found: Found, name_note: str) -> Item:
    blueprint, identifier = found.blueprint, found.value["identifier"]
    shape = work.shape(blueprint)
    is_own = shape is not None and shape.is_own
    version = OWN_VERSION if is_own else API_VERSION
    ref = work.names.find(found.key) or ""
    draft = Draft(found.document, found.at, found.value, ref, VENDOR, "port", found.line, version, work.kinds)
    draft.identify("identifier", identifier, name_note)
    draft.text("title", "metadata", "title")
    _type(draft, blueprint, shape)
    _teams(work, draft)
    for key, name in (("icon", "icon"), ("createdAt", "created-at"), ("updatedAt", "updated-at")):
        draft.annotation(key, name)
    draft.annotation("createdBy", "created-by")
    draft.annotation("updatedBy", "updated-by")
    if "scorecards" in found.value:
        draft.told("scorecards", "not_carried", None, "results are computed by Port")
    _relations(work, draft, shape)
    if shape is not None:
        draft.spec.setdefault("properties", {})
    _properties(draft, shape)
    draft.keep_rest()
    if not is_own:
        draft.settle(**defaults_of(draft.kind, blueprint))
    return draft.finish(f"{blueprint}/{identifier}")


def _type(draft: Draft, blueprint: str, shape: Shape | None) -> None:
    draft.annotate("blueprint", blueprint)
    to = "/metadata/annotations/port.io~1blueprint"
    known = "" if shape is not None else ": the blueprint itself is not among the documents"
    if draft.kind in ("Component", "Resource", "API"):
        draft.put(blueprint, "spec", "type")
        draft.told("blueprint", "changed", "/spec/type", f"kind {draft.kind}, also an annotation{known}")
    else:
        draft.told("blueprint", "changed", to, f"kind {draft.kind}{known}")


def _teams(work: _Work, draft: Draft) -> None:
    value = draft.take("team")
    if value is None:
        return
    teams = [team for team in (value if isinstance(value, list) else [value]) if isinstance(team, str) and team]
    if not teams or draft.kind == "Group":
        draft.keep("team", value)
        return
    for index, one in enumerate(value if isinstance(value, list) else ()):
        if not isinstance(one, str) or not one:
            draft.told(("team", index), "not_carried", None, "it names no team")
    refs = [_target(work, "_team", team, "Group")[0] for team in teams]
    if draft.kind == "User":
        draft.relate("memberOf", refs)
        draft.told("team", "carried", "/spec/memberOf")
        return
    draft.put(refs[0], "spec", "owner")
    if len(refs) == 1 and refs[0].endswith(f"/{teams[0].lower()}"):
        draft.told("team", "carried", "/spec/owner")
        return
    if len(refs) == 1:
        draft.annotate("teams", teams[0])
        draft.told("team", "changed", "/spec/owner", "as a reference; the original is the annotation port.io/teams")
        return
    draft.annotate("teams", ",".join(teams))
    draft.told("team", "changed", "/spec/owner", "an entity has one owner, the first team: all are in an annotation")


def _target(work: _Work, blueprint: str, identifier: str, kind: str) -> tuple[str, bool]:
    keys = [f"{blueprint}\0{identifier}"]
    if kind == "Group":
        keys += [f"{name}\0{identifier}" for name in ("_team", "team", "group")]
    return ref_for(work.names, keys, kind, identifier)


def _relations(work: _Work, draft: Draft, shape: Shape | None) -> None:
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
        relation = shape.relations.get(name) if shape is not None else None
        if shape is not None and shape.is_own and relation is not None:
            _own_relation(work, draft, relation, found)
            continue
        said = dig(shape.blueprint if shape is not None else {}, "relations", name, "target")
        _relation(work, draft, name, found, said if isinstance(said, str) else None)


def _own_relation(work: _Work, draft: Draft, relation: Relation, found: list[str]) -> None:
    """A relation that the blueprint's kind states by a field of its own."""
    path = ("relations", relation.name)
    kind = work.kind_for(relation.target)
    pairs = [_target(work, relation.target, one, kind) for one in found]
    refs = [ref for ref, _ in pairs]
    missing = [one for one, (_, known) in zip(found, pairs, strict=True) if not known]
    said = f"; not among the documents: {', '.join(missing[:5])}" if missing else ""
    if not relation.is_list and len(refs) > 1:
        draft.spec.setdefault("port", {}).setdefault("relations", {})[relation.name] = refs
        to = pointer(["spec", "port", "relations", relation.name])
        draft.told(path, "changed", to, f"as text: the blueprint says that there is one{said}")
        return
    draft.put(refs if relation.is_list else refs[0], "spec", relation.field)
    if kind == "Group" and plain(relation.name) in OWNERS and "owner" not in draft.spec:
        draft.put(refs[0], "spec", "owner")
        said = f", the first also as spec.owner{said}"
    draft.told(path, "changed", pointer(["spec", relation.field]), f"as references{said}")


def _relation(work: _Work, draft: Draft, name: str, found: list[str], target: str | None) -> None:
    path = ("relations", name)
    kind = None if target is None else work.kind_for(target)
    pairs = [_target(work, target or "", one, kind or "Resource") for one in found]
    if kind == "API" and any(ref.startswith("resource:") for ref, known in pairs if known):
        kind = "Resource"  # entities of a blueprint of APIs without a definition
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


def _properties(draft: Draft, shape: Shape | None) -> None:
    properties = draft.take("properties")
    if not isinstance(properties, dict):
        if properties is not None:
            draft.keep("properties", properties, "it is no mapping")
        return
    for name, value in properties.items():
        if value is None:
            draft.told(("properties", name), "not_carried", None, "it is empty")
        elif shape is not None and shape.is_own and name in shape.properties and not fits(shape, name, value):
            draft.spec.setdefault("port", {}).setdefault("properties", {})[name] = value
            to = pointer(["spec", "port", "properties", name])
            draft.told(("properties", name), "changed", to, "kept apart: it is not what the blueprint's schema says")
        else:
            schema = shape.properties.get(name) if shape is not None else None
            _property(draft, name, value, schema or {})


def _property(draft: Draft, name: str, value: Any, schema: Mapping[str, Any]) -> None:
    """A property as it is, and once more where the portal looks for what it means."""
    path = ("properties", name)
    definition = _definition(draft.source) if draft.kind == "API" else None
    if definition is not None and definition[0] == name:
        draft.put(as_text(value), "spec", "definition")
        draft.told(path, "carried" if isinstance(value, str) else "changed", "/spec/definition")
        return
    draft.put(value, "spec", "properties", name)
    also = _meaning(draft, name, value, schema)
    note = f"also {also}" if also else ""
    draft.told(path, "carried", pointer(["spec", "properties", name]), note)


def _meaning(draft: Draft, name: str, value: Any, schema: Mapping[str, Any]) -> str:
    """Put a property where an entity has the same, and say where; empty where it has not."""
    if name == "description" and isinstance(value, str) and value:
        draft.metadata.setdefault("description", value)
        return "metadata.description"
    if name == "lifecycle" and isinstance(value, str) and value and draft.kind in ("Component", "API"):
        draft.put(value, "spec", "lifecycle")
        return "spec.lifecycle"
    if name in ("tags", "labels") and isinstance(value, list) and value:
        tags = [tag for tag in map(tag_for, (one for one in value if isinstance(one, str))) if tag]
        known = draft.metadata.setdefault("tags", [])
        known += [tag for tag in dict.fromkeys(tags) if tag not in known]
        return "metadata.tags" if tags else ""
    if name == "email" and draft.kind in ("User", "Group") and isinstance(value, str) and value:
        draft.put(value, "spec", "profile", "email")
        return "spec.profile.email"
    if schema.get("format") == "url" and is_url(value):
        title = schema.get("title")
        link = {"url": value, "title": title if isinstance(title, str) and title else name}
        draft.metadata.setdefault("links", []).append(link)
        return "a link"
    return ""
