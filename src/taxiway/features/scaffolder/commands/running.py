"""Runs a command of a golden path in a folder and as a user of its own, within the limits of the settings.

Used by the action `command` and by `Action` entities. The command gets an environment that is made here, never
Taxiway's; what it prints is the step's log, and what it leaves behind is not trusted.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from taxiway.core.context import Platform
from taxiway.core.plugins.host import identity_for
from taxiway.core.plugins.loader import LOOPBACK
from taxiway.features.scaffolder.commands.outputs import MOST_BYTES, json_object, read_outputs
from taxiway.features.scaffolder.commands.places import OUTPUT, Files, bring_back, fill, make_folders, taken
from taxiway.kit.processes import RUN_MARKER
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, TooLargeError, UnavailableError
from taxiway.plugin import Identity, StepContext
from taxiway.plugin.actions import inside
from taxiway.plugin.confined import SYSTEM_PATH, Command, Ended, Limits, User, run_command
from taxiway.plugin.daemons import blocked_by

USERS = 8
"""How many commands run at a time where each has a user of its own."""
WAIT_SECONDS = 0.2
LOG_BYTES = 1024 * 1024
Outputs = Literal["none", "file", "stdout"]


@dataclass(frozen=True)
class Job:
    """A command to run. `files` are written beside the workspace's, which it gets with `uses_workspace`; what it
    changes there comes back. `directory` is where in it the command starts. Limits can only be lower than the
    settings'."""

    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    uses_workspace: bool = True
    directory: str = "."
    outputs: Outputs = "file"
    seconds: float | None = None
    memory_bytes: int | None = None


def run_job(platform: Platform, ctx: StepContext, job: Job) -> dict[str, Any]:
    """Run it; its outputs. ConflictError when it fails or is ended, InputError for what may not be kept."""
    _check_exposure(platform)
    there = taken(ctx.workspace) if job.uses_workspace else {}
    before = {name: file for name, file in there.items() if name not in job.files}
    with _user(platform, ctx.cancelled) as (identity, user), _folder(platform, identity) as root:
        work = root / "work"
        fill(work, {**before, **job.files}, identity)
        printed = _Printed(ctx, keep=job.outputs == "stdout")
        command = _command(platform, ctx, job, root, user)
        ended = run_command(command, printed.line, ctx.cancelled)
        _check_end(ended, job, command, printed)
        outputs = {} if job.outputs == "none" else _outputs(job, root, printed)
        _refuse_secrets(ctx, outputs)
        if job.uses_workspace:
            after = {name: file for name, file in taken(work).items() if name not in job.files}
            changed = bring_back(before, after, ctx.workspace, ctx.mask)
            ctx.log(f"{len(changed)} files changed" if changed else "no file changed", "system")
        return outputs


def as_text(value: Any) -> str:
    """An argument or variable as the command gets it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_exposure(platform: Platform) -> None:
    settings = platform.settings
    if settings.host not in LOOPBACK and not settings.engines.allow_host_engines:
        raise NotAllowedError(
            f"commands run on this host, and Taxiway listens on {settings.host}: an administrator sets "
            "engines.allow_host_engines, or the step uses an HTTP action",
            code="scaffolder.commands_exposed",
        )


@contextlib.contextmanager
def _user(platform: Platform, cancelled: threading.Event) -> Iterator[tuple[Identity, User | None]]:
    """A user that no other command on this host has meanwhile; our own where we are not root."""
    first = identity_for(platform.settings.engines, is_root=os.geteuid() == 0)("commands").uid
    if first is None:
        yield Identity(None, None), None
        return
    while not cancelled.is_set():
        for uid in range(first, first + USERS):
            # A name in the kernel's own space: whoever holds it loses it when he ends, however that is.
            with socket.socket(socket.AF_UNIX) as held:
                try:
                    held.bind(f"\0taxiway-command-{uid}")
                except OSError:
                    continue
                yield Identity(uid, uid), User(uid, uid, exclusive=True)
                return
        cancelled.wait(WAIT_SECONDS)
    raise ConflictError("the run was cancelled before its command began")


@contextlib.contextmanager
def _folder(platform: Platform, identity: Identity) -> Iterator[Path]:
    place = platform.settings.data.resolve() / "run" / "commands"
    for folder in (place.parent, place):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
    root = place / platform.new_id()
    make_folders(root, identity)
    try:
        if (wall := blocked_by(root / "work", identity)) is not None:
            raise UnavailableError(
                f"the user {identity.uid} that commands run as may not pass through {wall}, which is on the way to the "
                f"data folder: choose another one (--data), for example below /var/lib, or run chmod o+x {wall}",
                code="scaffolder.commands_unreachable",
            )
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _command(platform: Platform, ctx: StepContext, job: Job, root: Path, user: User | None) -> Command:
    settings, work = platform.settings.scaffolder, root / "work"
    folder = inside(work, job.directory)
    if not folder.is_dir():
        raise InputError(f"there is no folder '{job.directory}' to start in", code="scaffolder.command_folder")
    output = str(root / OUTPUT)
    environment = {
        "LANG": "C.UTF-8",
        "USER": "taxiway",
        **job.environment,
        "PATH": SYSTEM_PATH,
        "HOME": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        "TAXIWAY_OUTPUT": output,
        "GITHUB_OUTPUT": output,
        RUN_MARKER: ctx.run_id,
    }
    memory = min(job.memory_bytes or settings.command_memory_bytes, settings.command_memory_bytes)
    limits = Limits(
        timeout_seconds=min(job.seconds or settings.command_seconds, settings.command_seconds),
        output_bytes=LOG_BYTES,
        memory_bytes=memory,
        data_bytes=2 * memory,
        file_bytes=settings.command_folder_bytes,
        open_files=1024,
        processes=256,
    )
    arguments = [_program(job.arguments[0], folder, work), *job.arguments[1:]]
    return Command(arguments, folder, environment, limits, user, root, settings.command_folder_bytes)


def _program(name: str, folder: Path, work: Path) -> str:
    if "/" not in name:
        found = shutil.which(name, path=SYSTEM_PATH)
        if found is None:
            raise InputError(
                f"there is no program '{name}' on this host: install it below {SYSTEM_PATH}, or name another",
                code="scaffolder.no_program",
            )
        return found
    path = inside(work, os.path.relpath(folder / name, work))
    if name.startswith("/") or not path.is_file():
        raise InputError(
            f"'{name}' is no program of the workspace: name one of the host's, or a file as ./name",
            code="scaffolder.no_program",
        )
    return str(path)


class _Printed:
    """Takes the lines of a command: into the log, and its standard output aside where that holds the outputs."""

    def __init__(self, ctx: StepContext, *, keep: bool) -> None:
        self._ctx, self._keep = ctx, keep
        self._kept: list[str] = []
        self._size = 0
        self.last_error = ""

    def line(self, stream: str, line: bytes) -> None:
        text = line.decode(errors="replace")
        if stream == "stderr" and text.strip():
            self.last_error = text.strip()
        if stream == "stdout" and self._keep:
            self._size += len(line) + 1
            if self._size > MOST_BYTES:
                raise TooLargeError(f"the command's outputs are larger than {MOST_BYTES} bytes: write files instead")
            self._kept.append(text)
        else:
            self._ctx.log(text, stream)

    def tell(self, text: str) -> None:
        """A line of our own."""
        self._ctx.log(text, "system")

    @property
    def text(self) -> str:
        return "\n".join(self._kept)


def _check_end(ended: Ended, job: Job, command: Command, printed: _Printed) -> None:
    name = job.arguments[0]
    if ended.dropped:
        printed.tell("more output than is kept: the rest is not here")
    if ended.reason:
        raise ConflictError(f"{name} was ended: {ended.reason}", code="scaffolder.command_ended")
    if ended.code == 128 + signal.SIGXFSZ:
        raise ConflictError(
            f"{name} was ended: it wrote a file of more than {command.limits.file_bytes >> 20} MiB, its limit",
            code="scaffolder.command_ended",
        )
    if ended.code != 0:
        how = f"was ended by signal {ended.code - 128}" if ended.code > 128 else f"ended with exit code {ended.code}"
        last = f": {printed.last_error[:500]}" if printed.last_error else ": see the log of the step"
        raise ConflictError(f"{name} {how}{last}", code="scaffolder.command_failed")


def _outputs(job: Job, root: Path, printed: _Printed) -> dict[str, Any]:
    return json_object(printed.text) if job.outputs == "stdout" else read_outputs(root / OUTPUT)


def _refuse_secrets(ctx: StepContext, outputs: Mapping[str, Any]) -> None:
    for name, value in outputs.items():
        text = json.dumps(value, ensure_ascii=False)
        if ctx.mask(text) != text or ctx.mask(name) != name:
            raise InputError(
                f"the command gave a secret as its output '{ctx.mask(name)}': give a reference instead",
                code="scaffolder.secret_written",
            )
