"""Conformance of what hosts pull requests."""

from __future__ import annotations

import pytest

from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.pulls import BranchRule, MergeMethod, MergeRequest
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, PullHost

NAME = "conformance"
BY = "user:default/merger"


class PullHostConformance:
    """Give fixtures `forge`, without the repository `conformance`, and `pulls`, the host of the same repositories."""

    def _make(self, forge: Forge, pulls: PullHost) -> tuple[str, str]:
        """A repository whose branches `main` and `change` both went on from the same commit; their heads."""
        forge.create_repository(NAME, description="", owner=None, default_branch="main", request_key="key-1")
        files = {"a": FileChange(b"1\n2\n3\n"), "b": FileChange(b"1\n")}
        first = forge.commit(NAME, "main", files, message="one", author="A")
        pulls.create_branch(NAME, "change", first, by=BY)
        return self._grow(forge, "main", "b", b"2\n"), self._grow(forge, "change", "a", b"1\n2\n3\n4\n")

    def _grow(self, forge: Forge, branch: str, path: str, content: bytes) -> str:
        return forge.commit(NAME, branch, {path: FileChange(content)}, message=f"{path} grows", author="A")

    def _request(self, base: str, head: str, method: MergeMethod) -> MergeRequest:
        return MergeRequest(NAME, "main", base, head, method, "The change", "user:default/a", BY, 1_000_000_000_000)

    def test_a_branch_begins_at_a_commit_and_never_moves_by_that(self, forge: Forge, pulls: PullHost) -> None:
        base, head = self._make(forge, pulls)
        pulls.create_branch(NAME, "other", base, by=BY)
        pulls.create_branch(NAME, "other", base, by=BY)
        with pytest.raises(ConflictError):
            pulls.create_branch(NAME, "other", head, by=BY)
        assert pulls.delete_branch(NAME, "other", expect=head, by=BY) is False
        assert pulls.delete_branch(NAME, "other", expect=base, by=BY) is True
        assert forge.resolve(NAME, "other") is None

    def test_two_branches_are_compared(self, forge: Forge, pulls: PullHost) -> None:
        base, head = self._make(forge, pulls)
        found = pulls.compare(NAME, "main", "change")
        assert (found.base, found.head, found.ahead, found.behind) == (base, head, 1, 1)
        assert [commit.sha for commit in found.commits] == [head]
        assert found.merge_base is not None
        files = pulls.files(NAME, found.merge_base, head)
        assert [(file.path, file.status, file.additions, file.deletions) for file in files.files] == [
            ("a", "modified", 1, 0)
        ]
        assert "+4\n" in (files.files[0].patch or "")
        assert "+4\n" in pulls.diff(NAME, found.merge_base, head, 100_000)[0]
        with pytest.raises(NotFoundError):
            pulls.compare(NAME, "main", "gone")

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    def test_a_merge_brings_the_change_and_is_found_again(
        self, forge: Forge, pulls: PullHost, method: MergeMethod
    ) -> None:
        base, head = self._make(forge, pulls)
        assert pulls.try_merge(NAME, "main", "change").is_clean
        request = self._request(base, head, method)
        assert pulls.find_merge(request) is None
        made = pulls.merge(request)
        assert forge.resolve(NAME, "main") == made == pulls.find_merge(request)
        assert (forge.read_file(NAME, "main", "a"), forge.read_file(NAME, "main", "b")) == (b"1\n2\n3\n4\n", b"2\n")
        assert pulls.contains(NAME, "main", head) is (method == "merge")

    def test_a_base_that_moved_is_a_conflict_and_stays(self, forge: Forge, pulls: PullHost) -> None:
        base, head = self._make(forge, pulls)
        moved = self._grow(forge, "main", "b", b"3\n")
        with pytest.raises(ConflictError):
            pulls.merge(self._request(base, head, "merge"))
        assert forge.resolve(NAME, "main") == moved

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    def test_conflicting_changes_are_named_and_not_merged(
        self, forge: Forge, pulls: PullHost, method: MergeMethod
    ) -> None:
        _, head = self._make(forge, pulls)
        base = self._grow(forge, "main", "a", b"1\n2\n3\nfour\n")
        trial = pulls.try_merge(NAME, "main", "change")
        assert (trial.is_clean, tuple(trial.conflicts)) == (False, ("a",))
        with pytest.raises(ConflictError):
            pulls.merge(self._request(base, head, method))
        assert forge.resolve(NAME, "main") == base

    def test_rules_are_kept_by_version(self, forge: Forge, pulls: PullHost) -> None:
        forge.create_repository(NAME, description="", owner=None, default_branch="main", request_key="key-1")
        first = pulls.protect(NAME, [BranchRule("main", required_checks=("ci.yml",))], by=BY, expect=0)
        assert pulls.rules(NAME) == first
        with pytest.raises(ConflictError):
            pulls.protect(NAME, [], by=BY, expect=0)
        assert pulls.protect(NAME, [], by=BY, expect=first.version).rules == ()
