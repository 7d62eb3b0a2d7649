"""Answers against a template's pages, and inputs against an action's schema, by jsonschema-rs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from taxiway.features.scaffolder.model import page_schema
from taxiway.kit.pointer import pointer
from taxiway.model.errors import FieldError, InputError

MOST_ERRORS = 50


def schema_errors(schema: Mapping[str, Any], value: Any, at: Sequence[str] = ()) -> list[FieldError]:
    """What is wrong with `value`. InputError when the schema itself cannot be used."""
    try:
        found = []
        for error in _validator_of(schema).iter_errors(value):
            found.append(FieldError(pointer([*at, *error.instance_path]), error.message))
            if len(found) == MOST_ERRORS:
                break
        return found
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise InputError(f"the JSON Schema at {pointer(at) or '/'} cannot be used: {error}") from error


def _validator_of(schema: Mapping[str, Any]) -> Any:
    try:
        text = orjson.dumps(schema, default=dict)
    except TypeError:  # a number that is too large, or a key that is no text: the library judges
        return jsonschema_rs.validator_for(dict(schema))
    return _validator(text)


@lru_cache(maxsize=500)
def _validator(schema: bytes) -> Any:
    """Made once for schemas that are written alike: every step of every task is checked against its action's."""
    return jsonschema_rs.validator_for(orjson.loads(schema))


def check_values(pages: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> None:
    """Validate the answers page by page. InputError with a pointer per wrong answer."""
    problems: list[FieldError] = []
    for page in pages:
        problems += schema_errors(page_schema(page), values)
    if problems:
        fields = ", ".join(sorted({problem.pointer or problem.detail for problem in problems}))
        raise InputError(f"some answers are not valid: {fields}", code="scaffolder.invalid_values", errors=problems)


def check_input(action: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Validate an action's rendered input. InputError that names the action."""
    if not schema:
        return
    problems = schema_errors(schema, values)
    if problems:
        first = problems[0]
        raise InputError(
            f"Invalid input passed to action {action}, {first.pointer or 'the input'}: {first.detail}",
            code="scaffolder.invalid_input",
            errors=problems,
        )


def with_defaults(pages: Sequence[Mapping[str, Any]], values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with the defaults of top-level properties that were not answered."""
    filled = dict(values)
    for page in pages:
        for name, schema in (page.get("properties") or {}).items():
            if name not in filled and isinstance(schema, Mapping) and "default" in schema:
                filled[name] = schema["default"]
    return filled
