"""Packages of the shipped golden paths, fetched by Taxiway itself ahead of the first pipeline of a new service.

Filled by a background service from lock files of the library, which are trusted: exact versions with hashes, wheels
only, so nothing is executed. It is a cache of `uv` that belongs to Taxiway; jobs never write to it. A pipeline that
comes before it is ready waits for nothing and fetches for itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import taxiway
from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity, PluginContext
from taxiway.plugins.act import host
from taxiway.plugins.act.sandbox import open_for_reading

LOCKS = "golden-paths/*/skeleton/requirements*.lock.txt"
FETCH_SECONDS = 600.0
PART = ".part-"
"""What the process of this number makes begins so."""
SHARED_SECONDS = 7 * 86400.0
"""In a folder that is shared, what another version of Taxiway made stays for this long after it was last used."""
LIBRARY = Path(taxiway.__file__).parent / "library"


class Seed:
    """The folder of seeds: one per content of the lock files, Python and `uv`; a new one replaces the older, unless the
    folder is shared between data folders, then after a while."""

    def __init__(self, folder: Path, identity: Identity, library: Path = LIBRARY, *, is_shared: bool = False) -> None:
        self._folder, self._identity, self._library = folder, identity, library
        self._keep_seconds = SHARED_SECONDS if is_shared else 0.0
        self._ready: Path | None = None

    def path(self) -> Path | None:
        """The seed that is ready, or None. Never waits."""
        if self._ready is None or not self._ready.is_dir():
            ready = sorted((path for path in self._folder.glob("[0-9a-f]*") if path.is_dir()), key=_used_at)
            self._ready = ready[-1] if ready else None
        return self._ready

    def fill(self, stop: threading.Event) -> Path | None:
        """Make the seed for the lock files as they are; at once when it is there. None: no Python or `uv` to do it."""
        uv, found = host.program("uv"), host.pythons(self._identity)
        if uv is None or not found:
            return None
        locks = [_plain(path) for path in sorted(self._library.glob(LOCKS))]
        python = found[0][1]
        target = self._folder / _digest(locks, found[0][0], uv)
        if not target.is_dir():
            for left in self._folder.glob(f"{PART}*"):
                if not _is_running(left.name.removeprefix(PART)):
                    shutil.rmtree(left, ignore_errors=True)
            part = self._folder / f"{PART}{os.getpid()}"
            part.mkdir(parents=True)
            self._folder.chmod(0o700)  # jobs get at the files through links, never through this folder
            try:
                for number, lock in enumerate(locks):
                    _fetch(uv, python, lock, part, number, stop)
                _compile(python, part / "cache", stop)
                _close(part / "cache")
                with contextlib.suppress(OSError):  # another server was first
                    (part / "cache").rename(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        os.utime(target)
        self._ready = target
        for other in self._folder.glob("[0-9a-f]*"):
            if other != target and _used_at(other) <= time.time() - self._keep_seconds:
                shutil.rmtree(other, ignore_errors=True)
        return target


class FillSeed:
    """Once after a start, and again with backoff when the package index does not answer."""

    key = "act_prefetch"
    exclusive = True

    def __init__(self, seed: Seed) -> None:
        self._seed = seed

    def run(self, ctx: PluginContext, stop: threading.Event) -> None:
        try:
            path = self._seed.fill(stop)
        except UnavailableError:
            if stop.is_set():
                return
            raise
        ctx.log.info("act.prefetched", folder=str(path) if path else "nothing: no uv or no Python that jobs can run")
        stop.wait()


def _used_at(path: Path) -> float:
    """Seconds of the epoch; 0 for what is gone meanwhile."""
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _is_running(pid: str) -> bool:
    """Whether another process of this number is there; what this one left came from one that had its number before."""
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _plain(path: Path) -> str:
    """A lock file of a skeleton without its template tags: all of its packages, whatever a form would choose."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("{%")) + "\n"


def _digest(locks: list[str], python: tuple[int, int], uv: Path) -> str:
    facts = uv.stat()
    parts = [*locks, repr(python), f"{facts.st_size} {facts.st_mtime_ns}"]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _fetch(uv: Path, python: Path, lock: str, part: Path, number: int, stop: threading.Event) -> None:
    (part / "lock.txt").write_text(lock, encoding="utf-8")
    argv = [
        *(str(uv), "pip", "install", "--quiet", "--no-progress", "--cache-dir", str(part / "cache")),
        *("--python", str(python), "--target", str(part / f"installed-{number}")),
        *("--require-hashes", "--only-binary", ":all:", "-r", "lock.txt"),
    ]
    _run(argv, part, stop)
    shutil.rmtree(part / f"installed-{number}", ignore_errors=True)


def _compile(python: Path, cache: Path, stop: threading.Event) -> None:
    """Byte code beside the sources, which `uv` copies along: else each run compiles what it imports. Nothing is
    executed. Checked by hash, because copies have other times; a file that does not compile is left as it is."""
    for folder in sorted(cache.glob("archive-v*")):
        argv = [str(python), "-I", "-m", "compileall", "-qq", "--invalidation-mode", "checked-hash", str(folder)]
        _run(argv, cache, stop, may_fail=True)


def _run(argv: list[str], folder: Path, stop: threading.Event, may_fail: bool = False) -> None:
    process = subprocess.Popen(
        ["nice", "-n", "10", *argv],
        cwd=folder,
        env={**os.environ, "UV_LINK_MODE": "hardlink"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        umask=0o022,
    )
    ended = threading.Event()
    watch = threading.Thread(target=_end_when, args=(process, stop, ended), daemon=True)
    watch.start()
    try:
        _, errors = process.communicate(timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        _, errors = process.communicate()
    finally:
        ended.set()
    if stop.is_set() or (process.returncode != 0 and not may_fail):
        reason = " ".join(errors.decode("utf-8", "replace").split())[-500:]
        raise UnavailableError(f"the packages of the golden paths could not be fetched ahead: {reason}")


def _end_when(process: subprocess.Popen[bytes], stop: threading.Event, ended: threading.Event) -> None:
    while not ended.wait(0.2):
        if stop.is_set():
            process.kill()
            return


def _close(folder: Path) -> None:
    """Readable for everybody, writable for Taxiway alone (`uv` makes some lock files writable for all)."""
    open_for_reading(folder)
    for name, _, files in os.walk(folder):
        for file in files:
            path = Path(name, file)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o022)
