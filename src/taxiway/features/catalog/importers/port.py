"""Port: blueprints and entities as its API, its exports and `port.yml` files have them.

A blueprint becomes a kind (`port_blueprints`), and its entities are of that kind (`port_entities`). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.features.catalog.importers.port_blueprints import check_schemas, extension_item, kind_item
from taxiway.features.catalog.importers.port_computed import Computed, compute_all
from taxiway.features.catalog.importers.port_entities import Found, convert_entities
from taxiway.features.catalog.importers.port_shapes import Shapes
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Note, Options, refused
from taxiway.features.catalog.kinds import Kinds, shipped, with_document
from taxiway.kit.pointer import pointer

MAX_BLUEPRINTS = 1000
"""Each is judged with all that came before it."""
NOT_CATALOG: Mapping[str, str] = {
    "scorecards": "scorecards are rules over the catalog, not entities",
    "actions": "an action is a golden path here: write a template for it",
    "pages": "pages are the portal's own",
    "integrations": "register the source itself as a location",
    "ok": "it says that the answer is one",
    "next": "it is a cursor of the answer",
}


@dataclass
class _Reading:
    """What the documents hold, before anything is converted."""

    options: Options
    shapes: Shapes = field(default_factory=Shapes)
    entities: list[Found] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


def convert(documents: Sequence[Input], options: Options) -> Iterator[Item]:
    """What becomes of Port's documents. Targets of relations are looked for in all of them."""
    reading = _Reading(options)
    for document in documents:
        for value in read_values(document):
            if isinstance(value, Item):
                reading.items.append(value)
            else:
                _sort(reading, document.name, value, value.value, value.at)
    yield from reading.items
    items, kinds = _kinds(reading)
    yield from items
    yield from convert_entities(reading.entities, reading.shapes, options, kinds)


def _kinds(reading: _Reading) -> tuple[list[Item], Kinds]:
    """What becomes of the blueprints, kinds before what is added to those that ship, and all kinds there are then."""
    shapes = reading.shapes
    shapes.relate()
    entities: dict[str, list[Mapping[str, Any]]] = {}
    for found in {found.key: found for found in reversed(reading.entities)}.values():
        entities.setdefault(found.blueprint, []).append(found.value)
    for shape in shapes.by_blueprint.values():
        check_schemas(shape, entities.get(shape.identifier, ()))
    computed = compute_all(shapes)
    announced = frozenset(shape.kind for shape in shapes.by_blueprint.values() if shape.is_own)
    while True:
        items, kinds = _judged(shapes, computed, entities, shipped().announcing(announced))
        if announced <= kinds.by_name.keys():
            return items, kinds
        announced &= kinds.by_name.keys()  # a relation to a kind that is refused would have its own kind refused too


def _judged(
    shapes: Shapes,
    computed: Mapping[str, Sequence[Computed]],
    entities: Mapping[str, Sequence[Mapping[str, Any]]],
    kinds: Kinds,
) -> tuple[list[Item], Kinds]:
    items = []
    for shape in sorted(shapes.by_blueprint.values(), key=lambda shape: not shape.is_own):
        mine = computed[shape.identifier]
        if shape.is_own:
            item = kind_item(shapes, shape, mine, entities.get(shape.identifier, ()), kinds)
        else:
            item = extension_item(shapes, shape, mine, kinds)
        if item.entity is not None:
            kinds = with_document(kinds, item.entity, "import")
        items.append(item)
    return items, kinds


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
        reading.entities.append(Found(name, at, value.line, found))
    elif isinstance(found.get("identifier"), str) and ("schema" in found or "relations" in found):
        _blueprint(reading, (name, at, value.line), found)
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


def _blueprint(reading: _Reading, at: tuple[str, str, int], found: Mapping[str, Any]) -> None:
    identifier, why = found["identifier"], ""
    if reading.shapes.get(identifier) is not None:
        why = "there is a blueprint of this identifier"
    elif len(reading.shapes.by_blueprint) >= MAX_BLUEPRINTS:
        why = f"there are more than {MAX_BLUEPRINTS} blueprints: import them in parts"
    if why:
        document, where, line = at
        reading.items.append(refused(document, where, f"blueprint {identifier}", why, line))
        return
    reading.shapes.add(found, at, reading.options.kinds)
