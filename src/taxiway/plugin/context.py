"""What the host hands to a plugin. A plugin never reaches further into the host than this.

Everything is synchronous and safe to call from any thread of the plugin; nothing here may be called at import time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from taxiway.kit.clock import Clock
from taxiway.kit.ids import NewId
from taxiway.model.access import Principal
from taxiway.model.event import EventDraft
from taxiway.model.run import RunSpec


@dataclass(frozen=True)
class Record:
    """A namespaced record of a plugin. `version` starts at 1 and grows by one with every write."""

    key: str
    value: Mapping[str, Any]
    version: int


class Records(Protocol):
    """Small JSON documents of one plugin in the store, with compare-and-set. Keys sort as text."""

    def get(self, key: str) -> Record | None:
        """The record, or None."""
        ...

    def list(self, prefix: str = "", after: str = "", limit: int = 500) -> Sequence[Record]:
        """Records whose key starts with `prefix` and sorts behind `after`, by key."""
        ...

    def put(self, key: str, value: Mapping[str, Any], *, expect: int | None = None) -> Record:
        """Write. `expect` is the version that must be there (0: none); ConflictError when it is another."""
        ...

    def delete(self, key: str, *, expect: int | None = None) -> bool:
        """Remove; False when it was not there. ConflictError when `expect` does not match."""
        ...


class Secrets(Protocol):
    """Secret values by reference (`secret://<store>/<name>`). Values never enter documents, logs, events or URLs."""

    def put(self, name: str, value: str) -> str:
        """Store or replace, and return the reference."""
        ...

    def get(self, reference: str) -> str:
        """The value. NotFoundError when it is gone."""
        ...

    def delete(self, reference: str) -> None:
        """Forget the value; nothing happens when it is gone."""
        ...


class Artifacts(Protocol):
    """Immutable artefacts by digest (`sha256:<hex>`), content-addressed on the data folder."""

    def put(self, source: Path) -> str:
        """Store a file and return its digest. Storing the same bytes twice is free."""
        ...

    def path(self, digest: str) -> Path:
        """A read-only path of the stored bytes. NotFoundError when they are not here."""
        ...


class Logger(Protocol):
    """Structured log of the host, bound to the plugin's name."""

    def debug(self, event: str, **fields: Any) -> Any: ...
    def info(self, event: str, **fields: Any) -> Any: ...
    def warning(self, event: str, **fields: Any) -> Any: ...
    def error(self, event: str, **fields: Any) -> Any: ...
    def exception(self, event: str, **fields: Any) -> Any: ...


@dataclass(frozen=True)
class Identity:
    """Numeric user and group that untrusted code runs as; None means the user of Taxiway itself."""

    uid: int | None
    gid: int | None


@dataclass(frozen=True)
class PluginContext:
    """The services of the host for one plugin.

    `data_dir` is the plugin's own folder (mode 0700); `run_dir` is for sockets and state that must survive a restart
    of Taxiway; `cache_dir` may be emptied at any time. `settings` are the plugin's own settings, already validated.
    `identity(purpose)` gives the user for `pipelines`, `workloads`, `databases`, `templates` or `commands`.
    `public_url` is where the host answers. `start_run` and `emit` commit on their own.
    """

    name: str
    settings: Any
    data_dir: Path
    run_dir: Path
    cache_dir: Path
    public_url: str
    clock: Clock
    new_id: NewId
    log: Logger
    records: Records
    secrets: Secrets
    artifacts: Artifacts
    emit: Callable[[EventDraft], None]
    start_run: Callable[[RunSpec], str]
    identity: Callable[[str], Identity]
    stopping: threading.Event


def _hide_nothing(value: str) -> None:
    """Where nothing is stored, nothing is to be masked."""


@dataclass
class StepContext:
    """What an action, driver or engine gets for one step of a run.

    `idempotency_key` is stable over retries of the step. `log(text, stream)` appends to the step's log (redacted and
    batched by the host). `created(...)` records inventory at once, before the step ends, so that undo knows of it.
    `checkpoint(key, compute)` returns the stored value when this step already got past it. `cancelled` is set when the
    run is to stop: long work must look at it, and subprocesses must be ended. `wait_for_run(id)` returns the ended
    run's (state, output) or parks this run until then: the step is called again from its start. `wait_until(seconds)`
    parks likewise for a time; `wait_for(topic)` parks until the host wakes the topic: `approval` until somebody else
    than who started the run decided (one of those in the checkpoint `approvers`, where there is one; `approval:<part>`
    and the checkpoint `<part>/approvers` where a part of the step waits), `timer:<name>`
    for the seconds, `signal:<name>` until that signal was sent to the run. `hide(value)` masks a secret that did not
    come through `resolve_secret` (a token in the step's input) in the log and the output from now on. `mask(text)` is
    the text without the secrets that are known so: what differs from it must not leave the host. `confirmed` are the
    names of what may be taken back although others changed it since; `undo` refuses the rest by `refuse_changed`.
    """

    run_id: str
    step_id: str
    attempt: int
    idempotency_key: str
    principal: Principal
    workspace: Path
    is_dry_run: bool
    cancelled: threading.Event
    log: Callable[..., None]
    created: Callable[[str, str, Mapping[str, Any]], None]
    checkpoint: Callable[[str, Callable[[], Any]], Any]
    wait_for_run: Callable[[str], tuple[str, Mapping[str, Any]]]
    wait_for: Callable[[str, float | None], None]
    resolve_secret: Callable[[str], str]
    owner: str | None = None
    hide: Callable[[str], None] = _hide_nothing
    confirmed: frozenset[str] = frozenset()
    mask: Callable[[str], str] = lambda text: text
