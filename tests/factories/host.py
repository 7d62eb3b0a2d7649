"""A plugin host in memory, for tests of embedded engines: real folders, real clock, records in a dict."""

from __future__ import annotations

import hashlib
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from taxiway.model.access import system_principal
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.plugin import Identity, PluginContext, Record, StepContext, SystemClock, new_ids


class MemoryRecords:
    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}
        self.lock = threading.Lock()

    def get(self, key: str) -> Record | None:
        return self.rows.get(key)

    def list(self, prefix: str = "", after: str = "", limit: int = 500) -> Sequence[Record]:
        rows = list(self.rows.items())
        return [row for key, row in sorted(rows) if key.startswith(prefix) and key > after][:limit]

    def put(self, key: str, value: Mapping[str, Any], *, expect: int | None = None) -> Record:
        with self.lock:
            there = self.rows[key].version if key in self.rows else 0
            if expect is not None and expect != there:
                raise ConflictError(f"{key} is at version {there}")
            self.rows[key] = Record(key, dict(value), there + 1)
            return self.rows[key]

    def delete(self, key: str, *, expect: int | None = None) -> bool:
        with self.lock:
            return self.rows.pop(key, None) is not None


class MemorySecrets:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put(self, name: str, value: str) -> str:
        self.values[f"secret://memory/{name}"] = value
        return f"secret://memory/{name}"

    def get(self, reference: str) -> str:
        if reference not in self.values:
            raise NotFoundError(f"no secret {reference}")
        return self.values[reference]

    def delete(self, reference: str) -> None:
        self.values.pop(reference, None)


class FolderArtifacts:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, source: Path) -> str:
        name = hashlib.sha256(source.read_bytes()).hexdigest()
        shutil.copy(source, self.root / name)
        return f"sha256:{name}"

    def path(self, digest: str) -> Path:
        path = self.root / digest.removeprefix("sha256:")
        if not path.exists():
            raise NotFoundError(f"no artefact {digest}")
        return path


class Host:
    """Makes a `PluginContext` below `root` and remembers emitted events and started runs."""

    def __init__(self, root: Path, settings: Any = None, identity: Identity | None = None) -> None:
        self.events: list[EventDraft] = []
        self.runs: list[Any] = []
        clock = SystemClock()
        for name in ("data", "run", "cache"):
            (root / name).mkdir(parents=True, exist_ok=True)
        self.context = PluginContext(
            name="test",
            settings=settings,
            data_dir=root / "data",
            run_dir=root / "run",
            cache_dir=root / "cache",
            public_url="http://127.0.0.1:7007",
            clock=clock,
            new_id=new_ids(clock),
            log=structlog.get_logger(),
            records=MemoryRecords(),
            secrets=MemorySecrets(),
            artifacts=FolderArtifacts(root / "artifacts"),
            emit=self.events.append,
            start_run=lambda spec: self.runs.append(spec) or "run",
            identity=lambda purpose: identity or Identity(None, None),
            stopping=threading.Event(),
        )


@dataclass
class RecordedStep(StepContext):
    """A step context whose log and inventory are lists on it."""

    lines: list[str] = field(default_factory=list)
    made: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)


def step_context(workspace: Path, secrets: MemorySecrets | None = None, **changes: Any) -> RecordedStep:
    """A step context that is recorded and whose checkpoints stay."""
    lines: list[str] = []
    made: list[tuple[str, str, Mapping[str, Any]]] = []
    checkpoints: dict[str, Any] = {}

    def checkpoint(key: str, compute: Any) -> Any:
        if key not in checkpoints:
            checkpoints[key] = compute()
        return checkpoints[key]

    # Engines end the processes of a run by its id, and tests run side by side.
    run_id = f"run-{uuid.uuid4()}"
    options: dict[str, Any] = {
        "run_id": run_id,
        "step_id": "step",
        "attempt": 1,
        "idempotency_key": f"{run_id}/step",
        "principal": system_principal("test"),
        "workspace": workspace,
        "is_dry_run": False,
        "cancelled": threading.Event(),
        "log": lambda text, stream="stdout": lines.append(text),
        "created": lambda kind, name, data: made.append((kind, name, data)),
        "checkpoint": checkpoint,
        "wait_for_run": lambda run_id: ("succeeded", {}),
        "wait_for": lambda topic, seconds=None: None,
        "resolve_secret": (secrets or MemorySecrets()).get,
    }
    return RecordedStep(**{**options, **changes}, lines=lines, made=made)
