"""What `make fuzz` changes of schemathesis, which loads it: one check, how examples are looked for, and what is pushed.

Answers are what their description says, parts of entities included.

With `fields` lists of entities answer what was asked for of each, and no more. The description of these operations,
like Backstage's own, knows whole entities only (ADR 0017). Such answers are held against the same schema with nothing
in it required; all others against the schema as it is. A body that is not what it takes `validate-entity` refuses as
every operation does, and as a running Backstage does; Backstage's description knows faults of entities only.

Schemathesis asks Hypothesis for inputs that are accepted more often. For operations on things that nobody can guess it
looks for them without end, and never comes to the examples that were asked for: examples are drawn, not searched.

It knows nothing of newline-delimited JSON, so what pushes hold is made here: entities, more or less.
"""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import hypothesis
import jsonschema_rs
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import response_schema_conformance

IN_PARTS = {
    ("GET", "/entities"),
    ("GET", "/entities/by-query"),
    ("POST", "/entities/by-query"),
    ("POST", "/entities/by-refs"),
    ("GET", "/v1/views/{view}/entities"),
}
OWN = os.environ.get("TAXIWAY_FUZZ_TOKEN")
"""The id of the token that is fuzzed with: without it nothing but refusals would follow."""
KNOWN: list[tuple[str, dict[str, str]]] = json.loads(os.environ.get("TAXIWAY_FUZZ_KNOWN", "[]"))
"""Names of things that are there, by what paths begin with and by parameter; the later ones count more."""
hypothesis.target = lambda observation, *, label="": observation


@schemathesis.hook
def map_case(context: Any, case: Any) -> Any:
    """Half of the examples are about things that are there."""
    if case.path_parameters.get("token_id") == OWN:
        case.path_parameters["token_id"] = "none"  # what was answered before is drawn too
    drawn = (case.path_parameters, case.query, case.body)
    if zlib.crc32(repr(drawn).encode(errors="replace")) % 2:
        return case
    known = {
        name: value
        for begin, values in KNOWN
        if case.operation.path.startswith(begin)
        for name, value in values.items()
    }
    for given in drawn:
        if isinstance(given, dict):
            given.update({name: known[name] for name in given if name in known})
    return case


@schemathesis.check
def schema_or_parts_of_it(ctx: Any, response: Any, case: Any) -> bool | None:
    """`response_schema_conformance`, but that an answer to `fields` may leave things out."""
    try:
        return response_schema_conformance(ctx, response, case)
    except (Failure, FailureGroup):
        if not (_asks_for_parts(case) and _is_part(response, case)) and not _is_unread(response, case):
            raise
    return None


def _asks_for_parts(case: Any) -> bool:
    path = case.operation.path.removeprefix("/api/catalog")
    given = case.body if case.method == "POST" else case.query
    return (case.method, path) in IN_PARTS and isinstance(given, dict) and given.get("fields") not in (None, [], "")


def _is_part(response: Any, case: Any) -> bool:
    documented = case.operation.responses.find_by_status_code(response.status_code)
    schema = documented.get_schema("application/json").schema
    return jsonschema_rs.validator_for(_with_nothing_required(schema)).is_valid(response.json())


def _is_unread(response: Any, case: Any) -> bool:
    if not case.operation.path.endswith("/validate-entity") or response.status_code != 400:
        return False
    return set(response.json()) == {"error", "request", "response"}


def _with_nothing_required(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_nothing_required(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may be called "required": only the keyword is a list.
    kept = {name: one for name, one in schema.items() if name != "required" or not isinstance(one, list)}
    return {name: _with_nothing_required(one) for name, one in kept.items()}


# Half surrogate pairs too: JSON can spell them, and UTF-8 cannot.
TEXTS = st.text(st.characters(), max_size=20)
NAMES = st.sampled_from(["fuzz-1", "fuzz-7", "A.b_c-9", "x" * 64, "-", "", "default", "ä"]) | TEXTS
REFS = st.builds("{}:{}/{}".format, st.sampled_from(["component", "user", "Group", "none", ""]), NAMES, NAMES) | NAMES
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | REFS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)
KINDS = ("Component", "API", "Resource", "System", "Domain", "Group", "User", "Location", "Template", "Kind", "none")
VERSIONS = ("backstage.io/v1alpha1", "backstage.io/v1beta1", "scaffolder.backstage.io/v1beta3", "taxiway.dev/v1", "x")
SPEC = ("type", "owner", "lifecycle", "system", "domain", "memberOf", "children", "parent", "dependsOn", "providesApis")
SPEC += ("definition", "profile", "target", "targets", "steps", "parameters", "schema", "relations", "properties", "x")
METADATA = ("title", "description", "namespace", "labels", "annotations", "tags", "links", "uid", "etag", "x")


def _some_of(names: tuple[str, ...]) -> Any:
    return st.dictionaries(st.sampled_from(names), SCALARS | st.lists(REFS, max_size=3) | VALUES, max_size=6)


ENTITIES = st.fixed_dictionaries(
    {
        "apiVersion": st.sampled_from(VERSIONS),
        "kind": st.sampled_from(KINDS),
        "metadata": st.builds(lambda name, more: {**more, "name": name}, NAMES, _some_of(METADATA)),
    },
    optional={"spec": _some_of(SPEC), "relations": VALUES, "status": VALUES, "x": VALUES},
)
LINES = (ENTITIES | st.builds(lambda ref: {"delete": ref}, REFS) | VALUES).map(json.dumps).map(str.encode)
schemathesis.openapi.media_type(
    "application/x-ndjson", st.lists(LINES | st.binary(max_size=40), max_size=6).map(b"\n".join)
)
