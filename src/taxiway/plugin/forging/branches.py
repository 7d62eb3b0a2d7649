"""A commit of the workspace on a branch of a repository that is there, and its undo: what pushes and pull requests of
forges have in common.

The inventory holds where the branch stood and the commit that this step pushed, before it is pushed. Undo puts the
branch back, or deletes it when it was not there, as long as it still stands at that commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from taxiway.model.errors import Changed, ConflictError, InputError, NotFoundError, refuse_changed
from taxiway.model.run import Created
from taxiway.plugin.context import PluginContext, StepContext
from taxiway.plugin.forging.making import PushedCommits
from taxiway.plugin.forging.publishing import NewCommit, commit_time, push_onto

if TYPE_CHECKING:
    from taxiway.plugin.forging.smart_http import GitRemote

BRANCH = "branch"
Values = Mapping[str, Any]
RemoteOf: TypeAlias = "Callable[[Values], GitRemote]"
"""Gives the repository that `Branch.data` tells of."""


@dataclass(frozen=True)
class Branch:
    """A branch of the repository `place` (host and full name); `data` is what undo needs to find the repository."""

    place: str
    name: str
    remote: GitRemote
    data: Values

    @property
    def shown(self) -> str:
        """Its name in the inventory."""
        return f"{self.place}#{self.name}"


def stood_at(ctx: StepContext, branch: Branch, start: str, turn: str) -> tuple[str | None, str]:
    """Where the branch and the branch `start` stood when this turn of a step first came here (see `turn_of`); None when
    the branch was not there. InputError when `start` is none."""

    def look() -> dict[str, str | None]:
        heads = branch.remote.heads()
        return {"own": heads.get(branch.name), "start": heads.get(start)}

    seen = ctx.checkpoint(f"branch before: {branch.shown} {turn}", look)
    if seen["own"] is None and seen["start"] is None:
        raise InputError(
            f"{branch.place} has no branch {start} to start from: name another, or publish something first",
            code="forge.no_branch",
        )
    return seen["own"], seen["start"] or seen["own"]


def commit_onto(
    ctx: StepContext, plugin: PluginContext, branch: Branch, new: NewCommit, *, was: str | None, base: str
) -> str:
    """Push `new` on top of `base` as the branch, which stood at `was`, and return where it stands now: at `base` when
    nothing differs. ConflictError when somebody else pushed to it in between."""
    pushed, present = PushedCommits(plugin.records), branch.remote.heads().get(branch.name)

    def about_to_push(commit: str) -> None:
        if present != was:
            raise ConflictError(
                f"somebody pushed to the branch {branch.shown} while this step ran: run it again", code="forge.moved"
            )
        pushed.note(branch.place, commit)
        ctx.created(BRANCH, branch.shown, {**branch.data, "branch": branch.name, "was": was, "commit": commit})

    at_seconds = commit_time(ctx, plugin.clock)
    commit = push_onto(branch.remote, branch.name, base, new, at_seconds, old=present, note=about_to_push)
    if commit == base and present is None:
        about_to_push(base)
        branch.remote.move(branch.name, base, old=None)
    ctx.log(f"{branch.shown} stands at {commit[:12]}")
    return commit


def check_branches(remote_of: RemoteOf, created: Sequence[Created]) -> None:
    """ChangedSinceError when a branch in the inventory has commits of others."""
    refuse_changed(changed_branches(remote_of, created))


def changed_branches(remote_of: RemoteOf, created: Sequence[Created]) -> list[Changed]:
    """Branches in the inventory that have commits of others."""
    return [one for item in created if item.kind == BRANCH for one in _changed(item, _head(remote_of, item))]


def take_back_branches(remote_of: RemoteOf, ctx: StepContext, created: Sequence[Created]) -> None:
    """Delete the branches in the inventory that were not there, and let the others stand where they stood."""
    for item in reversed(created):
        if item.kind == BRANCH:
            _take_back(remote_of, ctx, item)


def _head(remote_of: RemoteOf, item: Created) -> str | None:
    """Where a branch stands; None when undo has nothing to do there."""
    try:
        head = remote_of(item.data).heads(reading=True).get(item.data["branch"])
    except NotFoundError:
        return None  # the repository is gone
    return None if head == item.data["was"] else head


def _changed(item: Created, head: str | None) -> list[Changed]:
    if head in (None, item.data["commit"]):
        return []
    fate = "it is deleted" if item.data["was"] is None else f"it is put back to {str(item.data['was'])[:12]}"
    return [Changed(item.name, f"the branch has commits made since: {fate}")]


def _take_back(remote_of: RemoteOf, ctx: StepContext, item: Created) -> None:
    head, was = _head(remote_of, item), item.data["was"]
    if head is None:
        return
    refuse_changed(_changed(item, head), ctx.confirmed)
    if was is None:
        remote_of(item.data).delete(item.data["branch"], old=head)
        ctx.log(f"Deleted the branch {item.name}")
    else:
        remote_of(item.data).move(item.data["branch"], was, old=head)
        ctx.log(f"Put the branch {item.name} back to {was[:12]}")
