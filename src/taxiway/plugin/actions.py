"""An action as a value: a function with its schemas, and what recovery and undo need to know. And what actions on the
workspace of a run have in common. The scaffolder's own actions and those of plugins are made of it."""

from __future__ import annotations

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
    """`path` below `root`. InputError when it would leave it, through `..` or a link."""
    target = Path(os.path.realpath(root / path))
    if not target.is_relative_to(os.path.realpath(root)):
        raise InputError(f"'{path}' leaves the workspace: use a path inside it", code="scaffolder.path_escape")
    return target


def workspace_files(root: Path) -> Iterator[tuple[str, Path]]:
    """(relative path, path) of every plain file below `root` but `.git`, in order. InputError for links."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name != ".git")
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise InputError(f"{path.relative_to(root)} is no plain file: a workspace may not hold links")
            yield path.relative_to(root).as_posix(), path


def schema(required: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    """A JSON Schema of an object; a property given as text is a string with that description."""
    described = {
        name: {"type": "string", "description": value} if isinstance(value, str) else value
        for name, value in properties.items()
    }
    return {"type": "object", "required": list(required), "properties": described}
