"""The forge and its host of pull requests, and how a pull request is found. Used by all of this folder."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import Row
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, NotFoundError, UnavailableError
from taxiway.model.workload import Repository
from taxiway.plugin import Forge, PullHost

READ = "pulls.read"
CHANGED = ConflictError(
    "somebody changed the pull request at the same moment: look at it again, then repeat", code="pulls.changed"
)


def forge(platform: Platform) -> Forge:
    """The git host. UnavailableError when no plugin brings one."""
    there: list[Forge] = platform.registry.all("forge")
    if not there:
        raise UnavailableError("no forge is installed: enable the plugin git_local, then start Taxiway again")
    return there[0]


def pull_host(platform: Platform) -> PullHost:
    """The forge's side of pull requests. UnavailableError when it has none."""
    key = forge(platform).key
    there: list[PullHost] = platform.registry.all("pull_host")
    found = next((host for host in there if host.key == key), None)
    if found is None:
        raise UnavailableError(f"the forge {key} does not bring pull requests: use git_local, or a plugin that does")
    return found


def repository_of(platform: Platform, name: str) -> Repository:
    """A repository. NotFoundError when there is none."""
    there = forge(platform).get_repository(name)
    if there is None:
        raise NotFoundError(f"there is no repository '{name}'", code="pulls.no_repository")
    return there


def owner_of(there: Repository) -> str | None:
    """The full reference of a repository's owner, a group unless it says otherwise."""
    return str(parse_ref(there.owner, default_kind="group")) if there.owner else None


def find_pull(ctx: OpContext, name: str, number: int) -> Row:
    """A pull request as it is stored. NotFoundError when there is none, or none that the caller may see."""
    with ctx.platform.store.read() as conn:
        row = repository.get_pull(conn, name, number)
    scope = ctx.scope(READ)
    if row is None or not (scope.everything or row["owner"] in scope.owners):
        raise NotFoundError(f"there is no pull request {name}#{number}", code="pulls.not_found")
    return row


def again(platform: Platform, row: Row) -> Row:
    """The same pull request, as it is now."""
    with platform.store.read() as conn:
        found = repository.pull_by_id(conn, row["id"])
    if found is None:
        raise NotFoundError(f"there is no pull request {row['repository']}#{row['number']}", code="pulls.not_found")
    return found


def change(tx: Tx, row: Row, **values: Any) -> Row:
    """The row with other values. ConflictError when somebody was faster."""
    if not repository.change_pull(tx, row, **values):
        raise CHANGED
    return {**row, **values, "version": row["version"] + 1}
