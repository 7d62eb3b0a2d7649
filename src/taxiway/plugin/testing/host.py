"""A host in memory for tests of plugins: real folders and clock, records and secrets in dictionaries."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taxiway.kit.clock import SystemClock
from taxiway.kit.ids import new_ids
from taxiway.model.access import system_principal
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.model.run import RunSpec
from taxiway.plugin.context import Identity, PluginContext, Record, StepContext


class MemoryRecords:
    """`Records` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[str, Record] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Record | None:
        return self._rows.get(key)

    def list(self, prefix: str = "", after: str = "", limit: int = 500) -> Sequence[Record]:
        keys = sorted(key for key in self._rows if key.startswith(prefix) and key > after)
        return [self._rows[key] for key in keys[:limit]]

    def put(self, key: str, value: Mapping[str, Any], *, expect: int | None = None) -> Record:
        with self._lock:
            version = self._compare(key, expect)
            self._rows[key] = Record(key, dict(value), version + 1)
            return self._rows[key]

    def delete(self, key: str, *, expect: int | None = None) -> bool:
        with self._lock:
            self._compare(key, expect)
            return self._rows.pop(key, None) is not None

    def _compare(self, key: str, expect: int | None) -> int:
        version = self._rows[key].version if key in self._rows else 0
        if expect is not None and expect != version:
            raise ConflictError(f"the record '{key}' is at version {version}, not {expect}")
        return version


class MemorySecrets:
    """`Secrets` in a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put(self, name: str, value: str) -> str:
        reference = f"secret://memory/{name}"
        self.values[reference] = value
        return reference

    def get(self, reference: str) -> str:
        if reference not in self.values:
            raise NotFoundError(f"the secret {reference} is gone")
        return self.values[reference]

    def delete(self, reference: str) -> None:
        self.values.pop(reference, None)


@dataclass(frozen=True)
class _Artifacts:
    root: Path

    def put(self, source: Path) -> str:
        name = hashlib.sha256(source.read_bytes()).hexdigest()
        shutil.copyfile(source, self.root / name)
        return f"sha256:{name}"

    def path(self, digest: str) -> Path:
        path = self.root / digest.removeprefix("sha256:")
        if not path.is_file():
            raise NotFoundError(f"the artefact {digest} is not here")
        return path


class _Log:
    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def _log(self, level: int, event: str, fields: Mapping[str, Any]) -> None:
        self._logger.log(level, "%s %s", event, dict(fields), exc_info=level > logging.ERROR)

    def debug(self, event: str, **fields: Any) -> None:
        self._log(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._log(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._log(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._log(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: Any) -> None:
        self._log(logging.CRITICAL, event, fields)


@dataclass
class MemoryHost:
    """What a plugin did to its host: the events that it emitted and the runs that it started."""

    context: PluginContext
    events: list[EventDraft] = field(default_factory=list)
    runs: list[RunSpec] = field(default_factory=list)


def memory_host(root: Path, name: str, settings: Any = None) -> MemoryHost:
    """A host whose folders lie below `root`."""
    events: list[EventDraft] = []
    runs: list[RunSpec] = []
    folders = [root / "plugins" / name, root / "run" / name, root / "cache" / name, root / "artifacts"]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    clock = SystemClock()

    def start_run(spec: RunSpec) -> str:
        runs.append(spec)
        return f"run-{len(runs)}"

    context = PluginContext(
        name=name,
        settings=settings,
        data_dir=folders[0],
        run_dir=folders[1],
        cache_dir=folders[2],
        public_url="http://127.0.0.1:7007",
        clock=clock,
        new_id=new_ids(clock),
        log=_Log(name),
        records=MemoryRecords(),
        secrets=MemorySecrets(),
        artifacts=_Artifacts(folders[3]),
        emit=events.append,
        start_run=start_run,
        identity=lambda purpose: Identity(None, None),
        stopping=threading.Event(),
    )
    return MemoryHost(context, events, runs)


def step_context(workspace: Path, made: list[tuple[str, str, Mapping[str, Any]]] | None = None) -> StepContext:
    """A step whose inventory is appended to `made`; its checkpoints last as long as the context."""
    kept: dict[str, Any] = {}
    inventory = [] if made is None else made

    def checkpoint(key: str, compute: Any) -> Any:
        if key not in kept:
            kept[key] = compute()
        return kept[key]

    # Of its own each time: engines end the processes of a run by its id, and tests run side by side.
    run_id = f"run-{uuid.uuid4()}"
    return StepContext(
        run_id=run_id,
        step_id="step",
        attempt=1,
        idempotency_key=f"{run_id}/step",
        principal=system_principal("test"),
        workspace=workspace,
        is_dry_run=False,
        cancelled=threading.Event(),
        log=_no_log,
        created=lambda kind, name, data: inventory.append((kind, name, data)),
        checkpoint=checkpoint,
        wait_for_run=lambda run_id: ("succeeded", {}),
        wait_for=lambda topic, seconds: None,
        resolve_secret=MemorySecrets().get,
    )


def _no_log(text: str, stream: str = "stdout") -> None:
    """Drops a line of a step's log."""
