"""Makes a release runnable: a virtual environment per artefact, made once, in RELEASES/<hex>.

The artefact is a tar or zip with one wheel and `requirements.lock.txt`. Everything is installed by one call of uv, from
wheels with hashes only, so that no code of the release or of its packages runs here; the cache is Taxiway's own. The
result belongs to Taxiway and others can only read it. `complete.json` is written last: without it the folder is
made anew. Each attempt has a virtual environment of its own name, so the uv of a killed Taxiway disturbs nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import tarfile
import uuid
import zipfile
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from taxiway.model.errors import InputError, TimedOutError, UnavailableError
from taxiway.plugin import Identity, daemons
from taxiway.plugins.process import files, interpreter
from taxiway.plugins.process.supervisor import ProcessError, locked

LOCK_FILE = "requirements.lock.txt"
WHEEL = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.!+]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl")
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])?\s*==\s*[^\s;@]+\s*(;.*)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
WHEEL_BYTES = 300_000_000
LOCK_BYTES = 5_000_000
POLL_SECONDS = 0.2
PASSED_ON = ("UV_", "SSL_", "HTTP_", "HTTPS_", "NO_", "ALL_", "http_", "https_", "no_", "all_", "NETRC")


@dataclass(frozen=True)
class Release:
    """A prepared release: its programs, and the one to run when nothing else is said (empty: not exactly one)."""

    folder: Path
    programs: Path
    default_command: tuple[str, ...]


@dataclass(frozen=True)
class Workshop:
    """Where releases are made and how."""

    releases: Path
    cache: Path
    identity: Identity
    install_seconds: float


def prepare(shop: Workshop, digest: str, artifact: Path, cancelled: Callable[[], bool]) -> Release:
    """The release of this artefact, made when it is not there. Safe from several processes at once.

    InputError: the artefact is not what it should be; UnavailableError: uv or the interpreter is missing.
    """
    name = re.sub(r"[^0-9a-f]", "", digest.removeprefix("sha256:"))[:64]
    folder = shop.releases / name
    there = _complete(folder)
    if there is not None:
        return there
    _open_folder(shop.releases)
    with locked(shop.releases / f"{name}.lock", shop.install_seconds):
        there = _complete(folder)
        if there is not None:
            return there
        shutil.rmtree(folder, ignore_errors=True)
        _open_folder(folder)
        wheel = _unpack(artifact, folder)
        default = _scripts(wheel)
        venv = folder / f"venv-{uuid.uuid4().hex[:8]}"
        _install(shop, venv, wheel, cancelled)
        found = {"venv": venv.name, "default_command": default if len(default) == 1 else []}
        files.write_json(str(folder / "complete.json"), found, 0o644)
    return Release(folder, venv / "bin", tuple(found["default_command"]))


def forget(shop: Workshop, used: Callable[[], set[str]]) -> None:
    """Remove the releases whose digests are not among those in use. One that is being made is left for later."""
    for folder in shop.releases.glob("*"):
        if not folder.is_dir() or folder.name in _names(used()):
            continue
        lock = shop.releases / f"{folder.name}.lock"
        with contextlib.suppress(ProcessError), locked(lock, 0.1):
            # Asked again with the lock held: it may have become wanted and been made since.
            if folder.name not in _names(used()):
                (folder / "complete.json").unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def _names(digests: set[str]) -> set[str]:
    return {digest.removeprefix("sha256:") for digest in digests}


def _complete(folder: Path) -> Release | None:
    found = files.read_json(str(folder / "complete.json"))
    if not isinstance(found, dict) or "venv" not in found or not (folder / found["venv"] / "bin" / "python").exists():
        return None
    return Release(folder, folder / found["venv"] / "bin", tuple(found["default_command"]))


def _open_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)


def _unpack(artifact: Path, folder: Path) -> Path:
    """Take the wheel and the lock file out of the artefact; the path of the wheel."""
    with _members(artifact) as members:
        wheels = [name for name in members if WHEEL.fullmatch(Path(name).name)]
        locks = [name for name in members if Path(name).name == LOCK_FILE]
        if len(wheels) != 1 or len(locks) != 1:
            raise InputError(
                f"a release for a local process is one wheel and {LOCK_FILE}; this one has {len(wheels)} wheels and "
                f"{len(locks)} such files: correct what the workflow uploads as 'release'",
                code="process.release",
            )
        wheel = folder / Path(wheels[0]).name
        _copy(members[wheels[0]](), wheel, WHEEL_BYTES)
        _copy(members[locks[0]](), folder / LOCK_FILE, LOCK_BYTES)
    return wheel


@contextlib.contextmanager
def _members(artifact: Path) -> Iterator[dict[str, Callable[[], IO[bytes] | None]]]:
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


def _copy(source: IO[bytes] | None, target: Path, most_bytes: int) -> None:
    left = most_bytes
    with target.open("wb") as out:
        while source is not None and (data := source.read(1 << 20)):
            left -= len(data)
            if left < 0:
                raise InputError(f"{target.name} in the release is larger than {most_bytes} bytes: make it smaller")
            out.write(data)
    target.chmod(0o644)


def _scripts(wheel: Path) -> list[str]:
    """The console scripts that the wheel brings."""
    try:
        with zipfile.ZipFile(wheel) as pack:
            for info in pack.infolist():
                if re.fullmatch(r"[^/]+\.dist-info/entry_points\.txt", info.filename) and info.file_size < 1_000_000:
                    # Only "=" separates, as the format of entry points says.
                    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
                    parser.optionxform = str  # type: ignore[assignment,method-assign]
                    parser.read_string(pack.read(info).decode())
                    return list(parser["console_scripts"]) if parser.has_section("console_scripts") else []
    except (zipfile.BadZipFile, ValueError, KeyError) as error:
        raise InputError(f"the wheel {wheel.name} is broken: {error}; build it again") from error
    return []


def _requirements(folder: Path, wheel: Path) -> Path:
    """One list of the locked packages and the wheel itself. InputError for a line that is not pinned by a hash."""
    text = (folder / LOCK_FILE).read_text(errors="replace").replace("\\\n", " ")
    for line in text.splitlines():
        line = line.split(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        pinned, *hashes = re.split(r"\s+(?=--)", line)
        if not PINNED.fullmatch(pinned.strip()) or not hashes or not all(HASH.fullmatch(one) for one in hashes):
            raise InputError(
                f"{LOCK_FILE} has the line '{line[:120]}': each must be NAME==VERSION with --hash=sha256:…; write the "
                "file with 'uv pip compile --generate-hashes'",
                code="process.lock",
            )
    with wheel.open("rb") as file:
        known = hashlib.file_digest(file, "sha256").hexdigest()
    path = folder / "install.txt"
    name = wheel.name.split("-")[0]
    path.write_text(f"{text}\n{name} @ {wheel.as_uri()} --hash=sha256:{known}\n")
    return path


def _install(shop: Workshop, venv: Path, wheel: Path, cancelled: Callable[[], bool]) -> None:
    requirements = _requirements(venv.parent, wheel)
    python = interpreter.find(shop.identity)
    tool = _uv()
    # A hard link into the cache saves disk and time; safe where workloads are another user, who cannot write there.
    link_mode = "hardlink" if shop.identity.uid is not None else "copy"
    _run(
        shop,
        [tool, "venv", "--no-project", "--no-python-downloads", "--python", str(python.path), str(venv)],
        cancelled,
    )
    # The lock lists everything, so nothing is to be resolved. The wheel itself has a hash as well.
    install = [tool, "pip", "install", "--python", str(venv / "bin" / "python"), "--require-hashes", "--no-deps"]
    install += ["--only-binary", ":all:", "--link-mode", link_mode, "--no-python-downloads", "-r", str(requirements)]
    _run(shop, install, cancelled)


def _uv() -> str:
    found = shutil.which("uv")
    with contextlib.suppress(ImportError, FileNotFoundError):
        import uv

        found = os.fsdecode(uv.find_uv_bin())
    if found is None:
        raise UnavailableError("uv is missing, which installs releases: pip install 'taxiway[laptop]'")
    return found


def _run(shop: Workshop, command: list[str], cancelled: Callable[[], bool]) -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    environ |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), "NO_COLOR": "1"}
    environ["UV_CACHE_DIR"] = str(shop.cache)
    shop.cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with subprocess.Popen(
        command,
        env=environ,
        cwd="/",
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


def reachable(path: Path, identity: Identity) -> None:
    """UnavailableError when the workloads' user cannot get to `path`."""
    blocked = daemons.blocked_by(path / "x", identity)
    if blocked is not None:
        raise UnavailableError(
            f"the user {identity.uid} of workloads cannot pass through {blocked}: run 'chmod a+x {blocked}', or choose "
            "another data folder",
            code="process.unreachable",
        )
