"""The columns that a table of a kind can have: those that it declares, its properties, and plain fields of `spec`.

Pure. Lists can be ordered by a column of single values: numbers by number, everything else as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.features.catalog.kinds import Kind
from taxiway.features.catalog.properties import Rule

MOST = 60
ORDERED = frozenset({"string", "date", "boolean", "integer", "number"})
METADATA: Mapping[str, str] = {
    **dict.fromkeys(("name", "title", "description", "namespace"), "string"),
    "tags": "strings",
}


@dataclass(frozen=True)
class Column:
    """`type` is string, date, boolean, integer, number, strings, or any where it cannot be told."""

    title: str
    path: str
    type: str

    @property
    def is_sortable(self) -> bool:
        return self.type in ORDERED


def declared_columns(kind: Kind, rules: Sequence[Rule]) -> list[Column]:
    """The columns that a kind declares, in its order."""
    return [Column(title, path, _type_at(path, kind, rules)) for title, path in kind.columns]


def offered_columns(kind: Kind, rules: Sequence[Rule]) -> list[Column]:
    """What may be chosen besides: properties, then the fields of `spec` that a cell can show."""
    taken = {path for _, path in kind.columns}
    found = [Column(rule.title, f"properties.{rule.name}", rule.type) for rule in rules]
    for name, schema in kind.schema.get("properties", {}).items():
        type_ = _type_of(schema)
        if type_ != "any" and "." not in name:
            found.append(Column(name_of(name, schema), f"spec.{name}", type_))
    return [one for one in found if one.path not in taken][:MOST]


def _type_at(path: str, kind: Kind, rules: Sequence[Rule]) -> str:
    head, _, rest = path.partition(".")
    if head == "metadata":
        return METADATA.get(rest, "string" if rest.startswith(("labels.", "annotations.")) else "any")
    if head == "properties":
        return next((rule.type for rule in rules if rule.name == rest), "any")
    schema: Any = kind.schema
    for part in rest.split("."):
        inner = schema.get("properties", {}) if isinstance(schema, Mapping) else {}
        schema = inner.get(part) if isinstance(inner, Mapping) else None
    return _type_of(schema)


def _type_of(schema: Any) -> str:
    if not isinstance(schema, Mapping):
        return "any"
    type_, values = schema.get("type"), schema.get("enum")
    if type_ == "string" or (type_ is None and isinstance(values, list) and all(isinstance(v, str) for v in values)):
        return "date" if schema.get("format") in ("date", "date-time") else "string"
    if type_ in ("integer", "number", "boolean"):
        return str(type_)
    if type_ == "array" and _type_of(schema.get("items")) in ("string", "date", "integer", "number"):
        return "strings"
    return "any"


def name_of(name: str, schema: Any) -> str:
    """The name of a field as a person reads it: the title in its schema, else the words that it is made of."""
    said = schema.get("title") if isinstance(schema, Mapping) else None
    if isinstance(said, str) and said:
        return said
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name)
    return words[:1].upper() + words[1:].replace(" apis", " APIs")
