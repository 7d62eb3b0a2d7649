"""The log of a run's steps: batched, redacted, bounded. Only the worker that holds the run writes it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import insert

from taxiway.core.runs import repository
from taxiway.core.runs.parts import Control, FencedError, Parts
from taxiway.core.runs.redact import Redactor
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import run, run_log
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import TaxiwayError

T = TypeVar("T")
BATCH_LINES = 100
BATCH_SECONDS = 0.2
LINE_CHARACTERS = 16_000
RUN_CHARACTERS = 20_000_000


class Flusher:
    """One thread that writes what lay in a buffer for 200 ms. It sleeps while no buffer holds anything."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._due: set[Callable[[], None]] = set()
        self._wake = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def later(self, flush: Callable[[], None]) -> None:
        """Call `flush` within 200 ms."""
        with self._lock:
            self._due.add(flush)
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="run-logs", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """End the thread."""
        self._stopped = True
        self._wake.set()

    def _loop(self) -> None:
        pause = threading.Event()
        while not self._stopped:
            self._wake.wait()
            pause.wait(BATCH_SECONDS)
            self._wake.clear()
            with self._lock:
                due, self._due = self._due, set()
            for flush in due:
                flush()


class RunLog:
    """The log of one claimed run."""

    def __init__(self, parts: Parts, control: Control, flusher: Flusher) -> None:
        self._parts, self._control, self._flusher = parts, control, flusher
        self._lock = threading.RLock()
        self._buffer: list[dict[str, Any]] = []
        self._broken: TaxiwayError | None = None
        self._seq, self._size = -1, 0

    def add(self, redactor: Redactor, step_id: str, text: str, stream: str = "stdout") -> None:
        """Append the lines of `text`. Raises what made an earlier write fail."""
        with self._lock:
            if self._broken is not None:
                raise self._broken
            for line in str(text).splitlines() or [""]:
                self._append(step_id, redactor.line(line)[:LINE_CHARACTERS], stream)
            if len(self._buffer) >= BATCH_LINES:
                self.flush()
            elif self._buffer:
                self._flusher.later(self._flush_quietly)

    def flush(self) -> None:
        """Write what is buffered. FencedError when the run was taken."""
        self.carry(self._guarded)

    def carry(self, work: Callable[[Tx], T]) -> T:
        """Commit `work`, which stops for the fence, together with what is buffered: one commit for a step's end and its
        last lines. Lines of a commit that fails stay buffered, and none overtakes them."""
        with self._lock:
            lines = list(self._buffer)

            def together(tx: Tx) -> T:
                result = work(tx)
                if lines:
                    tx.conn.execute(insert(run_log), lines)
                    tx.after_commit(lambda: self._parts.signals.notify(f"run:{self._control.claim.run_id}"))
                return result

            result = self._parts.store.write(together)
            del self._buffer[: len(lines)]
            return result

    def _append(self, step_id: str, text: str, stream: str) -> None:
        if self._seq < 0:  # the first line of this segment goes on where the log ends
            with self._parts.store.read() as conn:
                self._seq, self._size = repository.last_line(conn, self._control.claim.run_id)
        if self._size >= RUN_CHARACTERS:
            return
        self._size += len(text) + 1
        if self._size >= RUN_CHARACTERS:
            text, stream = f"the log is cut here: a run keeps {RUN_CHARACTERS // MICROSECONDS} MB", "system"
        self._seq += 1
        self._buffer.append(
            {
                "run_id": self._control.claim.run_id,
                "seq": self._seq,
                "step_id": step_id,
                "at": self._parts.clock.now(),
                "stream": stream,
                "text": text.replace("\0", ""),
            }
        )

    def _guarded(self, tx: Tx) -> None:
        claim = self._control.claim
        mine = (run.c.id == claim.run_id, run.c.fence == claim.fence, run.c.executor == claim.executor)
        if tx.conn.execute(run.select().with_only_columns(run.c.id).where(*mine).with_for_update()).first() is None:
            raise FencedError(claim.run_id)

    def _flush_quietly(self) -> None:
        try:
            with self._lock:
                if self._buffer and not self._control.fenced:
                    self.flush()
        except FencedError:
            self._control.fenced = True
            self._control.cancelled.set()
        except TaxiwayError as error:
            self._broken = error
