"""Runs one program to its end within limits, and ends all that it started. Called from a worker's thread.

The program is known by its shim: every process of it is a descendant of that, whatever it did to get away. What it
prints goes line by line to the caller; time, memory, output and the size of its folder are watched meanwhile.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from taxiway.model.errors import UnavailableError
from taxiway.plugin.confined import processes
from taxiway.plugin.confined.limits import SYSTEM_PATH, Limits, User, limited

MAX_LINE_BYTES = 1024 * 1024
WATCH_SECONDS = 0.2
LINE_BYTES = 100
"""What a line counts besides its text: it is stored by itself."""
MOST_FILES = 20_000
MARK = "TAXIWAY_COMMAND_ID"
"""Variable that every process of a command has, unless it took it away."""
OnLine = Callable[[str, bytes], None]
"""Gets each line with the stream that it came from: `stdout` or `stderr`."""


@dataclass(frozen=True)
class Command:
    """A program with its arguments, the first an absolute path. `folder` is where it starts, `root` holds all that it
    may write, up to `root_bytes`; `environment` is all that it gets, beside the mark by which it is found."""

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    limits: Limits
    user: User | None
    root: Path
    root_bytes: int


@dataclass(frozen=True)
class Ended:
    """How it ended. `reason` says why it was ended from outside; `dropped`: it printed more than is kept."""

    code: int
    reason: str = ""
    dropped: bool = False


def run_command(command: Command, on_line: OnLine, cancelled: threading.Event) -> Ended:
    """Run it. UnavailableError when this host cannot start it; what `on_line` raises ends the program."""
    return _Running(command, on_line, cancelled).to_end()


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of a stream without their end; of a longer one than MAX_LINE_BYTES only the head."""
    while line := stream.readline(MAX_LINE_BYTES):
        head = line
        while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE_BYTES)):
            pass
        yield head.rstrip(b"\n")


class _Running:
    def __init__(self, command: Command, on_line: OnLine, cancelled: threading.Event) -> None:
        self._command, self._on_line, self._cancelled = command, on_line, cancelled
        self._name = f"command-{uuid.uuid4()}"
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._reason = ""
        self._size = 0
        self._dropped = False
        self._failure: BaseException | None = None
        own = {MARK: self._name}
        self._told, tell = os.pipe()
        variables = os.memfd_create(self._name)
        try:
            with os.fdopen(os.dup(variables), "wb") as file:
                file.write(json.dumps({**command.environment, **own}).encode())
            os.lseek(variables, 0, os.SEEK_SET)
            self._process = subprocess.Popen(
                limited(command.argv, command.limits, command.user, tell, variables),
                pass_fds=(tell, variables),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=command.folder,
                env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", **own},
                start_new_session=True,
                umask=0o022,
            )
        except (OSError, ValueError) as error:  # ValueError: an argument with a byte 0
            os.close(self._told)
            raise UnavailableError(f"{command.argv[0]} could not be started on this host: {error}") from error
        finally:
            os.close(tell)
            os.close(variables)
        self._shim = processes.key_of(self._process.pid)
        self._known = {self._shim} if self._shim is not None else set()

    def to_end(self) -> Ended:
        streams = {"stdout": self._process.stdout, "stderr": self._process.stderr}
        readers = [threading.Thread(target=self._read, args=item, name=self._name) for item in streams.items()]
        watcher = threading.Thread(target=self._watch, name=f"{self._name}-watch")
        for thread in (*readers, watcher):
            thread.start()
        try:
            os.read(self._told, 1)
        finally:
            os.close(self._told)
            self._end_processes()  # what it left in the background
            for thread in readers:
                thread.join()
            code = self._wait()
            self._over.set()
            watcher.join()
        if self._failure is not None:
            raise self._failure
        return Ended(code, self._reason, self._dropped)

    def _read(self, name: str, stream: IO[bytes]) -> None:
        try:
            with stream:
                for line in read_lines(stream):
                    if self._counts(len(line) + LINE_BYTES):
                        self._on_line(name, line)
        except BaseException as error:
            self._failure = self._failure or error
            self._stop("its output could not be kept")

    def _counts(self, size: int) -> bool:
        """Whether a line of this size is kept."""
        most = self._command.limits.output_bytes
        with self._lock:
            self._size += size
            total = self._size
        if total > 4 * most:
            self._stop(f"it printed more than {4 * most} bytes, its limit")
        if total > most:
            self._dropped = True
        return total <= most

    def _watch(self) -> None:
        command, limits = self._command, self._command.limits
        deadline = time.monotonic() + limits.timeout_seconds
        while not self._over.wait(WATCH_SECONDS):
            mine = processes.belonging(processes.snapshot(self._name, self._own_uid, MARK), self._known)
            self._known.update(info.key for info in mine)
            memory = sum(info.memory_bytes for info in mine)
            if self._cancelled.is_set():
                self._stop("the run was cancelled")
            elif time.monotonic() > deadline:
                self._stop(f"it took longer than {limits.timeout_seconds:g} s, its limit")
            elif memory > limits.memory_bytes:
                self._stop(f"it used {memory >> 20} MiB of memory; its limit is {limits.memory_bytes >> 20} MiB")
            elif is_larger(command.root, command.root_bytes):
                self._stop(f"it wrote more than {command.root_bytes >> 20} MiB or {MOST_FILES} files, its limit")

    @property
    def _own_uid(self) -> int | None:
        user = self._command.user
        return user.uid if user is not None and user.exclusive else None

    def _stop(self, reason: str) -> None:
        with self._lock:
            if self._reason or self._over.is_set():
                return
            self._reason = reason
        self._end_processes()

    def _end_processes(self) -> None:
        left = processes.end_all(self._name, set(self._known), self._own_uid, self._shim, variable=MARK)
        if left:
            raise UnavailableError(f"processes of a command do not end: {', '.join(str(one.pid) for one in left)}")

    def _wait(self) -> int:
        """The shim ends with the last process of the command; where one could not be ended, it is ended itself."""
        try:
            return self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def is_larger(folder: Path, most_bytes: int) -> bool:
    """Whether the files below a folder, links not followed, take more than that, or are too many."""
    size = count = 0
    for place, folders, names in os.walk(folder):
        for name in (*folders, *names):
            try:
                facts = Path(place, name).lstat()
            except OSError:
                continue
            size, count = size + facts.st_blocks * 512, count + 1
            if size > most_bytes or count > MOST_FILES:
                return True
    return False
