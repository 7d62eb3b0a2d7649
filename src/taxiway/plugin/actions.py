"""An action as a value: a function with its schemas, and what recovery and undo need to know. And what actions on the
workspace of a run have in common. The scaffolder's own actions and those of plugins are made of it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from taxiway.model.access import Principal
from taxiway.model.errors import InputError
from taxiway.model.run import Created, Recovery
from taxiway.plugin.context import StepContext

Values = Mapping[str, Any]
NameTaken = tuple[str, str, bool]


@dataclass(frozen=True)
class FunctionAction:
    """An `Action` made of functions; what is not given does nothing."""

    key: str
    description: str
    function: Callable[[StepContext, Values], Values]
    input_schema: Values = field(default_factory=dict)
    output_schema: Values = field(default_factory=dict)
    recovery: Recovery = "idempotent"
    supports_dry_run: bool = True
    take_back: Callable[[StepContext, Sequence[Created]], None] | None = None
    check_back: Callable[[Sequence[Created]], None] | None = None
    name_check: Callable[[Values], Sequence[NameTaken]] | None = None
    check: Callable[[Principal], None] | None = None

    def check_use(self, principal: Principal) -> None:
        """NotAllowedError for who may not use the action."""
        if self.check is not None:
            self.check(principal)

    def run(self, ctx: StepContext, values: Values) -> Values:
        return self.function(ctx, values)

    def probe(self, ctx: StepContext, values: Values) -> Values | None:
        return None

    def names(self, values: Values) -> Sequence[NameTaken]:
        """(kind, name, whether somebody has it) of what a run would make outside of this installation's records."""
        return self.name_check(values) if self.name_check is not None else ()

    def check_undo(self, created: Sequence[Created]) -> None:
        """Raise ChangedSinceError for what has to be confirmed, ConflictError when `undo` would refuse anyhow."""
        if self.check_back is not None:
            self.check_back(created)

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        if self.take_back is not None:
            self.take_back(ctx, created)


def inside(root: Path, path: str) -> Path:
    """`path` below `root`. InputError when it would leave it, through `..` or a link, and for what is no path."""
    try:
        target = Path(os.path.realpath(root / path))
    except ValueError as error:  # a zero byte
        raise _unwritable(path, error) from error
    if not target.is_relative_to(os.path.realpath(root)):
        raise InputError(f"'{path}' leaves the workspace: use a path inside it", code="scaffolder.path_escape")
    return target


def _unwritable(path: str, error: Exception) -> InputError:
    reason = (error.strerror if isinstance(error, OSError) else None) or "a path holds no zero byte"
    return InputError(f"'{path[:200]}' cannot be the path of a file: {reason}", code="scaffolder.bad_path")


SPECIAL = ("", ".", "..")
NO_PATH = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP)


class Tree:
    """Writes files below a folder. Each folder on the way is made, and looked at, once: nobody else may change folders
    there meanwhile."""

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._folders: dict[str, str] = {}

    def write(self, path: str, content: bytes, executable: bool, *, replace: bool = True) -> bool:
        """Write a file with its run bit; False when one is there that is not to be replaced. InputError for a path
        that leaves the folder, or that no file can have."""
        mode = 0o755 if executable else 0o644
        try:
            descriptor = self._open(path, mode, replace=replace)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno not in NO_PATH:
                raise
            raise _unwritable(path, error) from error
        if descriptor is None:
            return False
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        return True

    def _open(self, path: str, mode: int, *, replace: bool) -> int | None:
        try:
            return os.open(self._place(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        except FileExistsError:
            target = inside(self._root, path)  # it may be a link that leads out
            if target.exists() and not replace:
                return None
            return os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)

    def _place(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        if name in SPECIAL or path.startswith("/"):
            return self._looked_up(path)
        if folder not in self._folders:
            self._folders[folder] = self._made(folder)
        return f"{self._folders[folder]}/{name}"

    def _made(self, folder: str) -> str:
        place = os.fspath(self._root)
        self._root.mkdir(parents=True, exist_ok=True)
        for name in folder.split("/") if folder else ():
            place = f"{place}/{name}"
            try:
                if name not in SPECIAL:
                    Path(place).mkdir()
                    continue
            except FileExistsError:
                if not Path(place).is_symlink():
                    continue
            return self._looked_up(f"{folder}/")
        return place

    def _looked_up(self, path: str) -> str:
        target = inside(self._root, path)
        (target if path.endswith("/") else target.parent).mkdir(parents=True, exist_ok=True)
        return str(target)


def workspace_files(root: Path) -> Iterator[tuple[str, Path]]:
    """(relative path, path) of every plain file below `root` but `.git`, in order. InputError for links."""
    return _files_below(os.fspath(root), "")


def _files_below(folder: str, prefix: str) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError:  # it is gone, or was never there
        return
    folders = []
    for entry in entries:
        if entry.name == ".git" and entry.is_dir():
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry)
        elif entry.is_file(follow_symlinks=False):
            yield prefix + entry.name, Path(entry.path)
        else:
            raise InputError(f"{prefix}{entry.name} is no plain file: a workspace may not hold links")
    for entry in folders:
        yield from _files_below(entry.path, f"{prefix}{entry.name}/")


def schema(required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    """A JSON Schema of an object; a property given as text is a string with that description."""
    described = {
        name: {"type": "string", "description": value} if isinstance(value, str) else value
        for name, value in properties.items()
    }
    return {"type": "object", "required": list(required), "properties": described}
