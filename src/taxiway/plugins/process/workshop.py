"""Where releases are made: files out of an artefact, and tools that run as Taxiway with a cache of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from taxiway.model.errors import InputError, TimedOutError
from taxiway.plugin import Identity

POLL_SECONDS = 0.2
PASSED_ON = ("UV_", "NPM_CONFIG_", "npm_config_", "SSL_", "HTTP_", "HTTPS_", "NO_", "ALL_")
PASSED_ON_TOO = ("http_", "https_", "no_", "all_", "NETRC", "NODE_EXTRA_CA_CERTS")
FILE_BYTES = 300_000_000
Members = Mapping[str, Callable[[], IO[bytes] | None]]
"""The plain files of an artefact by name, with what opens them."""


@dataclass(frozen=True)
class Workshop:
    """Where releases are made and how."""

    releases: Path
    cache: Path
    identity: Identity
    install_seconds: float


@dataclass(frozen=True)
class Made:
    """What was made in a release's folder: the folder of its programs below it, and their names."""

    programs: str
    names: tuple[str, ...]


@contextlib.contextmanager
def members_of(artifact: Path) -> Iterator[Members]:
    """The plain files of a tar or zip by name, with what opens them."""
    try:
        # A tar whose last member is a wheel looks like a zip, so the other question comes first.
        if tarfile.is_tarfile(artifact):
            with tarfile.open(artifact) as tar:
                yield {one.name: partial(tar.extractfile, one) for one in tar.getmembers() if one.isfile()}
        else:
            with zipfile.ZipFile(artifact) as pack:
                yield {one.filename: partial(pack.open, one) for one in pack.infolist() if not one.is_dir()}
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"the artefact is no tar and no zip: {error}; run the pipeline again") from error


def copy(source: IO[bytes] | None, target: Path, most_bytes: int = FILE_BYTES, mode: int = 0o644) -> None:
    """Write a member of an artefact to `target`. InputError when it is larger than `most_bytes`."""
    left = most_bytes
    with target.open("wb") as out:
        while source is not None and (data := source.read(1 << 20)):
            left -= len(data)
            if left < 0:
                raise InputError(f"{target.name} in the release is larger than {most_bytes} bytes: make it smaller")
            out.write(data)
    target.chmod(mode)


def run(
    shop: Workshop,
    command: list[str],
    cancelled: Callable[[], bool],
    *,
    folder: Path = Path("/"),
    more: Mapping[str, str] | None = None,
) -> None:
    """Run a tool that installs packages. InputError with its last lines when it fails, TimedOutError after its time."""
    environ = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON + PASSED_ON_TOO)}
    environ |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
    environ |= more or {}
    shop.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with subprocess.Popen(
        command,
        env=environ,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        umask=0o022,
    ) as running:
        said = _until_end(running, shop.install_seconds, cancelled)
    if running.returncode != 0:
        lines = [line for line in said.splitlines() if line.strip()][-12:]
        raise InputError("the packages of the release cannot be installed: " + "\n".join(lines)[-1500:])


def _until_end(running: subprocess.Popen[bytes], seconds: float, cancelled: Callable[[], bool]) -> str:
    """What it said on stderr; ended with its group when the time is up or nobody wants it any more."""
    left = seconds
    while True:
        try:
            return running.communicate(timeout=POLL_SECONDS)[1].decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            left -= POLL_SECONDS
            if left > 0 and not cancelled():
                continue
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
            if cancelled():
                raise TimedOutError("the release is not wanted any more") from None
            raise TimedOutError(f"the packages of the release were not installed within {seconds:g} s") from None
