"""Rows of the tables `run`, `run_step` and `run_log` as values of the model, and JSON that may be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.model.access import Principal
from taxiway.model.errors import InputError
from taxiway.model.run import Created, Run, Step
from taxiway.model.workload import LogLine

MAX_DEPTH = 100
RUN_FIELDS = (
    *("id", "kind", "title", "state", "segment", "input", "definition", "created_by", "created_at", "version"),
    *("subject", "owner", "parent_id", "plan", "output", "error", "waiting_for", "wake_at", "started_at", "ended_at"),
)


def plain(value: Any, what: str, depth: int = 0) -> Any:
    """`value` as plain JSON. Raises InputError that names `what` when it is something else."""
    if depth > MAX_DEPTH:
        raise InputError(f"{what} is nested deeper than {MAX_DEPTH} levels", code="run.not_json")
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: plain(item, f"{what}.{key}", depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{what}[{index}]", depth + 1) for index, item in enumerate(value)]
    raise InputError(f"{what} is no JSON value ({type(value).__name__}): pass text, numbers, lists, mappings")


def principal_document(principal: Principal) -> dict[str, Any]:
    """A principal as JSON."""
    return {
        "subject": principal.subject,
        "roles": sorted(principal.roles),
        "ownership": sorted(principal.ownership),
        "display_name": principal.display_name,
        "on_behalf_of": principal.on_behalf_of,
        "via": principal.via,
        "token_id": principal.token_id,
        "scopes": None if principal.scopes is None else sorted(principal.scopes),
    }


def principal_of(document: Mapping[str, Any]) -> Principal:
    """The principal of `principal_document`."""
    scopes = document["scopes"]
    return Principal(
        **{
            **document,
            "roles": frozenset(document["roles"]),
            "ownership": frozenset(document["ownership"]),
            "scopes": None if scopes is None else frozenset(scopes),
        }
    )


def created_document(created: Created) -> dict[str, Any]:
    """An inventory entry as JSON."""
    return {"kind": created.kind, "name": created.name, "data": dict(created.data)}


def step_of(row: Any) -> Step:
    """A row of `run_step`."""
    return Step(
        id=row.id,
        index=row.index,
        name=row.name,
        action=row.action,
        state=row.state,
        attempt=row.attempt,
        recovery=row.recovery,
        definition=row.definition,
        output=row.output,
        error=row.error,
        created=tuple(Created(item["kind"], item["name"], item["data"]) for item in row.created),
        checkpoints=row.checkpoints,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def run_of(row: Any, steps: Sequence[Step] = ()) -> Run:
    """A row of `run`."""
    return Run(**{name: getattr(row, name) for name in RUN_FIELDS}, steps=steps)


def line_of(row: Any) -> tuple[str, LogLine]:
    """A row of `run_log` as (step id, line)."""
    return row.step_id, LogLine(seq=row.seq, at=row.at, stream=row.stream, text=row.text)
