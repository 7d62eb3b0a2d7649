"""The surroundings of a run: its folder, its environment, its user. Called by the runner.

Code of a repository gets an environment built from nothing here, never Taxiway's, and runs as the user it is given.
"""

import os
import shutil
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from taxiway.plugin.confined import SYSTEM_PATH, User
from taxiway.plugin.confined.processes import MARKER


class RunnerError(Exception):
    """A run that cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """Folders of one run; only `home`, `temp`, `artifacts`, `pending` and the cache are writable for its user."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temp(self) -> Path:
        return self.root / "tmp"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def pending(self) -> Path:
        return self.root / "pending"

    @property
    def actions(self) -> Path:
        return self.root / "actions"

    @property
    def bin(self) -> Path:
        return self.root / "bin"


def make_layout(root: Path, user: User | None, actions: Path, tools: Sequence[Path], cache: Path) -> Layout:
    """Makes the folders of a run; `tools` are programs that its steps find on PATH. Raises RunnerError."""
    layout = Layout(root)
    root.mkdir(mode=0o755, parents=True, exist_ok=True)
    if user is not None and (wall := unreachable(root, user)):
        raise RunnerError(
            f"User {user.uid} cannot reach {root}, because of {wall}. Choose a folder below one open to all."
        )
    for folder in (layout.home, layout.temp, layout.artifacts, layout.pending, cache):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        give(folder, user)
    shutil.copytree(actions, layout.actions, dirs_exist_ok=True)
    layout.bin.mkdir(exist_ok=True)
    for tool in tools:
        place_tool(tool, layout.bin, user)
    open_for_reading(layout.actions)
    shutil.copy(layout.actions / "shell" / "bash", layout.bin / "bash")
    (layout.bin / "bash").chmod(0o755)
    return layout


def place_tool(tool: Path, folder: Path, user: User | None) -> Path:
    """The program in `folder`, linked where the run's user can run the original, else copied."""
    target = folder / tool.name
    if not target.exists():
        real = tool.resolve()
        if user is None or not (unreachable(real.parent, user) or not real.stat().st_mode & stat.S_IXOTH):
            target.symlink_to(real)
        else:
            shutil.copy(real, target)
            target.chmod(0o755)
    return target


def unreachable(folder: Path, user: User) -> Path | None:
    """The first folder on the way that keeps the user out, or None."""
    for part in [*reversed(folder.resolve().parents), folder.resolve()]:
        facts = part.stat()
        bit = stat.S_IXUSR if facts.st_uid == user.uid else stat.S_IXGRP if facts.st_gid == user.gid else stat.S_IXOTH
        if not facts.st_mode & bit:
            return part
    return None


def give(folder: Path, user: User | None) -> None:
    """Hands the folder and all in it to the user, links not followed; nothing to do when it is theirs already."""
    if user is None or folder.lstat().st_uid == user.uid:
        return
    for name, folders, files in os.walk(folder):
        for entry in (*folders, *files):
            with suppress(FileNotFoundError):  # another run of the repository is at work in its cache
                os.chown(Path(name) / entry, user.uid, user.gid, follow_symlinks=False)
    os.chown(folder, user.uid, user.gid)


def open_for_reading(folder: Path) -> None:
    """Lets everybody read the tree (the umask of Taxiway may be narrow)."""
    for name, _, files in os.walk(folder):
        Path(name).chmod(0o755)
        for file in files:
            path = Path(name) / file
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o444)


def environment(run_id: str, layout: Layout, cache: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a run. `extra` comes first, so it cannot replace what isolation rests on."""
    return {
        "LANG": "C.UTF-8",
        "USER": "runner",
        "LOGNAME": "runner",
        "SHELL": "/bin/bash",
        "GIT_TERMINAL_PROMPT": "0",
        **extra,
        "PATH": f"{layout.bin}:{SYSTEM_PATH}",
        "HOME": str(layout.home),
        "TMPDIR": str(layout.temp),
        MARKER: run_id,
        "TAXIWAY_ACTIONS": str(layout.actions),
        "TAXIWAY_ARTIFACTS": str(layout.artifacts),
        "TAXIWAY_PENDING": str(layout.pending),
        "TAXIWAY_CACHE": str(cache),
        # act asks its maker's server for notices unless told not to, and looks for a container engine
        "ACT_DISABLE_VERSION_CHECK": "1",
        "DOCKER_HOST": "unix:///nonexistent/no-container-engine.sock",
    }
