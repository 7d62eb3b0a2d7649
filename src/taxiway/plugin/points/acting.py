"""What works inside the host: a step's action, the judge of a plan, a background service, a listener to events."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from taxiway.model.errors import InputError
from taxiway.model.event import Event
from taxiway.model.event_types import SCHEMAS
from taxiway.model.run import Created, Recovery
from taxiway.plugin.context import PluginContext, StepContext


@runtime_checkable
class Action(Protocol):
    """A scaffolder action. `key` is the action id (`publish:git`).

    `recovery` says what an interrupted call needs; with `probe`, `probe` returns the output when the call did its work
    and None when it must run. The same holds after UnavailableError or RateLimitedError: the step is then tried again
    by itself a few times, after a pause, unless `recovery` is `manual`. `undo` takes back what this call recorded with
    `ctx.created`, in reverse order, and must be safe to repeat; where an action has `check_undo(created)` too, that is
    asked before a run takes back anything: it raises ChangedSinceError with what others changed since (foreign commits,
    a merge, rows in a database), which people then confirm by name, and ConflictError for what `undo` would refuse in
    any case. `undo` asks again, and takes back what is in `ctx.confirmed`. Where it has
    `check_use(principal)`, that raises NotAllowedError for who may not use the action, in plans too. Where it has
    `names(values)`, a plan asks it for (kind, name, whether somebody has it) of what a run would make elsewhere; an
    error there makes the names "not checked". Input was validated against `input_schema` before `run`.
    """

    key: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    recovery: Recovery
    supports_dry_run: bool

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None: ...


Verdict = Literal["passed", "failed", "not_checked"]


@dataclass(frozen=True)
class CheckResult:
    """What a plan check says; `detail` names the reason and the remedy."""

    id: str
    title: str
    verdict: Verdict
    detail: str = ""


@runtime_checkable
class PlanCheck(Protocol):
    """Judges a plan before a run acts. `plan` is {kind, template, document, values, files, resources, names,
    entity_owner, principal}: `document` is the template's entity, `values` are the answers of the form, `entity_owner`
    owns the entity that the template works on, and `principal` is {subject, roles, ownership} of who asks. A file is
    {path, size, executable, content_base64}, the last left out of large ones.

    Policy and cost stand in every plan: a result with the id `policy` or `cost` takes the place of their "not checked".
    """

    key: str

    def check(self, plan: Mapping[str, Any]) -> CheckResult | None:
        """The verdict; None where there is nothing to judge."""
        ...


@runtime_checkable
class BackgroundService(Protocol):
    """Work beside requests, supervised by the host: started again with backoff when it fails.

    `exclusive` services hold a lease of that name: one process of the installation runs them at a time.
    """

    key: str
    exclusive: bool

    def run(self, ctx: PluginContext, stop: threading.Event) -> None: ...


EVENT_TYPE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9_-]*)+\.(v\d+|\d+\.\d+\.\d+)")


@dataclass(frozen=True)
class EventType:
    """A type of events that the plugin emits: `key` is its name, `com.example.<noun>.<verb>.v1` or a type of CDEvents
    that Taxiway does not emit itself, and `schema` the JSON Schema (2020-12) of its data. Each event is judged by it
    when it is emitted, so the schema of a version never becomes narrower: a changed meaning is a new version."""

    key: str
    schema: Mapping[str, Any]

    def __post_init__(self) -> None:
        """InputError for a name that is none, or that is Taxiway's own."""
        if not EVENT_TYPE.fullmatch(self.key):
            raise InputError(
                f"'{self.key}' is no event type: write com.example.<noun>.<verb>.v1", code="plugin.event_type"
            )
        if self.key in SCHEMAS or self.key.startswith("dev.taxiway."):
            raise InputError(f"the event type '{self.key}' is Taxiway's: use your own name", code="plugin.event_type")


@runtime_checkable
class EventSubscriber(Protocol):
    """Receives sealed events whose type starts with one of `types`, in order, at least once: be idempotent."""

    key: str
    types: Sequence[str]

    def handle(self, event: Event) -> None: ...
