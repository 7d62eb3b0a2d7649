"""An `Action` entity as a value: what it takes and gives, who may use it, and what it does.

The kind's schema in `library/kinds` has judged the document's form by then; what is judged here is what a JSON Schema
cannot say. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.features.catalog.kind_faults import schema_faults
from taxiway.kit.pointer import pointer
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import FieldError, InputError
from taxiway.model.run import Recovery

KIND = "Action"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATABLE = SAFE | {"PUT", "DELETE"}
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Declared:
    """An `Action` entity. `how` is the part that says what it does, `http` or `command` by `kind`; `secrets` are
    references by name; `allowed` are users and groups who may use it, empty: whoever may use actions at all."""

    key: str
    ref: str
    description: str
    input_schema: Values
    output_schema: Values
    allowed: Sequence[str]
    secrets: Mapping[str, str]
    recovery: Recovery
    runs_in_dry_run: bool
    kind: str
    how: Values


def declared_of(document: Values) -> Declared:
    """The action of an entity. InputError with a pointer for each mistake."""
    spec, metadata, ref = document["spec"], document["metadata"], str(ref_of(document))
    schemas = [(name, spec[name]) for name in ("input", "output") if name in spec]
    problems = [fault for name, one in schemas for fault in schema_faults(one, f"/spec/{name}")]
    kind = "http" if "http" in spec else "command"
    method = str(spec["http"]["method"]) if kind == "http" else ""
    default = "run" if method in SAFE else "skip"
    allowed: list[str] = []
    for index, one in enumerate(spec.get("allowed") or []):
        try:
            allowed.append(str(parse_ref(one, default_kind="group")))
        except InputError as error:
            problems.append(FieldError(pointer(["spec", "allowed", index]), error.detail))
    if problems:
        raise InputError(f"the action {ref} is not usable", code="scaffolder.bad_action", errors=problems)
    return Declared(
        key=spec.get("id") or metadata["name"],
        ref=ref,
        description=metadata.get("description") or metadata.get("title") or f"The action {ref}",
        input_schema={"type": "object", **spec["input"]},
        output_schema={"type": "object", **(spec.get("output") or {})},
        allowed=tuple(allowed),
        secrets=spec.get("secrets") or {},
        recovery=spec.get("recovery") or ("idempotent" if method in REPEATABLE else "manual"),
        runs_in_dry_run=(spec.get("dryRun") or default) == "run",
        kind=kind,
        how=spec[kind],
    )
