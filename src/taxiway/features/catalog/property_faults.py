"""What is wrong with the properties that a `Kind` or `KindExtension` declares. Pure: called by `kind_faults`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from taxiway.features.catalog.cel import compiled, related_in
from taxiway.features.catalog.kinds import EXTENSION, INVERSE, Kinds
from taxiway.features.catalog.properties import Rule, in_order, rule_of
from taxiway.model.errors import FieldError


def property_faults(document: Mapping[str, Any], kinds: Kinds) -> Iterator[FieldError]:
    """Every fault of the properties of a document that satisfies its schema."""
    spec = document["spec"]
    items = spec.get("properties", ())
    rules = [rule_of(item) for item in items]
    known = set(kinds.inverses) | set(INVERSE)
    for item in spec.get("relations", ()):
        known |= {item["type"], item["inverse"]}
    for index, rule in enumerate(rules):
        yield from _rule(rule, f"/spec/properties/{index}", known)
    names = [rule.name for rule in rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield FieldError("/spec/properties", f"the property {name} is there twice")
    if document["kind"] == EXTENSION:
        yield from _taken(document, kinds, names)
    try:
        in_order(tuple(rules))
    except ValueError as error:
        yield FieldError("/spec/properties", f"properties read each other in a circle: {error}")


def _rule(rule: Rule, at: str, known: set[str]) -> Iterator[FieldError]:
    relations: Mapping[str, str] = dict.fromkeys(rule.path, f"{at}/{'aggregate' if rule.function else 'mirror'}/path")
    if rule.cel is not None:
        relations = dict.fromkeys(related_in(rule.cel), f"{at}/cel")
        try:
            compiled(rule.cel, rule.type)
        except ValueError as error:
            yield FieldError(f"{at}/cel", f"is no CEL that can be used: {error}")
    for name, where in relations.items():
        if name not in known:
            yield FieldError(where, f"there is no relation {name}: known are " + ", ".join(sorted(known)))
    if rule.function is not None and rule.type not in ("number", "integer"):
        yield FieldError(f"{at}/type", f"{rule.function} gives a number: leave the type out")


def _taken(document: Mapping[str, Any], kinds: Kinds, names: list[str]) -> Iterator[FieldError]:
    spec, own = document["spec"], str(document["metadata"]["name"]).lower()
    kind = next((one for one in kinds.by_name.values() if one.name.lower() == spec["kind"].lower()), None)
    taken = {rule.name: f"the kind {spec['kind']}" for rule in (kind.rules if kind else ())}
    for name, other in kinds.extensions.items():
        if name != own and other.kind.lower() == spec["kind"].lower():
            taken.update({rule.name: f"the extension {name}" for rule in other.rules})
    for index, name in enumerate(names):
        if name in taken:
            yield FieldError(f"/spec/properties/{index}/name", f"{taken[name]} has a property {name}: choose another")
