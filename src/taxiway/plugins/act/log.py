"""Writes the lines of a run into the host's log of the step, bounded in number. Called by the engine."""

from __future__ import annotations

from collections.abc import Callable

from taxiway.plugins.act.records import LogLine, Record, StepStarted, Summary


class RunLog:
    """`[job] text` on stdout; warnings and errors on stderr."""

    def __init__(self, write: Callable[..., None], most: int) -> None:
        self._write, self._most, self._count = write, most, 0

    def add(self, record: Record) -> None:
        """Log what a record says, if it says anything."""
        if isinstance(record, LogLine):
            place = f"{record.file}:{record.line or 1}: " if record.file else ""
            mark = "" if record.level in ("info", "debug") else f"{record.level}: "
            self._lines(
                record.job, mark + place + record.text, "stderr" if record.level in ("warning", "error") else "stdout"
            )
        elif isinstance(record, StepStarted) and record.stage == "Main":
            self._lines(record.job, f"▸ {record.name}", "stdout")
        elif isinstance(record, Summary):
            self._lines(record.job, record.markdown, "stdout")

    def _lines(self, job: str, text: str, stream: str) -> None:
        for line in text.split("\n"):
            self._count += 1
            if self._count == self._most:
                self._write(f"More than {self._most} lines: the rest is not kept.", "stderr")
            if self._count >= self._most:
                return
            self._write(f"[{job}] {line}" if job else line, stream)
