"""Makes a release runnable: the artefact's wheel and hashed requirements in a virtual environment of its own, once.

The folder is Taxiway's and read-only for workloads. Packages come as wheels only, so that nothing of them runs while
they are installed, and through a cache that repository code cannot write.
"""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError, UnavailableError
from taxiway.plugin import Identity, PluginContext
from taxiway.plugins.process.supervisor import locked

PASSED_ON = ("UV_", "PIP_", "SSL_CERT", "REQUESTS_CA", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY")
OLDEST = (3, 11)
READY = "ready.json"
LOCK_FILE = "requirements.lock.txt"


@dataclass(frozen=True)
class Release:
    """A release on disk: the folder of its programs, and what to run when the workload does not say."""

    programs: Path
    default_command: tuple[str, ...]


def prepare(ctx: PluginContext, digest: str, seconds: float) -> Release:
    """The release with this artefact digest, installed now when it was not yet.

    InputError when the artefact is none that can run here; UnavailableError when the installation failed.
    """
    folder = ctx.run_dir / "releases" / digest.removeprefix("sha256:")[:32]
    with locked(ctx.run_dir / "locks" / f"{folder.name}.lock", seconds):
        if not (folder / READY).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True, mode=0o755)
            folder.chmod(0o755)
            folder.parent.chmod(0o755)
            command = _install(ctx, ctx.artifacts.path(digest), folder, seconds)
            (folder / READY).write_text(json.dumps({"command": command}))
        ready = json.loads((folder / READY).read_text())
    return Release(folder / "venv" / "bin", tuple(ready["command"]))


def forget(ctx: PluginContext, used: Sequence[str]) -> None:
    """Remove releases that no digest in `used` needs."""
    keep = {digest.removeprefix("sha256:")[:32] for digest in used}
    for folder in (ctx.run_dir / "releases").glob("*"):
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def _install(ctx: PluginContext, artifact: Path, folder: Path, seconds: float) -> list[str]:
    content = folder / "content"
    content.mkdir()
    try:
        with tarfile.open(artifact) as archive:
            archive.extractall(content, filter="data")
    except tarfile.TarError as error:
        raise InputError(
            f"the release's artefact is no tar of files ({error}): publish it with the pipeline"
        ) from error
    wheels = sorted(content.rglob("*.whl"))
    if len(wheels) != 1:
        raise InputError(f"a local process needs exactly one wheel in the release, this one has {len(wheels)}")
    uv, python, venv = _uv(), find_python(ctx.identity("workloads")), folder / "venv"
    _run(ctx, [uv, "venv", "--quiet", "--python", python, str(venv)], seconds)
    install = [uv, "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), "--only-binary", ":all:"]
    lock = content / LOCK_FILE
    if lock.is_file():
        _run(ctx, [*install, "--require-hashes", "-r", str(lock)], seconds)
    # The lock has the hashes of everything else; the wheel itself is named by the digest of the release.
    _run(ctx, [*install, "--no-deps", "--compile-bytecode", str(wheels[0])], seconds)
    return _scripts(wheels[0])


def _run(ctx: PluginContext, argv: Sequence[str], seconds: float) -> None:
    environ = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    environ |= {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(ctx.cache_dir)}
    environ |= {"UV_CACHE_DIR": str(ctx.cache_dir / "uv"), "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never"}
    try:
        done = subprocess.run(
            argv,
            env=environ,
            cwd=ctx.run_dir,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            start_new_session=True,
            umask=0o022,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"installing the release took longer than {seconds:g} s: deploy again") from error
    if done.returncode:
        text = done.stderr.decode(errors="replace").strip()[-1500:]
        raise UnavailableError(f"the release could not be installed: {text}")


def _scripts(wheel: Path) -> list[str]:
    """The wheel's only console script, as a command; empty when there is none or several."""
    parser = configparser.ConfigParser(delimiters=("=",))
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/entry_points.txt"):
                parser.read_string(archive.read(name).decode())
    names = list(parser["console_scripts"]) if parser.has_section("console_scripts") else []
    return names if len(names) == 1 else []


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if beside.is_file() else shutil.which("uv")
    if found is None:
        raise UnavailableError("the program 'uv' is not installed: pip install 'taxiway[laptop]'")
    return found


def find_python(identity: Identity) -> str:
    """A Python that the workloads' user can run. UnavailableError says what was tried."""
    tried = []
    for candidate in dict.fromkeys(_candidates()):
        tried.append(candidate)
        if _runs(candidate, identity):
            return candidate
    raise UnavailableError(
        f"no Python {OLDEST[0]}.{OLDEST[1]} or newer can be run by the user of workloads (tried {', '.join(tried)}): "
        "install one outside of closed home folders, such as the system's python3"
    )


def _candidates() -> Iterator[str]:
    yield os.path.realpath(sys.executable)
    for folder in ("/usr/local/bin", "/usr/bin", "/opt/python/bin"):
        for name in ("python3", "python3.13", "python3.12", "python3.11"):
            if Path(folder, name).exists():
                yield os.path.realpath(Path(folder, name))


def _runs(python: str, identity: Identity) -> bool:
    user: dict[str, Any] = {}
    if identity.uid is not None:
        user = {"user": identity.uid, "group": identity.gid, "extra_groups": []}
    code = f"import sys, ssl, ensurepip; sys.exit(sys.version_info < {OLDEST})"
    try:
        done = subprocess.run(
            [python, "-I", "-c", code], env={}, cwd="/", capture_output=True, timeout=20, check=False, **user
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return bool(done.returncode == 0)
