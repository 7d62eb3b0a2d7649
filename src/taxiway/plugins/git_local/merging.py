"""Makes the commits of a merge in a bare repository, without a work tree. Called by `pulls`, which moves the branch.

Everything that a commit depends on comes from the request, so making it again gives the same id: that is how a merge
whose answer was lost is found again. Nothing here touches a branch.
"""

from __future__ import annotations

from pathlib import Path

from taxiway.model.errors import ConflictError
from taxiway.model.pulls import MergeRequest
from taxiway.plugin import MICROSECONDS
from taxiway.plugins.git_local.command import ask_git
from taxiway.plugins.git_local.comparing import merge_base, merge_trees
from taxiway.plugins.git_local.objects import identity

REBASE_COMMITS = 100
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The empty tree."""


def make_merge(path: Path, request: MergeRequest) -> str:
    """The commit that the base branch is to become. ConflictError says which files, and what to do."""
    if merge_base(path, request.base_sha, request.head_sha) is None:
        raise ConflictError(
            "the two branches have no common history: make the change on a branch that was made from the base",
            code="pulls.unrelated",
        )
    if request.method == "rebase":
        return _rebase(path, request)
    tree, conflicts = merge_trees(path, request.base_sha, request.head_sha)
    if tree is None:
        raise conflict(request.base, conflicts)
    parents = [request.base_sha] if request.method == "squash" else [request.base_sha, request.head_sha]
    author = request.author if request.method == "squash" else request.committer
    return _commit(path, tree, parents, request.message, _person(author, request.at), request)


def conflict(base: str, files: tuple[str, ...]) -> ConflictError:
    """The error for branches that do not merge."""
    shown = ", ".join(files[:10]) + (f" and {len(files) - 10} more" if len(files) > 10 else "")
    return ConflictError(
        f"it conflicts with {base} in {shown}: merge or rebase {base} into your branch, solve the conflicts and push",
        code="pulls.conflict",
    )


def _rebase(path: Path, request: MergeRequest) -> str:
    wanted = ["rev-list", "--reverse", "--topo-order", "--no-merges", f"{request.base_sha}..{request.head_sha}"]
    commits = ask_git(wanted, path).output.decode().split()
    if len(commits) > REBASE_COMMITS:
        raise ConflictError(
            f"{len(commits)} commits are too many to rebase (at most {REBASE_COMMITS}): merge or squash instead",
            code="pulls.too_many_commits",
        )
    tip = request.base_sha
    for commit in commits:
        tip = _pick(path, tip, commit, request)
    _check_nothing_lost(path, tip, request)
    if tip == request.base_sha:
        raise ConflictError(
            f"{request.base} has everything of it already: there is nothing to rebase, close it", code="pulls.empty"
        )
    return tip


def _check_nothing_lost(path: Path, tip: str, request: MergeRequest) -> None:
    """A rebase leaves merges out, and with them what somebody solved in one: then the result is not what was seen."""
    span = f"{request.base_sha}..{request.head_sha}"
    if ask_git(["rev-list", "--merges", "--count", span], path).output.strip() == b"0":
        return
    tree, _ = merge_trees(path, request.base_sha, request.head_sha)
    if tree != _tree(path, tip):
        raise ConflictError(
            "its merges hold changes that a rebase would leave out: merge or squash instead", code="pulls.merges"
        )


def _pick(path: Path, onto: str, commit: str, request: MergeRequest) -> str:
    """`commit` again, on top of `onto`; `onto` itself when nothing of it is left.

    The merge of trees looks for the base in the history, so it gets one of three commits: what was before the commit,
    and on it both sides.
    """
    form = "--format=%T%x00%P%x00%an%x00%ae%x00%at%x00%ai%x00%B"
    shown = ask_git(["log", "--max-count=1", form, commit, "--"], path).output.decode(errors="replace")
    tree, parents, name, mail, at, local, message = shown.split("\x00", 6)
    before = _tree(path, parents.split()[0]) if parents else NOTHING
    root = _helper(path, before, [])
    ours, theirs = _helper(path, _tree(path, onto), [root]), _helper(path, tree, [root])
    made, conflicts = merge_trees(path, ours, theirs)
    if made is None:
        raise ConflictError(
            f"commit {commit[:7]} does not apply on {request.base} ({', '.join(conflicts[:5])}): merge or squash "
            f"instead, or rebase your branch and push it",
            code="pulls.conflict",
        )
    if made == _tree(path, onto):
        return onto
    zone = local.rsplit(" ", 1)[-1]
    author = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": f"@{at} {zone}"}
    return _commit(path, made, [onto], message.strip(), author, request)


def _tree(path: Path, commit: str) -> str:
    return ask_git(["rev-parse", f"{commit}^{{tree}}"], path).output.decode().strip()


def _helper(path: Path, tree: str, parents: list[str]) -> str:
    person = {f"GIT_{role}_{part}": "taxiway" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")}
    dates = {"GIT_AUTHOR_DATE": "@0 +0000", "GIT_COMMITTER_DATE": "@0 +0000"}
    return _commit_tree(path, tree, parents, "merge helper", {**person, **dates})


def _commit(
    path: Path, tree: str, parents: list[str], message: str, author: dict[str, str], request: MergeRequest
) -> str:
    who = _person(request.committer, request.at)
    committer = {key.replace("AUTHOR", "COMMITTER"): value for key, value in who.items()}
    return _commit_tree(path, tree, parents, message, {**author, **committer})


def _commit_tree(path: Path, tree: str, parents: list[str], message: str, extra: dict[str, str]) -> str:
    arguments = ["commit-tree", tree, *(word for parent in parents for word in ("-p", parent)), "-F", "-"]
    return ask_git(arguments, path, given=(message + "\n").encode(), extra=extra).output.decode().strip()


def _person(who: str, at: int) -> dict[str, str]:
    name, mail = identity(who)
    return {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail, "GIT_AUTHOR_DATE": f"@{at // MICROSECONDS} +0000"}
