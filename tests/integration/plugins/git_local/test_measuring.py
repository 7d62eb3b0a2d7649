"""Commits that stand for more files or bytes than a disk has room for, which somebody made by hand and pushed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from factories.host import Host
from taxiway.model.errors import TooLargeError
from taxiway.model.workload import FileChange
from taxiway.plugins.git_local import GitLocalSettings, measuring
from taxiway.plugins.git_local import forge as forge_module
from taxiway.plugins.git_local.forge import LocalForge


@pytest.fixture
def forge(tmp_path: Path) -> LocalForge:
    forge = LocalForge(Host(tmp_path / "forge", GitLocalSettings()).context, 8 * 1024 * 1024)
    forge.create_repository("shop", description="", owner=None, default_branch="main", request_key="r")
    forge.commit("shop", "main", {"a/b.txt": FileChange(b"12345")}, message="one", author="user:default/alex")
    return forge


def test_folders_that_hold_one_another_are_neither_listed_nor_written_out(
    forge: LocalForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (forge_module, measuring):
        monkeypatch.setattr(module, "MOST_FILES", 2_000)
        monkeypatch.setattr(module, "MOST_ENTRIES", 4_000)

    def git(*arguments: str, given: str = "") -> str:
        who = ["-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
        command = ["git", *who, "-C", str(forge.path("shop")), *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, check=True).stdout.strip()

    for tree, listed in ((git("rev-parse", "main^{tree}"), 2_000), (git("mktree"), 10**6)):  # without any file, too
        monkeypatch.setattr(measuring, "LISTED_BYTES", listed)
        for _ in range(9):
            tree = git("mktree", given="".join(f"040000 tree {tree}\t{number}\n" for number in range(9)))
        bomb = git("commit-tree", tree, "-m", "by hand")
        with pytest.raises(TooLargeError, match="split the repository"):
            forge.list_files("shop", bomb)
        with pytest.raises(TooLargeError, match="split the repository"):
            forge.export("shop", bomb, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_more_bytes_than_there_is_room_for_are_not_written_out(
    forge: LocalForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = forge.export("shop", "main", tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.txt").read_bytes() == b"12345"
    monkeypatch.setattr(measuring, "MOST_BYTES", 4)
    with pytest.raises(TooLargeError, match="split the repository"):
        forge.export("shop", head, tmp_path / "again")
