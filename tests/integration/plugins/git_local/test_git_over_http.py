"""The ordinary git client against the built-in forge over HTTP."""

from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from factories.host import Host
from taxiway.model.access import system_principal
from taxiway.model.errors import ConflictError, InputError, NotAllowedError
from taxiway.model.pulls import BranchRule
from taxiway.model.workload import FileChange
from taxiway.plugins.git_local import GitLocalSettings, serve
from taxiway.plugins.git_local.forge import LocalForge
from taxiway.plugins.git_local.pulls import LocalPulls
from taxiway.plugins.git_local.serve import GitApp

MEGABYTE = 1024 * 1024


class Served:
    """A forge behind uvicorn on a free port; `readers` and `writers` say who may, as the host would."""

    def __init__(self, root: Path, settings: GitLocalSettings) -> None:
        self.host = Host(root, settings)
        self.forge = LocalForge(self.host.context, settings.max_push_bytes)
        app = GitApp(self.forge, settings, self.host.context)
        self.writable = True

        def authorize(permission: str, owner: str | None) -> None:
            if permission == "repositories.write" and not self.writable:
                raise NotAllowedError("you may not push here: ask its owner")

        async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                scope["taxiway.principal"] = system_principal("tester")
                scope["taxiway.authorize"] = authorize
                await app(scope, receive, send)

        self.server = uvicorn.Server(uvicorn.Config(guarded, port=0, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            pass
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/git"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "forge", GitLocalSettings(max_push_bytes=8 * MEGABYTE))
    yield served
    served.stop()


def git(*arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    identity = ["-c", "user.name=Dev", "-c", "user.email=dev@example.com"]
    done = subprocess.run(["git", *identity, *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def make(served: Served, name: str = "orders") -> None:
    served.forge.create_repository(
        name, description="Orders", owner="group:default/checkout", default_branch="main", request_key="r1"
    )


def test_clone_commit_push_and_shallow_clone(served: Served, tmp_path: Path) -> None:
    make(served)
    served.forge.commit(
        "orders", "main", {"README.md": FileChange(b"hi\n")}, message="first", author="user:default/alex"
    )
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / "big.bin").write_bytes(os.urandom(3 * MEGABYTE))
    git("add", ".", cwd=work)
    git("commit", "-m", "big", cwd=work)
    git("push", cwd=work)
    head = git("rev-parse", "HEAD", cwd=work).stdout.strip()
    assert served.forge.resolve("orders", "main") == head
    pushed = [e for e in served.host.events if e.type == "dev.taxiway.repository.pushed.v1"]
    assert [e.data["after"] for e in pushed][-1] == head
    assert pushed[-1].data["before"] == pushed[0].data["after"]
    git("clone", "--depth=1", f"{served.url}/orders.git", "shallow", cwd=tmp_path)
    (tmp_path / "shallow" / "x").write_text("x")
    git("add", ".", cwd=tmp_path / "shallow")
    git("commit", "-m", "from shallow", cwd=tmp_path / "shallow")
    git("push", cwd=tmp_path / "shallow")


def test_what_comes_behind_the_end_of_a_packed_body_is_not_kept() -> None:
    pieces = [gzip.compress(b"want"), *[b"j" * 1_000_000] * 8]
    messages = iter([{"type": "http.request", "body": piece, "more_body": True} for piece in pieces])

    async def read() -> bytes:
        async def receive() -> dict[str, Any]:
            return next(messages, {"type": "http.disconnect"})

        return b"".join([piece async for piece in serve._body(receive, True, GitLocalSettings())])

    tracemalloc.start()
    try:
        assert asyncio.run(read()) == b"want"
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_locks_that_a_killed_process_left_do_not_block_commits_and_pushes(served: Served, tmp_path: Path) -> None:
    make(served)
    change = {"README.md": FileChange(b"hi\n")}
    served.forge.commit("orders", "main", change, message="first", author="user:default/alex")
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    heads = served.forge.path("orders") / "refs" / "heads"
    (heads / "main.lock").touch()
    served.forge.commit("orders", "main", {"a": FileChange(b"a")}, message="second", author="user:default/alex")
    (heads / "main.lock").touch()
    os.utime(heads / "main.lock", (1, 1))
    git("pull", cwd=tmp_path / "work")
    git("commit", "--allow-empty", "-m", "third", cwd=tmp_path / "work")
    git("push", cwd=tmp_path / "work")


def test_a_push_above_the_limit_is_refused_with_the_reason(served: Served, tmp_path: Path) -> None:
    make(served)
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / "huge.bin").write_bytes(os.urandom(20 * MEGABYTE))
    git("add", ".", cwd=work)
    git("commit", "-m", "huge", cwd=work)
    done = git("push", "origin", "HEAD:main", cwd=work, check=False)
    assert done.returncode != 0
    assert "exceeds maximum allowed size" in done.stderr
    said = "remote: Taxiway takes at most 8 MiB in one push."
    assert said in done.stderr
    assert "plugins.git_local.max_push_bytes" in done.stderr
    assert served.forge.resolve("orders", "main") is None


def test_the_limit_is_the_one_that_is_set_now(served: Served, tmp_path: Path) -> None:
    make(served)
    # As in a repository that was made when the limit was another one.
    git("config", "receive.maxInputSize", "1", cwd=served.forge.path("orders"))
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / "large.bin").write_bytes(os.urandom(6 * MEGABYTE))
    git("add", ".", cwd=work)
    git("commit", "-m", "large", cwd=work)
    done = git("push", "origin", "HEAD:main", cwd=work)
    assert "Taxiway takes" not in done.stderr


def test_without_the_right_to_write_a_push_is_refused_and_a_clone_works(served: Served, tmp_path: Path) -> None:
    make(served)
    served.writable = False
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    git("commit", "--allow-empty", "-m", "x", cwd=work)
    assert git("push", "origin", "HEAD:main", cwd=work, check=False).returncode != 0


def test_an_archived_repository_is_read_only(served: Served, tmp_path: Path) -> None:
    make(served)
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    served.forge.delete_repository("orders", archive=True)
    git("commit", "--allow-empty", "-m", "x", cwd=tmp_path / "work")
    assert git("push", "origin", "HEAD:main", cwd=tmp_path / "work", check=False).returncode != 0
    with pytest.raises(ConflictError, match="archived"):
        served.forge.commit("orders", "main", {"a": FileChange(b"")}, message="m", author="a")


def test_commits_are_exact_and_unchanged_content_makes_none(served: Served, tmp_path: Path) -> None:
    make(served)
    forge = served.forge
    first = forge.commit(
        "orders",
        "main",
        {"a/b/c.txt": FileChange(b"1"), "run.sh": FileChange(b"#!", executable=True)},
        message="m",
        author="user:default/alex",
    )
    assert forge.commit("orders", "main", {"a/b/c.txt": FileChange(b"1")}, message="m", author="x") == first
    second = forge.commit("orders", "main", {"a/b/c.txt": FileChange(None)}, message="m", author="x", expect=first)
    assert forge.list_files("orders", second) == ["run.sh"]
    assert forge.read_file("orders", first, "a/b/c.txt") == b"1"
    with pytest.raises(ConflictError, match="moved on"):
        forge.commit("orders", "main", {"z": FileChange(b"")}, message="m", author="x", expect=first)
    with pytest.raises(InputError):
        forge.commit("orders", "main", {"../escape": FileChange(b"")}, message="m", author="x")
    assert forge.export("orders", "main", tmp_path / "out") == second
    assert os.access(tmp_path / "out" / "run.sh", os.X_OK)
    assert [row["sha"] for row in forge.log("orders", "main")] == [second, first]


def test_creating_twice_with_one_request_is_one_repository_and_another_request_conflicts(served: Served) -> None:
    make(served)
    make(served)
    created = [e for e in served.host.events if e.type.startswith("dev.cdevents.repository.created")]
    assert len(created) == 1
    with pytest.raises(ConflictError, match="exists already"):
        served.forge.create_repository("orders", description="", owner=None, default_branch="main", request_key="other")


def test_a_push_that_a_crash_kept_quiet_is_announced_later_and_only_once(served: Served, tmp_path: Path) -> None:
    make(served)
    head = served.forge.commit("orders", "main", {"a": FileChange(b"1")}, message="m", author="x")
    bare = served.forge.path("orders")
    git("update-ref", "refs/heads/quiet", head, cwd=bare)
    before = len(served.host.events)
    served.forge.announce_all()
    served.forge.announce_all()
    assert [e.data["ref"] for e in served.host.events[before:]] == ["refs/heads/quiet"]


def test_deleting_leaves_nothing(served: Served) -> None:
    make(served)
    served.forge.commit("orders", "main", {"a": FileChange(b"1")}, message="m", author="x")
    bare = served.forge.path("orders")
    served.forge.delete_repository("orders", archive=False)
    served.forge.delete_repository("orders", archive=False)
    assert not bare.exists()
    assert served.host.context.records.list("") == []


def test_a_protected_branch_refuses_pushes_and_says_what_to_do(served: Served, tmp_path: Path) -> None:
    make(served)
    pulls = LocalPulls(served.forge)
    first = served.forge.commit("orders", "main", {"a": FileChange(b"1\n")}, message="m", author="x")
    pulls.protect("orders", [BranchRule("main")], by="user:default/alex")
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    git("commit", "--allow-empty", "-m", "x", cwd=work)
    done = git("push", "origin", "HEAD:main", "HEAD:refs/heads/mine", cwd=work, check=False)
    assert "remote: Taxiway: main is a protected branch, which changes through pull requests only." in done.stderr
    assert "taxiway pulls create orders --head my-change --base main" in done.stderr
    assert "! [remote rejected] HEAD -> main (hook declined)" in done.stderr
    assert served.forge.resolve("orders", "main") == first
    assert served.forge.resolve("orders", "mine") is not None, "other branches of the same push are taken"
    assert git("push", "origin", ":main", cwd=work, check=False).returncode != 0
    # The server tidies up behind its answer.
    guards, deadline = served.host.context.data_dir / "guards", time.monotonic() + 5
    while list(guards.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(guards.iterdir()) == []


def test_a_branch_that_takes_pushes_may_still_keep_its_history(served: Served, tmp_path: Path) -> None:
    make(served)
    pulls = LocalPulls(served.forge)
    first = served.forge.commit("orders", "main", {"a": FileChange(b"1\n")}, message="m", author="x")
    pulls.create_branch("orders", "release/1", first, by="x")
    pulls.protect("orders", [BranchRule("release/**", allow_push=True)], by="user:default/alex")
    git("clone", f"{served.url}/orders.git", "work", cwd=tmp_path)
    work = tmp_path / "work"
    git("commit", "--allow-empty", "-m", "x", cwd=work)
    git("push", "origin", "HEAD:release/1", cwd=work)
    git("commit", "--amend", "--allow-empty", "-m", "y", cwd=work)
    done = git("push", "--force", "origin", "HEAD:release/1", cwd=work, check=False)
    assert "remote: Taxiway: the history of release/1 is protected" in done.stderr
    gone = git("push", "origin", ":release/1", cwd=work, check=False)
    assert "remote: Taxiway: release/1 is a protected branch and is not deleted." in gone.stderr
    git("push", "--force", "origin", "HEAD:main", cwd=work)
