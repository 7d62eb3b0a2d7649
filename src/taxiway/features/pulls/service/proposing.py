"""A change of files as a pull request, in one call: branch, commit, pull request. For edits by a portal or a run.

Safe to repeat: a branch that has the change already is taken as it is, and its open pull request is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from taxiway.core.context import OpContext
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import NewPull, Row, person
from taxiway.features.pulls.service.hosts import forge, owner_of, pull_host, repository_of
from taxiway.features.pulls.service.opening import check_text, open_pull
from taxiway.model.errors import ConflictError, InputError
from taxiway.model.workload import FileChange, Repository

MAX_FILES = 200


@dataclass(frozen=True)
class Proposal:
    """Files to be different on `base` (None: the default branch), on a new branch `head`. `expect` is the commit of
    `base` that the files were made from, where that matters."""

    repository: str
    head: str
    changes: Mapping[str, FileChange]
    title: str
    body: str = ""
    base: str | None = None
    draft: bool = False
    expect: str | None = None


def propose_change(ctx: OpContext, proposal: Proposal) -> Row:
    """Open a pull request with these changes. InputError when nothing would differ, ConflictError when the branch is
    there with something else on it, or the base is not at `expect` any more."""
    there = repository_of(ctx.platform, proposal.repository)
    ctx.authorize("pulls.propose", owner_of(there))
    check_text(proposal.title, proposal.body)
    base = proposal.base or there.default_branch
    if base == proposal.head:
        raise InputError(f"base and head are both {base}: name another branch", code="pulls.same")
    if not 0 < len(proposal.changes) <= MAX_FILES:
        raise InputError(f"change at least one file, and at most {MAX_FILES}", code="pulls.files")
    _commit(ctx, there, base, proposal)
    with ctx.platform.store.read() as conn:
        twin = repository.open_twin(conn, there.uid, base, proposal.head)
    if twin is not None:
        return twin
    return open_pull(ctx, NewPull(there.name, proposal.head, base, proposal.title, proposal.body, proposal.draft))


def _commit(ctx: OpContext, there: Repository, base: str, proposal: Proposal) -> None:
    git, host, by = forge(ctx.platform), pull_host(ctx.platform), person(ctx.principal)
    start = git.resolve(there.name, f"refs/heads/{base}")
    if start is None:
        raise InputError(f"{there.name} has no branch '{base}': push it first", code="pulls.no_branch")
    if proposal.expect not in (None, start):
        raise ConflictError(f"{base} moved on meanwhile: read the files again", code="pulls.base_moved")
    head = git.resolve(there.name, f"refs/heads/{proposal.head}")
    if head is not None:
        if all(git.read_file(there.name, head, path) == new.content for path, new in proposal.changes.items()):
            return
        raise ConflictError(
            f"{there.name} has a branch {proposal.head} already: choose another name", code="pulls.branch"
        )
    host.create_branch(there.name, proposal.head, start, by=by)
    message = f"{proposal.title}\n\n{proposal.body}".strip()
    try:
        made = git.commit(there.name, proposal.head, proposal.changes, message=message, author=by, expect=start)
    except Exception:
        host.delete_branch(there.name, proposal.head, expect=start, by=by)
        raise
    if made == start:
        host.delete_branch(there.name, proposal.head, expect=start, by=by)
        raise InputError(f"{base} has these files as they are to be: change something", code="pulls.empty")
