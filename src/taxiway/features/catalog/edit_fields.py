"""The usual fields of a kind, for a form: where each stands, what it takes, and whether it must be there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from taxiway.features.catalog.kind_columns import name_of
from taxiway.features.catalog.kinds import Kind, Kinds
from taxiway.kit.pointer import dig

Words = Literal["text", "texts", "reference", "references", "choice", "pairs", "enum", "enums"]
Shape = Literal[Words, "integer", "number", "numbers", "boolean", "date", "datetime"]
"""`choice` suggests, `enum` takes nothing else; the plural is a list of them."""
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
    """One field. `default_kind` is what a bare name means in a reference; `options` are the usual values, or the only
    ones; `description` is what the kind says of it, `minimum` and `maximum` are bounds of a number."""

    pointer: str
    title: str
    shape: Shape
    required: bool
    default_kind: str | None = None
    options: tuple[str, ...] = ()
    description: str | None = None
    minimum: float | None = None
    maximum: float | None = None


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
            found.append(_field(known, name, schema, shape, name in required))
    order = ["/metadata", "/spec/type", "/spec/lifecycle", "/spec/owner", "/spec/system", "/spec"]
    return sorted(found, key=lambda item: next(n for n, head in enumerate(order) if item.pointer.startswith(head)))


def value_at(document: Mapping[str, Any], field: FormField) -> Any:
    """What a document has in a field; None when it has nothing."""
    return dig(document, *field.pointer.split("/")[1:])


def _field(kind: Kind, name: str, schema: Mapping[str, Any], shape: Shape, required: bool) -> FormField:
    field = kind.fields.get(name)
    values = dig(schema, "items", "enum") if shape == "enums" else schema.get("enum", ())
    description, least, most = (schema.get(key) for key in ("description", "minimum", "maximum"))
    return FormField(
        f"/spec/{name}",
        name_of(name, schema),
        shape,
        required,
        field.default_kind if field else None,
        LIFECYCLES if name == "lifecycle" and shape == "choice" else tuple(values),
        description if isinstance(description, str) else None,
        least if isinstance(least, int | float) else None,
        most if isinstance(most, int | float) else None,
    )


def _shape(kind: Kind, name: str, schema: Any) -> Shape | None:
    if not isinstance(schema, Mapping):
        return None
    field = kind.fields.get(name)
    if field is not None:
        return "references" if field.is_list else "reference"
    if name == "lifecycle" and "enum" not in schema:
        return "choice"
    return LISTS.get(_plain(schema.get("items"))) if schema.get("type") == "array" else _plain(schema)


LISTS: Mapping[Shape | None, Shape] = {"text": "texts", "enum": "enums", "integer": "numbers", "number": "numbers"}


def _plain(schema: Any) -> Shape | None:
    """The input for a single value; None where no field of a form can hold it."""
    if not isinstance(schema, Mapping):
        return None
    values, type_ = schema.get("enum"), schema.get("type")
    if isinstance(type_, list):
        type_ = next((one for one in type_ if one != "null"), None)
    if isinstance(values, list):
        return "enum" if values and all(isinstance(one, str) for one in values) else None
    if type_ == "string":
        return FORMATS.get(schema.get("format"), "text")
    return SCALARS.get(type_)


FORMATS: Mapping[Any, Shape] = {"date": "date", "date-time": "datetime"}
SCALARS: Mapping[Any, Shape] = {"integer": "integer", "number": "number", "boolean": "boolean"}
