"""Pull requests on real bare repositories: conformance, diffs of every kind, and the ordinary client at a rule."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from factories.host import Host
from taxiway.model.errors import ConflictError
from taxiway.model.pulls import BranchRule, MergeRequest
from taxiway.model.workload import FileChange
from taxiway.plugin.testing import PullHostConformance
from taxiway.plugins.git_local import GitLocalSettings
from taxiway.plugins.git_local.forge import LocalForge
from taxiway.plugins.git_local.pulls import LocalPulls

BY = "user:default/merger"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "forge", GitLocalSettings())


@pytest.fixture
def forge(host: Host) -> LocalForge:
    return LocalForge(host.context, 8 * 1024 * 1024)


@pytest.fixture
def pulls(forge: LocalForge) -> LocalPulls:
    return LocalPulls(forge)


class TestPullHost(PullHostConformance):
    pass


def git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True).stdout


def make(forge: LocalForge, files: dict[str, bytes]) -> str:
    forge.create_repository("shop", description="", owner=None, default_branch="main", request_key="r")
    changes = {path: FileChange(content) for path, content in files.items()}
    return forge.commit("shop", "main", changes, message="one", author="user:default/alex")


def test_renames_binaries_removals_and_odd_names_are_told_apart(forge: LocalForge, pulls: LocalPulls) -> None:
    lines = b"".join(b"line %d\n" % number for number in range(50))
    base = make(forge, {"old.txt": lines, "gone.txt": b"x\n", "pic.bin": b"\0\1\2", "same": b"s\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    head = forge.commit(
        "shop",
        "change",
        {
            "old.txt": FileChange(None),
            "new näme.txt": FileChange(lines + b"more\n"),
            "gone.txt": FileChange(None),
            "pic.bin": FileChange(b"\0\1\3"),
            "--output=x": FileChange(b"option?\n"),
            "large.txt": FileChange(b"0123456789\n" * 20_000),
            "diff --git a/x b/x": FileChange(b"diff --git a/y b/y\n"),
        },
        message="two",
        author="a",
    )
    found = {file.path: file for file in pulls.files("shop", base, head).files}
    assert {path: file.status for path, file in found.items()} == {
        "--output=x": "added",
        "diff --git a/x b/x": "added",
        "gone.txt": "removed",
        "large.txt": "added",
        "new näme.txt": "renamed",
        "pic.bin": "modified",
    }
    renamed = found["new näme.txt"]
    assert (renamed.previous_path, renamed.additions, renamed.deletions) == ("old.txt", 1, 0)
    assert (renamed.patch or "").endswith("+more\n")
    assert found["pic.bin"].is_binary
    assert found["pic.bin"].patch is None
    assert found["gone.txt"].patch == "@@ -1 +0,0 @@\n-x\n"
    assert found["--output=x"].patch == "@@ -0,0 +1 @@\n+option?\n"
    assert found["diff --git a/x b/x"].patch == "@@ -0,0 +1 @@\n+diff --git a/y b/y\n"
    assert found["large.txt"].is_cut
    assert len(found["large.txt"].patch or "") <= 65536
    text, is_cut = pulls.diff("shop", base, head, 2000)
    assert is_cut
    assert len(text) <= 2000


def test_five_thousand_files_come_in_pages(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    many = {f"d{number % 50}/f{number}": FileChange(b"%d\n" % number) for number in range(5000)}
    head = forge.commit("shop", "change", many, message="many", author="a")
    first, last = pulls.files("shop", base, head), pulls.files("shop", base, head, after=4990)
    assert (first.total, first.additions, len(first.files), len(last.files)) == (5000, 5000, 100, 10)
    assert all(file.patch for file in (*first.files, *last.files))


def test_a_rebase_keeps_authors_and_messages_and_drops_what_is_there_already(
    forge: LocalForge, pulls: LocalPulls
) -> None:
    base = make(forge, {"a": b"1\n", "b": b"1\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    forge.commit("shop", "change", {"c": FileChange(b"same\n")}, message="already there", author="user:default/ann")
    head = forge.commit("shop", "change", {"a": FileChange(b"2\n")}, message="two\n\nwhy", author="user:default/bob")
    moved = forge.commit("shop", "main", {"c": FileChange(b"same\n")}, message="c", author="user:default/cat")
    request = MergeRequest("shop", "main", moved, head, "rebase", "", "user:default/bob", BY, 1_700_000_000_000_000)
    made = pulls.merge(request)
    log = git(forge.path("shop"), "log", "--format=%an|%cn|%s|%P", "main").splitlines()
    assert log[0] == f"bob|merger|two|{moved}"
    assert log[1].startswith("cat|")
    assert pulls.find_merge(request) == made


def test_a_merge_commit_has_both_parents_and_a_squash_has_one(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    head = forge.commit("shop", "change", {"a": FileChange(b"2\n")}, message="two", author="user:default/bob")
    request = MergeRequest(
        "shop", "main", base, head, "merge", "Merge #1", "user:default/bob", BY, 1_700_000_000_000_000
    )
    pulls.merge(request)
    assert (
        git(forge.path("shop"), "log", "-1", "--format=%an|%s|%P", "main").strip() == f"merger|Merge #1|{base} {head}"
    )
    again = forge.commit("shop", "change", {"a": FileChange(b"3\n")}, message="three", author="user:default/bob")
    now = forge.resolve("shop", "main")
    assert now is not None
    pulls.merge(
        MergeRequest("shop", "main", now, again, "squash", "S (#2)", "user:default/bob", BY, 1_700_000_000_000_000)
    )
    assert git(forge.path("shop"), "log", "-1", "--format=%an|%cn|%s|%P", "main").strip() == f"bob|merger|S (#2)|{now}"


def test_a_trial_leaves_nothing_behind(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n", "b": b"1\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    forge.commit("shop", "change", {"a": FileChange(b"2\n")}, message="two", author="x")
    forge.commit("shop", "main", {"b": FileChange(b"2\n")}, message="b", author="x")
    path = forge.path("shop")
    before = sorted(str(item) for item in path.rglob("*"))
    assert pulls.try_merge("shop", "main", "change").is_clean
    assert sorted(str(item) for item in path.rglob("*")) == before


def test_unrelated_histories_are_said(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n"})
    other = forge.commit("shop", "orphan", {"z": FileChange(b"1\n")}, message="z", author="x")
    assert pulls.compare("shop", "main", "orphan").merge_base is None
    with pytest.raises(ConflictError, match="no common history"):
        pulls.merge(MergeRequest("shop", "main", base, other, "merge", "m", "a", BY, 1_700_000_000_000_000))


def test_a_change_of_rules_that_a_crash_kept_quiet_is_announced_later(host: Host, forge: LocalForge) -> None:
    make(forge, {"a": b"1\n"})
    uid = forge.uid("shop")
    host.context.records.put(
        f"rules/{uid}", {"repository": "shop", "rules": [], "by": BY, "announced": False}, expect=0
    )
    forge.announce_all()
    forge.announce_all()
    told = [event.data for event in host.events if event.type == "dev.taxiway.repository.protected.v1"]
    assert told == [{"repository": "shop", "by": BY, "rules": []}]


def test_a_protected_branch_takes_no_commit_and_is_not_deleted(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n"})
    pulls.create_branch("shop", "release/1", base, by=BY)
    pulls.protect("shop", [BranchRule("release/*")], by=BY)
    with pytest.raises(ConflictError, match="open a pull request"):
        forge.commit("shop", "release/1", {"a": FileChange(b"2\n")}, message="x", author="x")
    with pytest.raises(ConflictError, match="protected"):
        pulls.delete_branch("shop", "release/1", expect=base, by=BY)
    forge.commit("shop", "main", {"a": FileChange(b"2\n")}, message="x", author="x")


def test_a_rebase_that_would_lose_what_a_merge_solved_is_refused(forge: LocalForge, pulls: LocalPulls) -> None:
    base = make(forge, {"a": b"1\n"})
    pulls.create_branch("shop", "change", base, by=BY)
    forge.commit("shop", "change", {"b": FileChange(b"1\n")}, message="b", author="x")
    main = forge.commit("shop", "main", {"c": FileChange(b"1\n")}, message="c", author="x")
    path = forge.path("shop")
    forge.commit("shop", "change", {"c": FileChange(b"1\n"), "solved": FileChange(b"1\n")}, message="s", author="x")
    tree = git(path, "rev-parse", "change^{tree}").strip()
    parent = git(path, "rev-parse", "change~1").strip()
    person = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    head = git(path, *person, "commit-tree", tree, "-p", parent, "-p", main, "-m", "merge main").strip()
    git(path, "update-ref", "refs/heads/change", head)
    request = MergeRequest("shop", "main", main, head, "rebase", "", "a", BY, 1_700_000_000_000_000)
    with pytest.raises(ConflictError, match="its merges hold changes"):
        pulls.merge(request)
    assert pulls.merge(replace(request, method="squash", message="all")) == forge.resolve("shop", "main")
    assert forge.read_file("shop", "main", "solved") == b"1\n"
