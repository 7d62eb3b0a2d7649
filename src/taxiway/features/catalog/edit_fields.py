"""The usual fields of a kind, for a form: where each stands, what it takes, and whether it must be there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from taxiway.features.catalog.kind_columns import title_of
from taxiway.features.catalog.kinds import Kind, Kinds
from taxiway.kit.pointer import dig

Shape = Literal["text", "texts", "reference", "references", "choice", "pairs"]
COMMON: tuple[tuple[str, str, Shape], ...] = (
    ("title", "Title", "text"),
    ("description", "Description", "text"),
    ("tags", "Tags", "texts"),
    ("labels", "Labels", "pairs"),
)
LIFECYCLES = ("experimental", "production", "deprecated")
NOT_IN_A_FORM = frozenset({"definition", "profile"})
ENTERED = ("Component", "API", "Resource", "System", "Domain")
"""Kinds that people enter one by one; the others come from golden paths, directories and platform files."""


@dataclass(frozen=True)
class FormField:
    """One field. `default_kind` is what a bare name means in a reference; `options` are the usual values."""

    pointer: str
    title: str
    shape: Shape
    required: bool
    default_kind: str | None = None
    options: tuple[str, ...] = ()


def fields_of(kind: str, kinds: Kinds) -> list[FormField]:
    """The usual fields of a kind, those of `metadata` first."""
    known = kinds.get(kind)
    found = [FormField(f"/metadata/{name}", title, shape, False) for name, title, shape in COMMON]
    if known is None:
        return found
    required = set(known.schema.get("required", ()))
    for name, schema in known.schema.get("properties", {}).items():
        shape = None if name in NOT_IN_A_FORM else _shape(known, name, schema)
        if shape is not None:
            field = known.fields.get(name)
            options = LIFECYCLES if name == "lifecycle" else tuple(schema.get("enum", ()))
            default = field.default_kind if field else None
            found.append(FormField(f"/spec/{name}", title_of(name), shape, name in required, default, options))
    order = ["/metadata", "/spec/type", "/spec/lifecycle", "/spec/owner", "/spec/system", "/spec"]
    return sorted(found, key=lambda item: next(n for n, head in enumerate(order) if item.pointer.startswith(head)))


def value_at(document: Mapping[str, Any], field: FormField) -> Any:
    """What a document has in a field; None when it has nothing."""
    return dig(document, *field.pointer.split("/")[1:])


def _shape(kind: Kind, name: str, schema: Any) -> Shape | None:
    if not isinstance(schema, Mapping):
        return None
    field = kind.fields.get(name)
    if field is not None:
        return "references" if field.is_list else "reference"
    if name == "lifecycle" or "enum" in schema:
        return "choice"
    if schema.get("type") == "array":
        return "texts" if dig(schema, "items", "type") == "string" else None
    return "text" if schema.get("type") == "string" else None
