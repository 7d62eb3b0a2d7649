"""The two renders of an upgrade, made to meet what is in the repository before git merges them.

Two things in a repository are not what a line-wise merge takes them for: the record of the golden path is Taxiway's own
and is always written anew, and line ends are the service's choice. Called by the run and by the plan of an upgrade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from taxiway.core.context import OpContext
from taxiway.features.scaffolder.model import Service, Version
from taxiway.features.scaffolder.record import FILE
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.upgrading import render
from taxiway.model.errors import NotFoundError, TooLargeError
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge

Files = Mapping[str, FileChange]


@dataclass(frozen=True)
class Sides:
    """The old render and the new one. `is_record_changed`: somebody changed or removed the record by hand."""

    old: Files
    new: Files
    is_record_changed: bool


def sides_of(ctx: OpContext, renderer: Renderer, service: Service, target: Version, start: str) -> Sides:
    """Both renders for a merge onto the commit `start`."""
    old = render(ctx, renderer, service.template_ref, service.version, service.outputs)
    new = render(ctx, renderer, service.template_ref, target, service.outputs)
    forge = ctx.platform.registry.get("forge", "git_local", Forge)

    def current(path: str) -> bytes | None:
        try:
            return forge.read_file(service.repository, start, path)
        except TooLargeError:
            return None

    return meet(old, new, {path: current(path) for path in {FILE, *_differing(old, new)}})


def meet(old: Files, new: Files, current: Mapping[str, bytes | None]) -> Sides:
    """Both renders beside the `current` content of the files in which they differ, and of the record."""
    record = current.get(FILE)
    is_changed = record != old[FILE].content
    before = {path: _with_ends(change, current.get(path)) for path, change in old.items() if path != FILE}
    if record is not None:
        before[FILE] = FileChange(record)
    after = {path: _with_ends(change, current.get(path)) for path, change in new.items()}
    return Sides(before, {**after, FILE: new[FILE]}, is_changed)


def head_of(ctx: OpContext, name: str) -> str:
    """The commit that an upgrade starts from. NotFoundError when the repository is gone or empty."""
    forge = ctx.platform.registry.get("forge", "git_local", Forge)
    there = forge.get_repository(name)
    head = forge.resolve(name, there.default_branch) if there else None
    if head is None:
        raise NotFoundError(f"the repository {name} is gone or empty: there is nothing to upgrade")
    return head


def _differing(old: Files, new: Files) -> set[str]:
    return {path for path in {*old, *new} if old.get(path) != new.get(path)}


def _with_ends(change: FileChange, current: bytes | None) -> FileChange:
    """A rendered file with the line ends that the repository gave it."""
    if current is None or change.content is None:
        return change
    wanted, has = _ends(current), _ends(change.content)
    if wanted is None or has is None or wanted == has:
        return change
    plain = change.content.replace(b"\r\n", b"\n")
    return replace(change, content=plain.replace(b"\n", b"\r\n") if wanted == "crlf" else plain)


def _ends(content: bytes) -> Literal["crlf", "lf"] | None:
    """How lines end, where all end alike; None for mixed ends, single lines, and what is no text."""
    lines = content.count(b"\n")
    if not lines or b"\0" in content:
        return None
    returns = content.count(b"\r\n")
    return "crlf" if returns == lines else "lf" if not returns else None
