"""What the modules of this folder share: the services that they need, claims, and the registered handlers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from taxiway.core.events.log import EventLog
from taxiway.core.runs.handler import RunHandler
from taxiway.core.runs.redact import Redactions
from taxiway.core.store.database import Store
from taxiway.kit.clock import Clock
from taxiway.kit.ids import NewId
from taxiway.kit.signals import Signals
from taxiway.plugin import Logger, Secrets

WORK = "runs.work"
"""Topic: a run was queued."""
STEERED = "runs.steered"
"""Topic: a run that somebody works on is to be cancelled."""


class FencedError(Exception):
    """The run was taken by another worker: stop at once and write nothing."""


@dataclass(frozen=True)
class Claim:
    """The right to write a run, until another claim raises the fence."""

    run_id: str
    executor: str
    fence: int


@dataclass
class Control:
    """How the engine reaches a segment. `cancelled` is what steps see; `fenced` says that nothing may be written."""

    claim: Claim
    cancelled: threading.Event = field(default_factory=threading.Event)
    fenced: bool = False
    done: threading.Event = field(default_factory=threading.Event)


class Wakes:
    """Counts wakes of topics in this process, so that a wake between a step's look and its parking is not missed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._last: dict[str, int] = {}

    def mark(self) -> int:
        """A position in time."""
        return self._count

    def bump(self, topic: str) -> None:
        with self._lock:
            self._count += 1
            self._last.pop(topic, None)
            self._last[topic] = self._count
            if len(self._last) > 10_000:
                self._last.pop(next(iter(self._last)))

    def since(self, topic: str, mark: int) -> bool:
        """Whether `topic` was woken behind `mark`."""
        return self._last.get(topic, 0) > mark


@dataclass(frozen=True)
class Parts:
    """The services behind the runs of one process."""

    store: Store
    clock: Clock
    new_id: NewId
    events: EventLog
    secrets: Secrets
    log: Logger
    data: Path
    signals: Signals
    redactions: Redactions
    wakes: Wakes = field(default_factory=Wakes)
    handlers: dict[str, RunHandler] = field(default_factory=dict)
    step_retries: int = 0
    """How often a step is tried again by itself."""

    def workspace(self, run_id: str) -> Path:
        """The folder that the steps of a run share."""
        return self.data / "runs" / run_id / "workspace"
