"""Port's blueprints as entities of kind `Kind`; for blueprints that a kind of ours means already, as a `KindExtension`
with their computed properties. Every field of a blueprint is told of. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from taxiway.features.catalog.importers.drafting import Draft, as_text
from taxiway.features.catalog.importers.port_computed import SECTIONS, Computed
from taxiway.features.catalog.importers.port_kinds import ICONS, OWN_VERSION
from taxiway.features.catalog.importers.port_shapes import Relation, Shape, Shapes
from taxiway.features.catalog.importers.report import Item
from taxiway.features.catalog.kind_faults import schema_faults
from taxiway.features.catalog.kinds import EXTENSION, KIND, Kinds
from taxiway.kit.pointer import dig, pointer

VENDOR = "port.io"
TAXIWAY = "taxiway.dev/v1"
COLUMNS = 5
SHOWN = ("string", "number", "boolean", "integer")
LONG = ("markdown", "yaml", "proto", "url")
TOO_MANY = "a kind has at most 50 relations, of names up to 90 characters"
IN_SCHEMA = ("spec", "schema", "properties")


def check_schemas(shape: Shape, entities: Sequence[Mapping[str, Any]]) -> None:
    """Note which schemas can be used, and which required properties every entity has."""
    import jsonschema_rs

    for name, schema in shape.properties.items():
        shape.sound[name] = None if list(schema_faults(schema)) else jsonschema_rs.Draft202012Validator(dict(schema))
    required = dig(shape.blueprint, "schema", "required")
    wanted = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    shape.required = frozenset(
        name
        for name in wanted
        if shape.is_own and shape.sound.get(name) and all(fits(shape, name, _property(one, name)) for one in entities)
    )


def _property(entity: Mapping[str, Any], name: str) -> Any:
    properties = entity.get("properties")
    return properties.get(name) if isinstance(properties, dict) else None


def fits(shape: Shape, name: str, value: Any) -> bool:
    """Whether a property's value is there, and is what the blueprint's schema says."""
    validator = shape.sound.get(name)
    return value is not None and (validator is None or bool(validator.is_valid(value)))


def kind_item(
    shapes: Shapes, shape: Shape, computed: Sequence[Computed], entities: Sequence[Mapping[str, Any]], kinds: Kinds
) -> Item:
    """A blueprint as a kind of its own, judged by the kinds before it."""
    document, at, line = shape.at
    draft = Draft(document, at, shape.blueprint, f"{KIND}:default/{shape.kind}", VENDOR, "port", line, TAXIWAY, kinds)
    note = "" if shape.kind == shape.identifier else f"'{shape.identifier[:100]}' is not the name of a kind"
    draft.identify("identifier", shape.identifier, note)
    draft.text("title", "metadata", "title")
    draft.text("description", "metadata", "description")
    _icon(draft)
    draft.spec["apiVersions"] = [OWN_VERSION]
    owner = {"field": "owner", "type": "ownedBy", "inverse": "ownerOf", "defaultKind": "Group"}
    draft.spec["relations"] = [owner]
    fields: dict[str, Any] = {"owner": {"type": "string"}, "properties": {"type": "object", "properties": {}}}
    draft.spec["schema"] = {"type": "object", "properties": fields}
    _relations(draft, shapes, shape, entities)
    _schema(draft, shape)
    _computed(draft, shape, computed)
    _columns(draft, shape)
    _rest(draft)
    return draft.finish(f"blueprint {shape.identifier}")


def extension_item(shapes: Shapes, shape: Shape, computed: Sequence[Computed], kinds: Kinds) -> Item:
    """A blueprint whose entities are of a kind that ships: what it computes of them, the rest listed."""
    document, at, line = shape.at
    draft = Draft(document, at, shape.blueprint, f"{EXTENSION}:default/port-{shape.slug}", VENDOR, "port", line)
    draft.api_version, draft.kinds = TAXIWAY, kinds
    draft.spec["kind"] = shape.kind
    _computed(draft, shape, computed)
    for name in _items(draft, "relations"):
        relation = shape.relations.get(name)
        if relation is None:
            why = _why_no_relation(shapes, shape, name) or "no field of spec means the same"
            draft.told(("relations", name), "not_carried", None, f"{why}: its entities keep it as text")
        else:
            draft.told(("relations", name), "changed", None, f"it is spec.{relation.field} of {shape.kind}")
    if "schema" in draft.source:
        why = "has a schema of its own; what entities hold is carried with them"
        draft.told("schema", "not_carried", None, f"the kind {shape.kind} {why}")
    if draft.spec.get("properties"):
        draft.identify("identifier", shape.identifier, "")
        _rest(draft)
        return draft.finish(f"blueprint {shape.identifier}")
    draft.told("identifier", "changed", None, f"its entities are of kind {shape.kind}, and have it as an annotation")
    for key in [key for key in draft.source if key not in draft.seen]:
        draft.told(key, "not_carried", None, f"only its entities are carried: the kind {shape.kind} ships")
    return Item(document, at, f"blueprint {shape.identifier}", "definition", draft.notes, line=line)


def _items(draft: Draft, key: str) -> Iterable[str]:
    """The names of a mapping; what is none, or empty, is told of."""
    found = draft.take(key)
    if found is None:
        return ()
    if not isinstance(found, dict):
        draft.told(key, "not_carried", None, "it is no mapping")
        return ()
    return list(found)


def _icon(draft: Draft) -> None:
    icon = draft.take("icon")
    known = ICONS.get(icon.lower()) if isinstance(icon, str) else None
    if known is not None:
        draft.put(known, "spec", "icon")
        draft.told("icon", "changed", "/spec/icon", f"the nearest of the portal's icons is {known}")
    elif icon is not None:
        draft.told("icon", "not_carried", None, f"the portal has no icon like {as_text(icon)[:80]}")


def _schema(draft: Draft, shape: Shape) -> None:
    schema = draft.take("schema")
    if not isinstance(schema, dict):
        if schema is not None:
            draft.told("schema", "not_carried", None, "it is no mapping")
        return
    to = pointer([*IN_SCHEMA, "properties"])
    inner = draft.spec["schema"]["properties"]["properties"]
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict) and value:
            for name, said in value.items():
                if shape.sound.get(name) is None:
                    inner["properties"][name] = {}
                    draft.told(("schema", key, name), "not_carried", None, _why_unsound(said))
                else:
                    inner["properties"][name] = said
                    draft.told(("schema", key, name), "carried", f"{to}{pointer(['properties', name])}")
        elif key == "required" and isinstance(value, list) and value:
            _required(draft, shape, value)
        else:
            draft.told(
                ("schema", key), "not_carried", None, "it is empty" if not value else "Port's schema has no such field"
            )


def _required(draft: Draft, shape: Shape, required: Sequence[Any]) -> None:
    inner = draft.spec["schema"]["properties"]["properties"]
    for index, name in enumerate(required):
        where = ("schema", "required", index)
        if not isinstance(name, str) or name not in shape.required:
            draft.told(where, "not_carried", None, f"there are entities without {as_text(name)[:80]}")
            continue
        names = inner.setdefault("required", [])
        if name not in names:
            names.append(name)
        draft.told(where, "carried", pointer([*IN_SCHEMA, "properties", "required", names.index(name)]))
    if inner.get("required"):
        draft.spec["schema"]["required"] = sorted({*draft.spec["schema"].get("required", ()), "properties"})


def _why_unsound(said: Any) -> str:
    if not isinstance(said, dict):
        return "it is no schema"
    fault = next(iter(schema_faults(said)), None)
    return f"any value is taken: its schema {fault.detail}" if fault is not None else "it is no schema"


def _relations(draft: Draft, shapes: Shapes, shape: Shape, entities: Sequence[Mapping[str, Any]]) -> None:
    for name in _items(draft, "relations"):
        relation = shape.relations.get(name)
        if relation is None:
            why = _why_no_relation(shapes, shape, name) or TOO_MANY
            draft.told(("relations", name), "not_carried", None, f"{why}: its entities keep it as text")
        else:
            _relation(draft, shapes.by_blueprint[relation.target], relation, entities)


def _why_no_relation(shapes: Shapes, shape: Shape, name: str) -> str:
    said = shape.blueprint["relations"][name]
    if not isinstance(said, dict):
        return "it is no relation"
    target = said.get("target")
    return "" if shapes.get(target) is not None else f"its target {as_text(target)[:80]} is not among the documents"


def _relation(draft: Draft, target: Shape, relation: Relation, entities: Sequence[Mapping[str, Any]]) -> None:
    name, said = relation.name, draft.source["relations"][relation.name]
    stated: dict[str, Any] = {"field": relation.field, "type": relation.type, "inverse": relation.inverse}
    is_known = draft.kinds is not None and draft.kinds.has(target.kind)
    if is_known:
        stated["defaultKind"] = target.kind
    if relation.is_list:
        stated["list"] = True
    draft.spec["relations"].append(stated)
    to = pointer(["spec", "relations", len(draft.spec["relations"]) - 1])
    schema: dict[str, Any] = {"type": "array", "items": {"type": "string"}} if relation.is_list else {"type": "string"}
    draft.spec["schema"]["properties"][relation.field] = schema
    at = pointer([*IN_SCHEMA, relation.field])
    for key, value in said.items():
        where = ("relations", name, key)
        if key == "target":
            note = f"as {relation.type}, the other way {relation.inverse}"
            draft.told(where, "changed", f"{to}/defaultKind" if is_known else to, note)
        elif key == "many" and isinstance(value, bool):
            draft.told(where, "changed", f"{at}/type")
        elif key in ("title", "description") and isinstance(value, str) and value:
            schema[key] = value
            draft.told(where, "carried", f"{at}/{key}")
        elif key == "required" and value is True:
            _required_relation(draft, relation, entities)
        else:
            why = "it is what a kind does by itself" if value in (False, None, "") else "relations have no such field"
            draft.told(where, "not_carried", None, why)
    if not said:
        draft.told(("relations", name), "changed", to)


def _required_relation(draft: Draft, relation: Relation, entities: Sequence[Mapping[str, Any]]) -> None:
    where = ("relations", relation.name, "required")
    if not all(isinstance(dig(one, "relations", relation.name), str) for one in entities) or relation.is_list:
        draft.told(where, "not_carried", None, f"there are entities without {relation.name}")
        return
    required = draft.spec["schema"].setdefault("required", [])
    required.append(relation.field)
    required.sort()
    draft.told(where, "changed", "/spec/schema/required")


def _computed(draft: Draft, shape: Shape, computed: Sequence[Computed]) -> None:
    for section in SECTIONS:
        known = {one.name: one for one in computed if one.section == section}
        for name in _items(draft, section):
            one = known.get(name)
            if one is None or one.item is None:
                why = one.why if one is not None else "it is no property"
                draft.told((section, name), "not_carried", None, why)
            else:
                _computed_one(draft, one, one.item)


def _computed_one(draft: Draft, one: Computed, item: Mapping[str, Any]) -> None:
    properties = draft.spec.setdefault("properties", [])
    properties.append(item)
    to = pointer(["spec", "properties", len(properties) - 1])
    form = next(name for name in ("cel", "mirror", "aggregate") if name in item)
    renamed = "" if item["name"] == one.name else f"called {item['name']}"
    said = ", ".join(part for part in (one.note, renamed) if part)
    for key in one.said:
        where = (one.section, one.name, key)
        if key in (one.key, "target", "pathFilter"):
            draft.told(where, "changed", f"{to}/{form}", said)
        elif key == "title" and "title" in item:
            draft.told(where, "carried" if item["title"] == one.said[key] else "changed", f"{to}/title")
        elif key == "type" and "type" in item:
            draft.told(where, "carried" if item["type"] == one.said[key] else "changed", f"{to}/type")
        elif key == "type" and form == "aggregate":
            draft.told(where, "changed", f"{to}/aggregate", "what is brought together is a number")
        elif key == "query":
            draft.told(where, "not_carried", None, "it filters nothing")
        else:
            draft.told(where, "not_carried", None, "a computed property has a name, a title and a type")


def _columns(draft: Draft, shape: Shape) -> None:
    """The first properties that fit a table: required ones, then as the blueprint has them."""
    names = [name for name, said in shape.properties.items() if _is_shown(name, said)]
    names.sort(key=lambda name: name not in shape.required)
    columns = []
    for name in names[:COLUMNS]:
        title = shape.properties[name].get("title")
        shown = title if isinstance(title, str) and title else name
        columns.append({"title": shown[:50], "path": f"spec.properties.{name}"})
    if columns:
        draft.spec["columns"] = columns


def _is_shown(name: str, said: Mapping[str, Any]) -> bool:
    return said.get("type") in SHOWN and said.get("format") not in LONG and "." not in name and 0 < len(name) < 180


def _rest(draft: Draft) -> None:
    """Fields of a blueprint that are no part of a kind."""
    for key in ("createdAt", "updatedAt", "createdBy", "updatedBy"):
        name = {"createdAt": "created-at", "updatedAt": "updated-at", "createdBy": "created-by"}.get(key, "updated-by")
        draft.annotation(key, name)
    for key, value in draft.source.items():
        if key in draft.seen:
            continue
        if key in ("ownership", "teamInheritance"):
            draft.told(key, "not_carried", None, "owners are those of each entity, or inherited along partOf")
        else:
            draft.told(key, "not_carried", None, "a kind has no such field" if value else "it is empty")
