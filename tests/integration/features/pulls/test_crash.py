"""`kill -9` in the middle of a merge: after the next start the record says what git says, and nothing is doubled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from integration.features.pulls.dying import platform_on
from taxiway.features.pulls import service
from taxiway.features.pulls.model import NewPull
from taxiway.features.pulls.service.hosts import forge, pull_host
from taxiway.features.pulls.service.merging import MergeOptions
from taxiway.model.workload import FileChange
from taxiway.plugins.git_local.command import run_git

TESTS = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("where", "state", "commits"), [("before", "open", 1), ("moved", "merged", 2), ("recorded", "merged", 2)]
)
def test_a_killed_merge_ends_truthfully(tmp_path: Path, where: str, state: str, commits: int) -> None:
    platform = platform_on(tmp_path / "data")
    git, ctx = forge(platform), platform.system("test")
    git.create_repository("shop", description="", owner=None, default_branch="main", request_key="r")
    base = git.commit("shop", "main", {"a": FileChange(b"1\n")}, message="one", author="x")
    pull_host(platform).create_branch("shop", "change", base, by="x")
    git.commit("shop", "change", {"a": FileChange(b"2\n")}, message="two", author="x")
    service.open_pull(ctx, NewPull("shop", "change"))
    platform.store.close()
    command = [sys.executable, "-m", "integration.features.pulls.dying", str(tmp_path / "data"), "shop", where]
    died = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert died.returncode == -9, died.stderr

    platform = platform_on(tmp_path / "data")
    ctx = platform.system("test")
    service.settle_all(platform)
    found = service.get_pull(ctx, "shop", 1)
    path = forge(platform).path("shop")
    assert (found["state"], found["merging"]) == (state, False)
    assert len(run_git(["log", "--format=%H", "main"], path).split()) == commits
    if state == "open":
        found = service.merge_pull(ctx, "shop", 1, MergeOptions(method="squash", delete_branch=True))
    assert found["state"] == "merged"
    assert found["merge_sha"] == forge(platform).resolve("shop", "main")
    assert len(run_git(["log", "--format=%H", "main"], path).split()) == 2
    kinds = [event.type.split(".")[3] for event in _events(platform)]
    assert kinds.count("merged") == 1
    assert forge(platform).resolve("shop", "change") is None
    platform.store.close()


def _events(platform: object) -> list[object]:
    from sqlalchemy import select

    from taxiway.core.store.tables import event

    with platform.store.read() as conn:
        return list(conn.execute(select(event.c.type).where(event.c.subject == "pull:shop/1")))
