"""Runs: something being done. Values and the rules about states; the engine is in `core/runs`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

RunState = Literal[
    "queued",  # waits for a worker
    "running",  # a worker with a live lease works on it
    "waiting",  # parked: holds no thread; `waiting_for` names what wakes it
    "needs_attention",  # a step was interrupted and nobody can tell what it did: a person decides
    "cancelling",
    "undoing",
    "succeeded",
    "failed",
    "cancelled",
    "undone",
]
StepState = Literal[
    "pending", "running", "waiting", "succeeded", "failed", "skipped", "cancelled", "interrupted", "undone"
]
Recovery = Literal["idempotent", "probe", "manual"]
"""What recovery does with an interrupted step: run it again, ask the action what happened, or ask a person."""

ENDED: frozenset[RunState] = frozenset({"succeeded", "failed", "cancelled", "undone"})
OPERATIONS: Mapping[RunState, tuple[str, ...]] = {
    "queued": ("cancel",),
    "running": ("cancel",),
    "waiting": ("cancel",),
    "needs_attention": ("resume", "retry", "cancel", "undo"),
    "cancelling": (),
    "undoing": (),
    "succeeded": ("undo",),
    "failed": ("retry", "undo"),
    "cancelled": ("retry", "undo"),
    "undone": (),
}
"""Which operations a run in each state accepts; `waiting` for an approval also accepts `approve`."""


@dataclass(frozen=True)
class StepDefinition:
    """One step as the run pinned it. `input` may hold templates that the run's handler renders."""

    id: str
    name: str
    action: str
    input: Mapping[str, Any] = field(default_factory=dict)
    condition: Any = None
    each: Any = None
    recovery: Recovery = "idempotent"
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the handler's own kind of steps adds to these: waits, groups, how a loop is gone through."""


@dataclass(frozen=True)
class Created:
    """Something that a step brought into being, in the words that its undo needs. It must hold no secret.

    `kind` is the noun (`repository`, `entity`, `database`, `process`), `name` its address, `data` what undo must know.
    """

    kind: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSpec:
    """What to start. `kind` picks the handler; `request_key`, when set, makes starting idempotent within the kind."""

    kind: str
    title: str
    steps: Sequence[StepDefinition]
    input: Mapping[str, Any] = field(default_factory=dict)
    subject: str | None = None
    owner: str | None = None
    parent_id: str | None = None
    plan: Mapping[str, Any] | None = None
    request_key: str | None = None
    definition: Mapping[str, Any] = field(default_factory=dict)
    """Whatever the handler needs beside the steps, pinned: a template's text, its version."""


@dataclass(frozen=True)
class Step:
    """A step of a run as it stands. Times are microseconds UTC."""

    id: str
    index: int
    name: str
    action: str
    state: StepState
    attempt: int
    recovery: Recovery
    definition: Mapping[str, Any]
    output: Mapping[str, Any] | None = None
    error: str | None = None
    created: Sequence[Created] = ()
    checkpoints: Mapping[str, Any] = field(default_factory=dict)
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True)
class Run:
    """A run as it stands."""

    id: str
    kind: str
    title: str
    state: RunState
    segment: int
    input: Mapping[str, Any]
    definition: Mapping[str, Any]
    created_by: str
    created_at: int
    version: int
    subject: str | None = None
    owner: str | None = None
    parent_id: str | None = None
    plan: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    error: str | None = None
    waiting_for: str | None = None
    wake_at: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    steps: Sequence[Step] = ()
