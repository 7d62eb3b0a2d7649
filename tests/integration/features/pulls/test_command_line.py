"""The way of a change with git and the command line only: refused push, branch, pull request, review, merge."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from integration.features.pulls.conftest import Desk
from taxiway.cli.main import run


class Person:
    """Somebody at a terminal: `taxiway` with their token, and git with it as the password."""

    def __init__(self, desk: Desk, name: str, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self._token = desk.server.token(role, f"user:default/{name}")
        self._url, self._patch = desk.server.url, monkeypatch

    def taxiway(self, *arguments: str) -> int:
        self._patch.setenv("TAXIWAY_URL", self._url)
        self._patch.setenv("TAXIWAY_TOKEN", self._token)
        return run(["pulls", *arguments])

    def git(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
        words = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *arguments]
        return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)

    def clone_url(self, name: str) -> str:
        return self._url.replace("://", f"://x:{self._token}@") + f"/git/{name}.git"


def test_a_change_goes_from_a_refused_push_to_a_merge(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = desk.make()
    ann, bob = (Person(desk, who, "developer", monkeypatch) for who in ("ann", "bob"))
    boss = Person(desk, "boss", "platform", monkeypatch)
    assert boss.taxiway("protect", name, "main", "--approvals", "1", "--method", "squash") == 0
    ann.git("clone", "--quiet", ann.clone_url(name), "work", cwd=tmp_path)
    work = tmp_path / "work"
    (work / "a").write_text("1\n2\n3\n4\n")
    ann.git("commit", "--quiet", "-am", "Add four", cwd=work)
    refused = ann.git("push", "origin", "main", cwd=work)
    assert refused.returncode != 0
    assert "remote: Taxiway: main is a protected branch, which changes through pull requests only." in refused.stderr
    assert ann.git("push", "origin", "HEAD:my-change", cwd=work).returncode == 0
    capsys.readouterr()
    assert ann.taxiway("create", name, "--head", "my-change", "--base", "main") == 0
    pull = capsys.readouterr().out.strip()
    assert pull == f"{name}#1"
    assert ann.taxiway("list", name) == 0
    assert "Add four" in capsys.readouterr().out
    assert ann.taxiway("diff", pull) == 0
    assert "+4\n" in capsys.readouterr().out
    assert ann.taxiway("merge", pull) == 6
    assert "0 of 1 approvals: ask for a review" in capsys.readouterr().err
    assert bob.taxiway("review", pull, "--approve") == 0
    assert ann.taxiway("get", pull) == 0
    assert "clean" in capsys.readouterr().out
    assert ann.taxiway("merge", pull, "--delete-branch") == 0
    assert "Add four: merged into main as" in capsys.readouterr().err
    assert ann.git("pull", "--quiet", "--rebase", "origin", "main", cwd=work).returncode == 0
    assert ann.git("ls-remote", "--heads", "origin", cwd=work).stdout.count("refs/heads/") == 1
    assert ann.taxiway("get", "nonsense") == 2
    assert boss.taxiway("unprotect", name, "main") == 0
    assert boss.taxiway("unprotect", name, "main") == 1
