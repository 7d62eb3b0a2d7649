"""Releases in Python: one wheel and `requirements.lock.txt`, in a virtual environment.

Everything is installed by one call of uv, from wheels with hashes only, so that no code of the release or of its
packages runs here. Each attempt has a virtual environment of its own name: the uv of a killed Taxiway disturbs nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import uuid
import zipfile
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugins.process import interpreter
from taxiway.plugins.process.workshop import Made, Members, Workshop, copy, run

LOCK_FILE = "requirements.lock.txt"
WHEEL = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.!+]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl")
PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]*\])?\s*==\s*[^\s;@]+\s*(;.*)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
LOCK_BYTES = 5_000_000
WHAT = f"one wheel and {LOCK_FILE}"


def fits(members: Members) -> bool:
    """Whether an artefact looks like a release in Python."""
    return any(Path(name).suffix == ".whl" or Path(name).name == LOCK_FILE for name in members)


def make(shop: Workshop, folder: Path, members: Members, cancelled: Callable[[], bool]) -> Made:
    """Make the virtual environment. InputError: the artefact is not what it should be; UnavailableError: uv or the
    interpreter is missing."""
    wheel = _unpack(members, folder)
    names = _scripts(wheel)
    venv = folder / f"venv-{uuid.uuid4().hex[:8]}"
    _install(shop, venv, wheel, cancelled)
    return Made(f"{venv.name}/bin", tuple(names))


def _unpack(members: Members, folder: Path) -> Path:
    """Take the wheel and the lock file out of the artefact; the path of the wheel."""
    wheels = [name for name in members if WHEEL.fullmatch(Path(name).name)]
    locks = [name for name in members if Path(name).name == LOCK_FILE]
    if len(wheels) != 1 or len(locks) != 1:
        raise InputError(
            f"a release in Python is {WHAT}; this one has {len(wheels)} wheels and {len(locks)} such files: correct "
            "what the workflow uploads as 'release'",
            code="process.release",
        )
    wheel = folder / Path(wheels[0]).name
    copy(members[wheels[0]](), wheel)
    copy(members[locks[0]](), folder / LOCK_FILE, LOCK_BYTES)
    return wheel


class _EntryPoints(ConfigParser):
    """Names are told as they are written."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def _scripts(wheel: Path) -> list[str]:
    """The console scripts that the wheel brings."""
    try:
        with zipfile.ZipFile(wheel) as pack:
            for info in pack.infolist():
                if re.fullmatch(r"[^/]+\.dist-info/entry_points\.txt", info.filename) and info.file_size < 1_000_000:
                    # Only "=" separates, as the format of entry points says.
                    parser = _EntryPoints(delimiters=("=",), interpolation=None, strict=False)
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
    tool, more = _uv(), {"UV_CACHE_DIR": str(shop.cache)}
    # A hard link into the cache saves disk and time; safe where workloads are another user, who cannot write there.
    link_mode = "hardlink" if shop.identity.uid is not None else "copy"
    run(
        shop,
        [tool, "venv", "--no-project", "--no-python-downloads", "--python", str(python.path), str(venv)],
        cancelled,
        more=more,
    )
    # The lock lists everything, so nothing is to be resolved. The wheel itself has a hash as well.
    install = [tool, "pip", "install", "--python", str(venv / "bin" / "python"), "--require-hashes", "--no-deps"]
    install += ["--only-binary", ":all:", "--link-mode", link_mode, "--no-python-downloads", "-r", str(requirements)]
    run(shop, install, cancelled, more=more)


def _uv() -> str:
    found = shutil.which("uv")
    with contextlib.suppress(ImportError, FileNotFoundError):
        import uv

        found = os.fsdecode(uv.find_uv_bin())
    if found is None:
        raise UnavailableError("uv is missing, which installs releases: pip install 'taxiway[laptop]'")
    return found
