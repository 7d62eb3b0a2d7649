"""A repository that a step makes on a forge and fills from the workspace: what `publish:…` actions have in common.

Each forge says how it finds and makes one, and how it is reached over git. The order is that of `making`: look, note,
make, push, so that a step that was killed anywhere in between finds what it made and goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taxiway.model.errors import ConflictError, InputError
from taxiway.model.run import Created
from taxiway.plugin.context import PluginContext, StepContext
from taxiway.plugin.forging.making import (
    REPOSITORY,
    HostedRepositories,
    Made,
    PushedCommits,
    best_known,
    check_repositories,
    make_once,
    repository_data,
    take_back_repositories,
)
from taxiway.plugin.forging.publishing import NewCommit, author_of, commit_time, folder_changes, push_first

if TYPE_CHECKING:
    from taxiway.plugin.forging.smart_http import GitRemote

ANOTHER = "1970-01-01T00:00:00+00:00"
"""When a repository was made whose id tells that it is another one."""
COMMIT_INPUTS: Mapping[str, Any] = {
    "sourcePath": "Folder of the workspace to publish; default all of it",
    "gitCommitMessage": "Message of the first commit; default 'initial commit'",
    "signCommit": {"type": "boolean", "description": "Refused: commits are not signed here"},
}
"""Inputs of an action for `first_commit`, beside `AUTHOR_INPUTS`."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class NewRepository:
    """A repository to be made: `name` is its full name on `host`.

    `find` gives what is there, or None; `make` makes it. `more` is what undo needs beside host and name. `id_of` gives
    the forge's id of it: undo then knows it by that. A step that was killed before it knew the id leaves an empty
    repository; undo knows that by when it was made, or takes it for its own where the forge does not tell.
    """

    host: str
    name: str
    find: Callable[[], Values | None]
    make: Callable[[], Values]
    more: Mapping[str, str] = field(default_factory=dict)
    id_of: Callable[[Values], str] | None = None

    @property
    def place(self) -> str:
        """Its name in the inventory."""
        return f"{self.host}/{self.name}"


def first_commit(ctx: StepContext, values: Values, source: str | None) -> NewCommit:
    """The commit that a publish action's inputs ask for. InputError where they ask for a signature."""
    if values.get("signCommit"):
        raise InputError(
            "commits are not signed here: leave signCommit out, or let the forge sign what it merges",
            code="forge.no_signing",
        )
    author = author_of(values.get("gitAuthorName"), values.get("gitAuthorEmail"))
    return NewCommit(folder_changes(ctx, source), values.get("gitCommitMessage") or "initial commit", author)


def make_repository(ctx: StepContext, plugin: PluginContext, wanted: NewRepository) -> Made:
    """Make it, unless it is there."""
    data = ctx.checkpoint(
        f"repository {wanted.place}", lambda: repository_data(plugin.clock, wanted.host, wanted.name, **wanted.more)
    )
    made = make_once(ctx, REPOSITORY, wanted.place, data, find=wanted.find, make=wanted.make)
    if made.is_ours and wanted.id_of is not None:
        ctx.created(REPOSITORY, wanted.place, {**data, "id": wanted.id_of(made.value)})
    return made


def publish(
    ctx: StepContext,
    plugin: PluginContext,
    wanted: NewRepository,
    branch: str,
    new: NewCommit,
    remote_of: Callable[[Values], GitRemote],
) -> tuple[Values, str]:
    """What the forge says of the new repository, and its first commit. ConflictError when the name is taken."""
    made = make_repository(ctx, plugin, wanted)
    if not made.is_ours:
        raise name_taken(wanted.place)
    return made.value, fill(ctx, plugin, wanted.place, remote_of(made.value), branch, new)


def fill(ctx: StepContext, plugin: PluginContext, place: str, remote: GitRemote, branch: str, new: NewCommit) -> str:
    """Push the first commit of an own repository, and return its id."""
    pushed = PushedCommits(plugin.records)
    at_seconds = commit_time(ctx, plugin.clock)
    commit = push_first(remote, branch, new, at_seconds, note=lambda sha: pushed.note(place, sha))
    ctx.log(f"Published {len(new.changes)} files as {commit[:12]} to {remote.shown}")
    return commit


def name_taken(place: str) -> ConflictError:
    """What to say where a repository is there already."""
    return ConflictError(
        f"there is a repository {place} already: choose another name, or propose the change to it", code="forge.taken"
    )


@dataclass(frozen=True)
class RepositoryUndo:
    """The undo of a publish action: `take_back` and `check_back` of its `FunctionAction`."""

    hosted: Callable[[], HostedRepositories]
    plugin: PluginContext

    def take_back(self, ctx: StepContext, created: Sequence[Created]) -> None:
        take_back_repositories(ctx, self.hosted(), PushedCommits(self.plugin.records), best_known(created))

    def check_back(self, created: Sequence[Created]) -> None:
        check_repositories(self.hosted(), PushedCommits(self.plugin.records), best_known(created))
