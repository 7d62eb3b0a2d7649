"""What `make fuzz` changes of schemathesis, which loads it: one check, and how examples are looked for.

Answers are what their description says, parts of entities included.

With `fields` lists of entities answer what was asked for of each, and no more. The description of these operations,
like Backstage's own, knows whole entities only (ADR 0017). Such answers are held against the same schema with nothing
in it required; all others against the schema as it is.

Schemathesis asks Hypothesis for inputs that are accepted more often. For operations on things that nobody can guess it
looks for them without end, and never comes to the examples that were asked for: examples are drawn, not searched.
"""

from __future__ import annotations

from typing import Any

import hypothesis
import jsonschema_rs
import schemathesis
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

IN_PARTS = {
    ("GET", "/entities"),
    ("GET", "/entities/by-query"),
    ("POST", "/entities/by-query"),
    ("POST", "/entities/by-refs"),
    ("GET", "/v1/views/{view}/entities"),
}
hypothesis.target = lambda observation, *, label="": observation


@schemathesis.check
def schema_or_parts_of_it(ctx: Any, response: Any, case: Any) -> bool | None:
    """`response_schema_conformance`, but that an answer to `fields` may leave things out."""
    try:
        return response_schema_conformance(ctx, response, case)
    except (Failure, FailureGroup):
        if not _asks_for_parts(case) or not _is_part(response, case):
            raise
    return None


def _asks_for_parts(case: Any) -> bool:
    path = case.operation.path.removeprefix("/api/catalog")
    given = case.body if case.method == "POST" else case.query
    return (case.method, path) in IN_PARTS and isinstance(given, dict) and bool(given.get("fields"))


def _is_part(response: Any, case: Any) -> bool:
    documented = case.operation.responses.find_by_status_code(response.status_code)
    schema = documented.get_schema("application/json").schema
    return jsonschema_rs.validator_for(_with_nothing_required(schema)).is_valid(response.json())


def _with_nothing_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_nothing_required(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may be called "required": only the keyword is a list.
    kept = {name: one for name, one in schema.items() if name != "required" or not isinstance(one, list)}
    return {name: _with_nothing_required(one) for name, one in kept.items()}
