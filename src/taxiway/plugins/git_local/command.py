"""Runs the git program with an environment of its own: no user or system configuration, no prompts, no hooks."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from taxiway.model.errors import UnavailableError

GIT_SECONDS = 60
OUTPUT_BYTES = 16 * 1024 * 1024


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git process."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def run_git(arguments: Sequence[str], folder: Path) -> str:
    """Run git in `folder` and return its output. UnavailableError with git's own words when it fails."""
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments],
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise UnavailableError("the program 'git' is not on PATH: install git, then try again") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"git {arguments[0]} took longer than {GIT_SECONDS} s: try again") from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnavailableError(f"git {arguments[0]} failed: {message[-1] if message else done.returncode}")
    return done.stdout.decode(errors="replace")


@dataclass(frozen=True)
class Answer:
    """What git said: its exit code, its output as far as it was read, whether that is all, and its complaint."""

    code: int
    output: bytes
    is_cut: bool
    complaint: str


def ask_git(
    arguments: Sequence[str],
    folder: Path,
    *,
    ok: Sequence[int] = (0,),
    given: bytes = b"",
    extra: Mapping[str, str] | None = None,
    limit: int = OUTPUT_BYTES,
) -> Answer:
    """Run git in `folder` with `given` as its input, and read at most `limit` bytes; git is ended there.

    UnavailableError for an exit code that is not in `ok`, and when it takes too long.
    """
    command = ["git", "-c", "safe.directory=*", *arguments]
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as complaints:
        source.write(given)
        source.seek(0)
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=git_environment(extra),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise UnavailableError("the program 'git' is not on PATH: install git, then try again") from error
        late = threading.Event()
        timer = threading.Timer(GIT_SECONDS, _end, (process, late))
        timer.start()
        try:
            assert process.stdout is not None
            output = process.stdout.read(limit + 1)
            is_cut = len(output) > limit
            if is_cut:
                _end(process, threading.Event())
            process.wait()
        finally:
            timer.cancel()
            if process.stdout is not None:
                process.stdout.close()
        complaints.seek(0)
        complaint = complaints.read(4096).decode(errors="replace").strip()
    if late.is_set():
        raise UnavailableError(f"git {arguments[0]} took longer than {GIT_SECONDS} s: try again")
    if not is_cut and process.returncode not in ok:
        last = complaint.splitlines()[-1] if complaint else str(process.returncode)
        raise UnavailableError(f"git {_verb(arguments)} failed: {last}")
    return Answer(process.returncode, output[:limit], is_cut, complaint)


def _verb(arguments: Sequence[str]) -> str:
    """The subcommand behind git's own options."""
    words = iter(arguments)
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
