"""What actions of forges share: commits of a workspace over smart HTTP, look before making, and undo."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from factories.git_host import GitHost
from factories.other_system import Reply, other_system
from taxiway.model.errors import ConflictError, InputError, NotFoundError, TooLargeError
from taxiway.model.run import Created
from taxiway.plugin import ManualClock
from taxiway.plugin.forging.making import (
    PushedCommits,
    RepositoryState,
    check_repositories,
    make_once,
    repository_data,
    take_back_repositories,
)
from taxiway.plugin.forging.publishing import NewCommit, folder_changes, push_first, push_onto
from taxiway.plugin.forging.repo_urls import parse_repo_url
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.git_objects import checked_branch
from taxiway.plugin.outgoing import Hosts, Outgoing
from taxiway.plugin.testing.host import memory_host, step_context

CREDENTIAL = basic("x-access-token", "token-of-the-test")
AT = 1_700_000_000


@pytest.fixture
def git(tmp_path: Path) -> GitHost:
    host = GitHost(tmp_path / "hosted", {CREDENTIAL})
    host.create("acme/shop")
    return host


@pytest.fixture
def remote(git: GitHost) -> Iterator[GitRemote]:
    with other_system(lambda asked: git.answer(asked) or Reply(status=404)) as system:
        yield GitRemote(Outgoing(Hosts([system.host])), f"{system.url}/acme/shop.git", CREDENTIAL)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    for name, text in {"README.md": "hello\n", "src/run.sh": "#!/bin/sh\n", "build/x.o": "", ".git/config": ""}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "src/run.sh").chmod(0o755)
    (root / ".gitignore").write_text("build/\n")
    return root


def test_the_first_commit_is_pushed_once_however_often_the_step_is_done(
    git: GitHost, remote: GitRemote, workspace: Path
) -> None:
    new = NewCommit(folder_changes(step_context(workspace), None), "initial commit", ("Ann", "ann@example.com"))
    first = push_first(remote, "main", new, AT)
    assert push_first(remote, "main", new, AT) == first
    assert (git.heads("acme/shop"), git.pushes) == ({"main": first}, 1)
    assert git.files("acme/shop", "main") == {
        ".gitignore": "100644 build/",
        "README.md": "100644 hello",
        "src/run.sh": "100755 #!/bin/sh",
    }
    assert git.at("acme/shop", "log", "-1", "--format=%an <%ae> %at %s") == f"Ann <ann@example.com> {AT} initial commit"
    git.at("acme/shop", "fsck", "--strict")


def test_a_branch_with_other_commits_is_never_overwritten(git: GitHost, remote: GitRemote, workspace: Path) -> None:
    theirs = git.commit("acme/shop", "main", {"a": "theirs"})
    new = NewCommit(folder_changes(step_context(workspace), None), "initial commit")
    with pytest.raises(ConflictError, match="has commits already"):
        push_first(remote, "main", new, AT)
    assert git.heads("acme/shop") == {"main": theirs}


def test_changes_are_committed_on_top_of_a_branch_and_only_they(
    git: GitHost, remote: GitRemote, workspace: Path
) -> None:
    base = git.commit("acme/shop", "main", {"kept": "k", "gone": "g", "README.md": "old"})
    changes = folder_changes(step_context(workspace), "src", "bin", ["gone"])
    assert set(changes) == {"bin/run.sh", "bin/gone"}
    changes = folder_changes(step_context(workspace), None, None, ["gone"])
    made = push_onto(remote, "change", base, NewCommit(changes, "change"), AT, old=None)
    assert git.heads("acme/shop") == {"main": base, "change": made}
    assert set(git.files("acme/shop", made)) == {"kept", ".gitignore", "README.md", "src/run.sh"}
    assert git.at("acme/shop", "rev-parse", f"{made}^") == base
    git.at("acme/shop", "fsck", "--strict")
    assert push_onto(remote, "other", made, NewCommit(changes, "nothing"), AT, old=None) == made
    assert "other" not in git.heads("acme/shop")
    remote.delete("change", old=made)
    assert git.heads("acme/shop") == {"main": base}


def test_a_push_that_the_forge_refuses_says_why(git: GitHost, remote: GitRemote, workspace: Path) -> None:
    hook = git.root / "acme/shop.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ConflictError, match="pre-receive hook declined"):
        push_first(remote, "main", NewCommit(folder_changes(step_context(workspace), None), "m"), AT)


def test_a_wrong_credential_or_repository_is_told_apart(remote: GitRemote) -> None:
    with pytest.raises(InputError, match="credential was refused"):
        replace(remote, authorization=basic("x", "wrong-credential")).heads()
    with pytest.raises(NotFoundError):
        replace(remote, url=remote.url.replace("shop", "none")).heads()
    assert "token-of-the-test" not in repr(remote)


def test_branches_are_all_told_or_none(git: GitHost, remote: GitRemote, monkeypatch: pytest.MonkeyPatch) -> None:
    git.commit("acme/shop", "main", {"a": "a"})
    monkeypatch.setattr("taxiway.plugin.forging.smart_http.MOST_REFS", 1)
    with pytest.raises(TooLargeError, match="more than 1 branches"):
        remote.heads()


def test_paths_that_lead_out_are_refused(workspace: Path) -> None:
    ctx = step_context(workspace)
    for source, target, deleted in (("..", None, ()), (None, "../x", ()), (None, "/x", ()), (None, None, ["../x"])):
        with pytest.raises(InputError):
            folder_changes(ctx, source, target, deleted)
    for target in ("a\0b", "d/" * 300):
        with pytest.raises(InputError, match="no path in a repository: name it in UTF-8"):
            folder_changes(ctx, None, target)
    for aim in ("/etc/passwd", "/etc"):
        (workspace / "link").symlink_to(aim)
        with pytest.raises(InputError, match="may not hold links"):
            folder_changes(ctx, None)
        (workspace / "link").unlink()
    Path(os.fsdecode(os.fsencode(workspace) + b"/\xff")).touch()
    with pytest.raises(InputError, match="name it in UTF-8"):
        folder_changes(ctx, None)


def test_a_branch_has_a_name_that_git_takes(remote: GitRemote) -> None:
    assert [checked_branch(name) for name in ("main", "feature/x-1.2", "über#3+@")]
    bad = (
        "",
        "a b",
        "a..b",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a.",
        "a\n",
        "a\0report",
        "@",
        "a@{1",
        "-d",
        "a~1",
    )
    for name in bad:
        with pytest.raises(InputError, match="cannot name a branch"):
            remote.delete(name, old="0" * 40)


def test_a_repo_url_is_read_as_backstage_reads_it() -> None:
    found = parse_repo_url("GHE.example.com:8443?owner=%2Facme%2F&repo=shop", "owner", "repo")
    assert (found.host, found.owner, found.repo) == ("ghe.example.com:8443", "acme", "shop")
    assert str(parse_repo_url("dev.azure.com?organization=o&project=p&repo=r")) == "dev.azure.com/o/p/r"
    wrong = ["", "github.com?repo=shop", "github.com/acme/shop", "a b?owner=o&repo=r", "u:p@h?owner=o&repo=r"]
    out = ["h?owner=o&repo=..%2F..%2Fother%2Fr", "h?owner=o/./p&repo=r", "h?owner=o&repo=r&project=.."]
    for text in wrong + out:
        with pytest.raises(InputError, match="leads out" if text in out else "repoUrl"):
            parse_repo_url(text, "owner", "repo")


def test_what_a_killed_step_made_is_found_again_and_what_was_there_is_not_its_own(tmp_path: Path) -> None:
    made: list[tuple[str, str, Any]] = []
    ctx, there = step_context(tmp_path, made), dict[str, dict[str, Any]]()

    def once(name: str, *, dies: bool = False) -> Any:
        def make() -> dict[str, Any]:
            there[name] = {"id": len(there)}
            if dies:
                raise KeyboardInterrupt
            return there[name]

        return make_once(ctx, "hook", name, {"url": name}, find=lambda: there.get(name), make=make)

    with pytest.raises(KeyboardInterrupt):
        once("a", dies=True)
    assert (once("a").value, once("a").is_ours, len(there)) == ({"id": 0}, True, 1)
    there["b"] = {"id": 7}
    assert (once("b").value, once("b").is_ours) == ({"id": 7}, False)
    assert {name for _, name, _ in made} == {"a"}


@dataclass
class Hosted:
    """Repositories of a forge, and what was done to them."""

    states: dict[str, RepositoryState]
    done: list[str] = field(default_factory=list)

    def state(self, data: Any) -> RepositoryState | None:
        return self.states.get(data["name"])

    def archive(self, data: Any) -> None:
        self.done.append("archive")
        self.states[data["name"]] = replace(self.states[data["name"]], is_archived=True)

    def remove(self, data: Any) -> None:
        self.done.append("remove")
        del self.states[data["name"]]


def test_a_repository_is_archived_before_it_is_removed_unless_others_worked_in_it(tmp_path: Path) -> None:
    host = memory_host(tmp_path, "x")
    clock, pushed, ctx = ManualClock(AT * 1_000_000), PushedCommits(host.context.records), step_context(tmp_path)
    data = repository_data(clock, "h", "acme/shop")
    item = Created("repository", "h/acme/shop", data)
    made_at = datetime.fromtimestamp(AT, UTC).isoformat()

    def hosted(heads: dict[str, str], created_at: str = made_at) -> Hosted:
        return Hosted({"acme/shop": RepositoryState("acme/shop", created_at, heads)})

    pushed.note("h/acme/shop", "c1")
    foreign = hosted({"main": "c1", "work": "c2"})
    for attempt in (check_repositories, lambda *given: take_back_repositories(ctx, *given)):
        with pytest.raises(ConflictError, match="commits made since on work"):
            attempt(foreign, pushed, [item])
    assert not foreign.done
    older = hosted({"main": "c9"}, "2020-01-01T00:00:00Z")
    check_repositories(older, pushed, [item])
    take_back_repositories(ctx, older, pushed, [item])
    assert not older.done, "one that was there before is somebody else's"
    renamed = Hosted({"acme/shop": RepositoryState("acme/store", made_at, {"main": "c1"})})
    with pytest.raises(ConflictError, match="was renamed to acme/store"):
        take_back_repositories(ctx, renamed, pushed, [item])
    own = hosted({"main": "c1"})
    check_repositories(own, pushed, [item])
    take_back_repositories(ctx, own, pushed, [item])
    take_back_repositories(ctx, own, pushed, [item])
    assert own.done == ["archive", "remove"]
    assert not pushed.of("h/acme/shop")
