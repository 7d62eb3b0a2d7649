"""Releases for Node.js: what `npm pack` made of the service, and its `package-lock.json`.

npm installs what the lock names, each package by its sha512, and runs no script of any. It sees nothing of the package
but what `locks` lets through: no settings, no other lock. The programs are those that `bin` in package.json names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin import Identity, daemons
from taxiway.plugins.process.locks import LOCK_FILE, checked_lock, checked_package
from taxiway.plugins.process.programs import write_script
from taxiway.plugins.process.workshop import FILE_BYTES, Made, Members, Workshop, copy, run

LOCK_BYTES = 20_000_000
NOT_TAKEN = frozenset({".npmrc", "npm-shrinkwrap.json", "yarn.lock", "node_modules"})
"""What would tell npm otherwise than the lock file and whoever runs Taxiway."""
PACKAGE_FILES = 20_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
TRY_SECONDS = 10.0
WHAT = f"one package of npm (.tgz) and {LOCK_FILE}"


def fits(members: Members) -> bool:
    """Whether an artefact looks like a release for Node.js."""
    return any(Path(name).name == LOCK_FILE for name in members)


def make(shop: Workshop, folder: Path, members: Members, cancelled: Callable[[], bool]) -> Made:
    """Unpack and install. InputError: the artefact is not what it should be; UnavailableError: Node.js is missing."""
    node, npm = _node(shop.identity), shutil.which("npm")
    if npm is None:
        raise UnavailableError(
            "npm is missing, which installs releases: install Node.js with npm", code="process.no_node"
        )
    app = folder / f"app-{uuid.uuid4().hex[:8]}"
    _unpack(members, folder, app)
    package = _json(app / "package.json", "package.json")
    lock = checked_lock(_json(app / LOCK_FILE, LOCK_FILE))
    bins = dict(_bins(app, package))
    whole = (app / "package.json").read_bytes()
    (app / LOCK_FILE).write_text(json.dumps(lock))
    (app / "package.json").write_text(json.dumps(checked_package(package)))
    install = [npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    cache = {"npm_config_cache": str(shop.cache.parent / "npm"), "npm_config_update_notifier": "false"}
    run(shop, install, cancelled, folder=app, more=cache)
    (app / "package.json").write_bytes(whole)
    programs = folder / "bin"
    programs.mkdir(mode=0o755, exist_ok=True)
    for name, path in bins.items():
        write_script(programs / name, node, str(path))
    return Made(programs.name, tuple(bins))


def _unpack(members: Members, folder: Path, app: Path) -> None:
    packs = [name for name in members if name.endswith(".tgz")]
    locks = [name for name in members if Path(name).name == LOCK_FILE]
    if len(packs) != 1 or len(locks) != 1:
        raise InputError(
            f"a release for Node.js is {WHAT}; this one has {len(packs)} packages and {len(locks)} such files: correct "
            "what the workflow uploads as 'release'",
            code="process.release",
        )
    pack = folder / "package.tgz"
    copy(members[packs[0]](), pack)
    try:
        with tarfile.open(pack, "r:gz") as tar:
            _extract(tar, app)
        copy(members[locks[0]](), app / LOCK_FILE, LOCK_BYTES)
    except (tarfile.TarError, zlib.error, EOFError, OSError, ValueError) as error:
        raise InputError(f"the package {packs[0]} is broken: {error}; pack it again", code="process.release") from error


def _extract(tar: tarfile.TarFile, app: Path) -> None:
    """The plain files below `package/`, as npm packs them; no links."""
    left = FILE_BYTES
    for number, one in enumerate(tar):
        inner = PurePosixPath(one.name).parts[1:]
        left -= one.size
        if number >= PACKAGE_FILES or left < 0:
            raise InputError(f"the package has more than {PACKAGE_FILES} files or {FILE_BYTES} bytes: make it smaller")
        if not one.isfile() or not inner or ".." in inner or inner[0] in NOT_TAKEN:
            continue
        target = app.joinpath(*inner)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy(tar.extractfile(one), target)


def _bins(app: Path, package: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    bins = package.get("bin")
    if isinstance(bins, str):
        bins = {str(package.get("name", "")).rpartition("/")[2]: bins}
    for name, path in (bins if isinstance(bins, dict) else {}).items():
        parts = PurePosixPath(str(path)).parts
        script = app.joinpath(*parts)
        if not NAME.fullmatch(name) or not parts or parts[0] == "/" or ".." in parts or not script.is_file():
            raise InputError(
                f"bin '{name}' in package.json is {path!r}, which is no file of the package: correct it, or list it in "
                "'files'",
                code="process.release",
            )
        yield name, script


def _json(path: Path, name: str) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{name} of the release cannot be read: {error}", code="process.release") from error
    if not isinstance(found, dict):
        raise InputError(f"{name} of the release is no JSON object", code="process.release")
    return found


def _node(identity: Identity) -> str:
    """A Node.js that the workloads' user can execute."""
    found = shutil.which("node")
    try:
        if found is not None:
            asked = [found, "--version"]
            how: dict[str, Any] = {"env": {}, "cwd": "/", "stdin": subprocess.DEVNULL, "capture_output": True}
            subprocess.run(asked, timeout=TRY_SECONDS, check=True, **how, **daemons.as_user(identity))
            return str(Path(found).resolve())
    except (OSError, subprocess.SubprocessError):
        pass
    raise UnavailableError(
        "the user of workloads can run no Node.js: install one for everybody (a package of the system), then it is "
        "used at the next try",
        code="process.no_node",
    )
