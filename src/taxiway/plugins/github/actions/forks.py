"""Where the branch of a pull request goes: the repository itself, or a fork of whose credential it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.plugin import StepContext
from taxiway.plugin.forging.repo_urls import RepoUrl
from taxiway.plugins.github.actions.base import Repo, ref_path, soon


def fork_for(ctx: StepContext, repo: Repo, facts: Mapping[str, Any], *, is_forced: bool) -> Repo:
    """`repo`, or with `is_forced`, or when the credential may not push to it, a fork, which is made where it is
    missing. A fork is not taken back: work of others may be in it."""
    may_push = bool((facts.get("permissions") or {}).get("push", True))
    if may_push and not is_forced:
        return repo
    login = repo.elsewhere("user")["login"]
    if login.lower() == repo.owner.lower():
        raise ConflictError(
            f"{login} cannot fork a repository of {login}: leave forceFork out, or use another token",
            code="github.own_fork",
        )
    there = _fork(replace(repo, place=RepoUrl(repo.place.host, login, repo.place.repo)), repo.name)
    if there is not None:
        return there
    made = repo.send("POST", "forks", {}, idempotent=True)
    owner, _, name = str(made["full_name"]).partition("/")
    home = replace(repo, place=RepoUrl(repo.place.host, owner, name))
    ctx.log(f"Made the fork {home.place}")
    soon(ctx, lambda: home.read(ref_path(facts["default_branch"])))
    return home


def _fork(candidate: Repo, of: str) -> Repo | None:
    try:
        found = candidate.read()
    except NotFoundError:
        return None
    is_fork = ((found.get("parent") or {}).get("full_name") or "").lower() == of.lower()
    return candidate if is_fork else None
