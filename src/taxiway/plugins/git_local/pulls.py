"""The built-in forge as a host of pull requests: compares, merges and protects branches of its bare repositories.

A merge moves the base branch by compare-and-set: whoever else moved it first makes the merge fail, and nothing is lost.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.pulls import (
    BranchRule,
    BranchRules,
    Carried,
    CarryRequest,
    CarryTrial,
    ChangedFiles,
    Comparison,
    MergeRequest,
    MergeTrial,
    rule_of,
)
from taxiway.plugins.git_local import comparing
from taxiway.plugins.git_local.carrying import carry, try_carry
from taxiway.plugins.git_local.command import ask_git
from taxiway.plugins.git_local.forge import LocalForge, check_branch
from taxiway.plugins.git_local.merging import make_merge
from taxiway.plugins.git_local.objects import ZERO

TRIALS = 1000


class LocalPulls:
    """The `PullHost` of this host."""

    key = "git_local"

    def __init__(self, forge: LocalForge) -> None:
        self._forge = forge
        self._trials: OrderedDict[tuple[str, str, str], MergeTrial] = OrderedDict()
        self._guard = threading.Lock()

    def compare(self, name: str, base: str, head: str, *, limit: int = 250) -> Comparison:
        old, new = self._commit(name, base), self._commit(name, head)
        return comparing.compare(self._forge.path(name), old, new, limit)

    def files(
        self, name: str, old: str, new: str, *, after: int = 0, limit: int = 100, with_patch: bool = True
    ) -> ChangedFiles:
        path = self._forge.path(name)
        return comparing.changed_files(path, self._commit(name, old), self._commit(name, new), after, limit, with_patch)

    def diff(self, name: str, old: str, new: str, limit: int) -> tuple[str, bool]:
        return comparing.diff_text(self._forge.path(name), self._commit(name, old), self._commit(name, new), limit)

    def try_merge(self, name: str, base: str, head: str) -> MergeTrial:
        key = (self._forge.uid(name), self._commit(name, base), self._commit(name, head))
        with self._guard:
            if (known := self._trials.get(key)) is not None:
                return known
        trial = comparing.try_merge(self._forge.path(name), key[1], key[2])
        with self._guard:
            self._trials[key] = trial
            while len(self._trials) > TRIALS:
                self._trials.popitem(last=False)
        return trial

    def merge(self, request: MergeRequest) -> str:
        name = request.repository
        with self._forge.locked(name):
            path = self._forge.writable_path(name)
            made = make_merge(path, request)
            ref = f"refs/heads/{request.base}"
            moved = ask_git(["update-ref", ref, made, request.base_sha], path, ok=(0, 1, 128))
            if moved.code and self._forge.resolve(name, ref) != made:
                raise ConflictError(
                    f"{request.base} moved on since {request.base_sha[:7]}: look at the pull request again, then merge",
                    code="pulls.base_moved",
                )
            self._forge.announce(name, request.committer)
        return made

    def find_merge(self, request: MergeRequest) -> str | None:
        name = request.repository
        with self._forge.locked(name):
            path = self._forge.path(name)
            head = self._forge.resolve(name, f"refs/heads/{request.base}")
            if head is None or self._forge.resolve(name, request.head_sha) is None:
                return None
            try:
                made = make_merge(path, request)
            except ConflictError:
                return None
            if made == request.base_sha or not comparing.is_ancestor(path, made, head):
                return None
            # The branch may have moved in an instant before a crash: its push is announced at the latest here.
            self._forge.announce(name, request.committer)
            return made

    def carry(self, request: CarryRequest) -> Carried:
        with self._forge.locked(request.repository):
            return carry(self._forge.writable_path(request.repository), request)

    def try_carry(self, request: CarryRequest, *, limit: int = 500) -> CarryTrial:
        return try_carry(self._forge.path(request.repository), request, limit)

    def create_branch(self, name: str, branch: str, commit: str, *, by: str) -> None:
        check_branch(branch)
        with self._forge.locked(name):
            path, sha = self._forge.writable_path(name), self._commit(name, commit)
            made = ask_git(["update-ref", f"refs/heads/{branch}", sha, ZERO], path, ok=(0, 1, 128))
            if made.code and self._forge.resolve(name, f"refs/heads/{branch}") != sha:
                raise ConflictError(f"{name} has a branch {branch} already: choose another name", code="pulls.branch")
            self._forge.announce(name, by)

    def delete_branch(self, name: str, branch: str, *, expect: str, by: str) -> bool:
        with self._forge.locked(name):
            path = self._forge.writable_path(name)
            rule = rule_of(self.rules(name), branch)
            there = self._forge.get_repository(name)
            if (rule is not None and not rule.allow_delete) or (there and there.default_branch == branch):
                raise ConflictError(f"{branch} is protected and is not deleted", code="repositories.protected")
            gone = ask_git(["update-ref", "-d", f"refs/heads/{branch}", expect], path, ok=(0, 1, 128)).code == 0
            if gone:
                self._forge.announce(name, by)
            return gone

    def contains(self, name: str, branch: str, commit: str) -> bool:
        head = self._forge.resolve(name, f"refs/heads/{branch}")
        there = self._forge.resolve(name, commit)
        return head is not None and there is not None and comparing.is_ancestor(self._forge.path(name), there, head)

    def rules(self, name: str) -> BranchRules:
        return self._forge.rules.get(self._forge.uid(name))

    def protect(self, name: str, rules: Sequence[BranchRule], *, by: str, expect: int | None = None) -> BranchRules:
        with self._forge.locked(name):
            return self._forge.rules.put(self._forge.uid(name), name, rules, by, expect)

    def _commit(self, name: str, ref: str) -> str:
        sha = self._forge.resolve(name, ref)
        if sha is None:
            raise NotFoundError(f"{name} has no '{ref}' (any more)", code="repositories.no_ref")
        return sha
