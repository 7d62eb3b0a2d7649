"""The form of a template: which answers it asks for, and mistakes in its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import jsonschema_rs

from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.reading import Subject, suggestion
from taxiway.features.scaffolder.validation import schema_errors
from taxiway.kit.pointer import pointer
from taxiway.model.errors import InputError

Path = tuple[str | int, ...]
NESTED = ("allOf", "anyOf", "oneOf")
SINGLE = ("then", "else", "if", "not", "items", "additionalProperties", "contains", "propertyNames")
KEYWORDS = frozenset(
    {
        "title",
        "description",
        "type",
        "properties",
        "required",
        "default",
        "enum",
        "enumNames",
        "const",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "items",
        "additionalItems",
        "prefixItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "minProperties",
        "maxProperties",
        "patternProperties",
        "additionalProperties",
        "propertyNames",
        "dependencies",
        "dependentRequired",
        "dependentSchemas",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "definitions",
        "examples",
        "readOnly",
        "writeOnly",
    }
)


@dataclass(frozen=True)
class Asked:
    """An answer that the form may ask for: where, its schema, and whether there always is an answer."""

    name: str
    path: Path
    schema: Mapping[str, Any]
    always: bool

    @property
    def is_secret(self) -> bool:
        """Whether the answer is among the secrets, and not among the parameters."""
        return self.schema.get("ui:field") == "Secret"


def asked(subject: Subject) -> dict[str, list[Asked]]:
    """Every answer by name, with each place that asks for it."""
    found: dict[str, list[Asked]] = {}
    for path, page in subject.pages:
        for one in _asked(page, path, always=True):
            found.setdefault(one.name, []).append(one)
    return found


def _asked(schema: Any, path: Path, *, always: bool) -> Iterator[Asked]:
    if not isinstance(schema, Mapping):
        return
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    for name, item in _map(schema.get("properties")).items():
        if isinstance(item, Mapping):
            is_sure = always and (name in needed or "default" in item)
            yield Asked(name, (*path, "properties", name), item, is_sure)
    for key in NESTED:
        listed = schema.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            yield from _asked(item, (*path, key, index), always=always and key == "allOf")
    for key in ("then", "else"):
        yield from _asked(schema.get(key), (*path, key), always=False)
    for key in ("dependencies", "dependentSchemas"):
        for name, item in _map(schema.get(key)).items():
            yield from _asked(item, (*path, key, name), always=False)


def used_by_form(subject: Subject) -> set[str]:
    """Names of answers that the form itself uses: others depend on them, or are picked by them."""
    found: set[str] = set()
    for _, page in subject.pages:
        for schema in _schemas(page):
            found |= set(_map(schema.get("dependencies"))) | set(_map(_map(schema.get("if")).get("properties")))
            if schema.get("ui:field") == "RepoBranchPicker":
                found |= set(asked(subject))
    return found


def _schemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(schema, Mapping):
        yield schema
        for item in schema.values():
            yield from _schemas(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from _schemas(item)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def form_findings(subject: Subject) -> Iterator[Finding]:
    """Mistakes in the pages: what JSON Schema refuses, what requires nothing, defaults that are no answer."""
    known = asked(subject)
    for path, page in subject.pages:
        yield from _refused(subject, path, page)
        yield from _names(subject, path, page, known)
        yield from _words(subject, path, page)
        yield from _defaults(subject, path, page)


def _refused(subject: Subject, path: Path, page: Mapping[str, Any]) -> Iterator[Finding]:
    properties = _map(page.get("properties"))
    parts = [((*path, "properties", name), item) for name, item in properties.items()]
    rest = {key: value for key, value in page.items() if key != "properties" or not isinstance(value, Mapping)}
    for at, schema in [(path, rest), *parts]:
        try:
            jsonschema_rs.meta.validate(dict(schema) if isinstance(schema, Mapping) else schema)
        except ValueError as error:
            inner = getattr(error, "instance_path", [])
            detail = str(getattr(error, "message", error)).splitlines()[0]
            where = (*at, *inner)
            remedy = "Correct it: as it is, no answer can be checked."
            if inner and inner[-1] == "type":
                remedy = "A type is string, number, integer, boolean, array, object or null."
            yield subject.finding("error", "schema", where, f"{pointer(where)} is no JSON Schema: {detail}", remedy)


def _names(subject: Subject, path: Path, page: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Finding]:
    required = page.get("required")
    here = {one.name for one in _asked(page, path, always=True)}
    for index, name in enumerate(required if isinstance(required, list) else []):
        if isinstance(name, str) and name not in here:
            message = f"'{name}' is required, and the page does not ask for it"
            remedy = suggestion(name, sorted(here) or known, "It asks for")
            yield subject.finding("error", "schema", (*path, "required", index), message, remedy)


def _words(subject: Subject, path: Path, schema: Any) -> Iterator[Finding]:
    """Keywords that are nearly one: JSON Schema takes no notice of them."""
    if not isinstance(schema, Mapping):
        return
    for key in schema:
        if key in KEYWORDS or ":" in str(key) or str(key).startswith(("$", "x-")):
            continue
        near = get_close_matches(str(key), KEYWORDS, n=1, cutoff=0.8)
        if near:
            message = f"'{key}' is no keyword of JSON Schema: it has no effect"
            yield subject.finding("error", "schema", (*path, key), message, f"Did you mean '{near[0]}'?")
    for key in ("properties", "dependencies", "definitions", "patternProperties"):
        for name, item in _map(schema.get(key)).items():
            yield from _words(subject, (*path, key, name), item)
    for key in NESTED:
        listed = schema.get(key)
        for index, item in enumerate(listed if isinstance(listed, list) else []):
            yield from _words(subject, (*path, key, index), item)
    for key in SINGLE:
        yield from _words(subject, (*path, key), schema.get(key))


def _defaults(subject: Subject, path: Path, page: Mapping[str, Any]) -> Iterator[Finding]:
    for one in _asked(page, path, always=True):
        schema = one.schema
        names, values = schema.get("enumNames"), schema.get("enum")
        if isinstance(names, list) and isinstance(values, list) and len(names) != len(values):
            message = f"'{one.name}' has {len(values)} values and {len(names)} names for them"
            yield subject.finding("warning", "schema", (*one.path, "enumNames"), message, "Give each value its name.")
        if "default" not in schema or schema["default"] is None:
            continue
        try:
            faults = schema_errors(schema, schema["default"])
        except InputError:
            continue  # told already
        if faults:
            message = f"the default of '{one.name}' is no valid answer: {faults[0].detail}"
            remedy = "Make the default an answer that the form accepts."
            yield subject.finding("error", "schema", (*one.path, "default"), message, remedy)
