"""Port's mirror, calculation and aggregation properties as properties that a kind computes. Pure.

One is carried where it comes to the same value here; `NotExactError` says of every other one why not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.features.catalog.cel import compiled
from taxiway.features.catalog.importers.jq_cel import Term, quoted, translate
from taxiway.features.catalog.importers.jq_syntax import NotExactError
from taxiway.features.catalog.importers.port_shapes import Relation, Shape, Shapes, Step, mappings

SECTIONS = ("mirrorProperties", "calculationProperties", "aggregationProperties")
TYPES: Mapping[str, str] = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "array": "strings",
}
META: Mapping[str, str] = {
    "$title": "metadata.title",
    "$identifier": "metadata.annotations.port.io/identifier",
    "$icon": "metadata.annotations.port.io/icon",
    "$createdAt": "metadata.annotations.port.io/created-at",
    "$updatedAt": "metadata.annotations.port.io/updated-at",
    "$createdBy": "metadata.annotations.port.io/created-by",
    "$updatedBy": "metadata.annotations.port.io/updated-by",
}
FUNCTIONS: Mapping[str, str] = {"sum": "sum", "min": "min", "max": "max", "average": "avg", "avg": "avg"}
MAX_PROPERTIES = 30
MAX_PATH = 5
MAX_STEPS = 2000
MAX_ROUNDS = 10
NAME = re.compile(r"[a-z][A-Za-z0-9_]{0,62}")


@dataclass
class Computed:
    """What becomes of one: `item` is its declaration, or `why` there is none. `key` is what of it was translated."""

    section: str
    name: str
    said: Mapping[str, Any]
    item: dict[str, Any] | None = None
    why: str = ""
    key: str = ""
    note: str = ""


def compute_all(shapes: Shapes) -> Mapping[str, list[Computed]]:
    """What becomes of every computed property, by blueprint. One may read others: they are tried in rounds."""
    found = {
        shape.identifier: [
            Computed(section, name, said)
            for section in SECTIONS
            for name, said in mappings(shape.blueprint.get(section)).items()
        ]
        for shape in shapes.by_blueprint.values()
    }
    for _ in range(MAX_ROUNDS):
        done = [
            _try(shapes, shapes.by_blueprint[identifier], one)
            for identifier, properties in found.items()
            for one in properties
            if one.item is None
        ]
        if not any(done):
            break
    return found


def _try(shapes: Shapes, shape: Shape, one: Computed) -> bool:
    try:
        name = _name(shapes, shape, one.name)
        kinds = {"mirrorProperties": _mirror, "calculationProperties": _calculation}
        item = kinds.get(one.section, _aggregation)(shapes, shape, one)
    except NotExactError as error:
        one.why = str(error)
        return False
    title = one.said.get("title")
    named = {"title": title[:100]} if isinstance(title, str) and title else {}
    one.item = {"name": name, **named, **item}
    type_ = item.get("type") or ("integer" if item.get("aggregate", {}).get("function") == "count" else "number")
    shape.computed[one.name] = (name, type_)
    return True


def _name(shapes: Shapes, shape: Shape, name: str) -> str:
    """Its name here, which no other one of its kind has."""
    if len(shape.computed) >= MAX_PROPERTIES:
        raise NotExactError(f"a kind has at most {MAX_PROPERTIES} computed properties")
    parts = [part for part in re.split(r"[^A-Za-z0-9_]+", name) if part.strip("_")]
    text = "".join(part if number == 0 else part[0].upper() + part[1:] for number, part in enumerate(parts)).strip("_")
    text = text[:1].lower() + text[1:63] if text else ""
    if not NAME.fullmatch(text):
        raise NotExactError("its name cannot be that of a property")
    same = [other for other in shapes.by_blueprint.values() if other.kind == shape.kind]
    if any(text == known for other in same for known, _ in other.computed.values()):
        raise NotExactError(f"{shape.kind} has a property {text} already")
    return text


def _mirror(shapes: Shapes, shape: Shape, one: Computed) -> dict[str, Any]:
    one.key = "path"
    said = one.said.get("path")
    *path, last = said.split(".") if isinstance(said, str) else [""]
    if not 1 <= len(path) <= MAX_PATH:
        raise NotExactError(f"its path has {len(path)} relations: 1 to {MAX_PATH} can be followed")
    types, current, is_list = [], shape, False
    for name in path:
        relation, current = _step(shapes, current, name)
        types.append(relation.type)
        is_list = is_list or relation.is_list
    where, type_ = _end(current, last)
    if is_list and type_ != "strings":
        one.note = "as texts, each once"
        type_ = "strings"
    return {"type": type_, "mirror": {"path": types, "field": where}}


def _step(shapes: Shapes, shape: Shape, name: str) -> tuple[Relation, Shape]:
    relation = shape.relations.get(name)
    target = shapes.get(relation.target) if relation is not None else None
    if relation is None or target is None:
        raise NotExactError(f"{name} of {shape.identifier} is not carried as a relation")
    if not relation.is_exact:
        raise NotExactError(f"{relation.type} of {shape.kind} is what other fields state as well")
    return relation, target


def _end(shape: Shape, name: str) -> tuple[str, str]:
    """(field, type) of what a path ends in."""
    if name in META:
        return META[name], "string"
    if name in shape.computed:
        known, type_ = shape.computed[name]
        return f"properties.{known}", type_
    said = shape.properties.get(name)
    type_ = TYPES.get(str((said or {}).get("type")), "")
    if said is None or not type_:
        raise NotExactError(f"{name} of {shape.identifier} is no text, number, boolean or list that is carried")
    return f"spec.properties.{name}", type_


def _calculation(shapes: Shapes, shape: Shape, one: Computed) -> dict[str, Any]:
    one.key = "calculation"
    said, type_ = one.said.get("calculation"), TYPES.get(str(one.said.get("type")), "")
    if not isinstance(said, str) or type_ not in ("string", "number", "boolean"):
        raise NotExactError("only a jq expression that gives a text, a number or a boolean has an equal")
    text = translate(said, type_, lambda keys: read_path(shape, keys))
    try:
        compiled(text, type_)
    except ValueError as error:
        raise NotExactError(f"its CEL {error}") from error
    one.note = "from jq to CEL"
    return {"type": type_, "cel": text}


def read_path(shape: Shape, keys: tuple[str, ...]) -> Term:
    """What a path of jq reads."""
    if keys == ("identifier",):
        return Term('string(entity.metadata.annotations["port.io/identifier"])', "string")
    if keys == ("blueprint",):
        return Term(quoted(shape.identifier), "string")
    if keys == ("title",):
        return Term("string(entity.metadata.title)", "string", "has(entity.metadata.title)", is_read=True)
    if len(keys) == 2 and keys[0] == "properties":
        return _read_property(shape, keys[1])
    raise NotExactError(f"'.{'.'.join(keys)}' is not read by name here")


def _read_property(shape: Shape, name: str) -> Term:
    if name in shape.computed:
        known, type_ = shape.computed[name]
        cel = f"properties.{known}"
        there = f"has({cel})"
    else:
        type_ = TYPES.get(str(shape.properties.get(name, {}).get("type")), "")
        if not type_ or shape.sound.get(name) is None:
            raise NotExactError(f"{name} is no text, number, boolean or list of the blueprint")
        key = quoted(name)
        cel = f"entity.spec.properties[{key}]"
        there = "" if name in shape.required else f"({key} in entity.spec.properties)"
    type_ = {"integer": "number", "strings": "list"}.get(type_, type_)
    # What is read has no type of its own in CEL.
    cel = {"number": f"double({cel})", "string": f"string({cel})"}.get(type_, cel)
    return Term(cel, type_, there, is_read=True)


def _aggregation(shapes: Shapes, shape: Shape, one: Computed) -> dict[str, Any]:
    one.key = "calculationSpec"
    target = shapes.get(one.said.get("target"))
    spec = one.said.get("calculationSpec")
    if target is None or not isinstance(spec, dict):
        raise NotExactError("its target is not among the documents, or it does not say what to calculate")
    if _is_filtered(one.said.get("query"), target.identifier):
        raise NotExactError("only some entities count, by a query")
    if target.kind == "API" or any(o.kind == target.kind for o in shapes.by_blueprint.values() if o is not target):
        raise NotExactError(f"not only entities of {target.identifier} are of kind {target.kind}")
    path = _path(shapes, shape, target, one.said.get("pathFilter"))
    if spec.get("calculationBy") == "entities" and spec.get("func") == "count":
        return {"aggregate": {"path": path, "function": "count", "kind": target.kind}}
    function = FUNCTIONS.get(str(spec.get("func")))
    if spec.get("calculationBy") != "property" or function is None:
        raise NotExactError(f"{spec.get('func')} by {spec.get('calculationBy')} has no equal")
    if spec.get("averageOf", "total") != "total":
        raise NotExactError(f"an average per {spec['averageOf']} has no equal")
    where, type_ = _end(target, str(spec.get("property")))
    if type_ not in ("number", "integer"):
        raise NotExactError(f"{spec.get('property')} is no number")
    one.note = "where there is nothing to bring together it has no value"
    return {"aggregate": {"path": path, "function": function, "field": where, "kind": target.kind}}


def _is_filtered(query: Any, target: str) -> bool:
    rules = query.get("rules") if isinstance(query, dict) else query
    whole = {"property": "$blueprint", "operator": "=", "value": target}
    return bool(rules) and not (isinstance(rules, list) and all(rule == whole for rule in rules))


def _path(shapes: Shapes, shape: Shape, target: Shape, wanted: Any) -> list[str]:
    """The types from one blueprint to another: those of a path filter, or the only way there is."""
    steps = _filtered(shapes, shape, target, wanted) if wanted else _only_way(shapes, shape, target)
    for step in steps[:-1]:
        # Only the kind at the end is looked at: what lies between must be of one blueprint by itself.
        if step.is_back and sum(other.type == step.type for other in shapes.steps(step.start)) > 1:
            raise NotExactError(f"{step.type} of {step.start} leads to several blueprints")
    return [step.type for step in steps]


def _only_way(shapes: Shapes, shape: Shape, target: Shape) -> list[Step]:
    found: list[list[Step]] = []
    count = 0
    stack: list[list[Step]] = [[step] for step in shapes.steps(shape.identifier)]
    while stack and len(found) < 2 and count < MAX_STEPS:
        count += 1
        way = stack.pop()
        last = way[-1]
        seen = {shape.identifier, *(step.end for step in way[:-1])}
        if not last.is_exact or last.end == last.start:
            raise NotExactError(f"relations of {last.start} lead there in more than one way")
        if last.end == target.identifier and last.end != shape.identifier:
            found.append(way)
        elif last.end not in seen:
            stack += [[*way, step] for step in shapes.steps(last.end)]
    if len(found) != 1 or stack:
        raise NotExactError("more than one path leads there: state one by pathFilter" if found else "no path is found")
    if len(found[0]) > MAX_PATH:
        raise NotExactError(f"the path there has more than {MAX_PATH} relations")
    return found[0]


def _filtered(shapes: Shapes, shape: Shape, target: Shape, wanted: Any) -> list[Step]:
    only = wanted[0] if isinstance(wanted, list) and len(wanted) == 1 and isinstance(wanted[0], dict) else {}
    names, start = only.get("path"), only.get("fromBlueprint", shape.identifier)
    is_back = start == target.identifier and start != shape.identifier
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_PATH or not (is_back or start == shape.identifier):
        raise NotExactError("its path filter names no single path")
    current, steps = (target if is_back else shape), []
    for name in names:
        before = current
        relation, current = _step(shapes, current, str(name))
        if is_back:
            steps.append(Step(current.identifier, relation.inverse, before.identifier, True))
        else:
            steps.append(Step(before.identifier, relation.type, current.identifier))
    if current is not (shape if is_back else target):
        raise NotExactError("its path filter leads elsewhere")
    return steps[::-1] if is_back else steps
