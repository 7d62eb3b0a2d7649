"""Bare repositories served over smart HTTP by git itself, for fakes of forges: the push and the fetch are real ones."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from factories.other_system import Asked, Reply

DATES = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2024-01-01T00:00:00Z")
"""So that what somebody commits by hand is the same commit each time."""
CONFIG = "[http]\nreceivepack = true\n[uploadpack]\nallowFilter = true\nallowAnySHA1InWant = true\n"
SERVICES = ("git-upload-pack", "git-receive-pack")


@dataclass
class GitHost:
    """Repositories below `root`, by full name. Requests whose `authorization` is none of `accepts` get a 401."""

    root: Path
    accepts: set[str] = field(default_factory=set)
    pushes: int = 0

    def create(self, name: str, branch: str = "main") -> Path:
        model = self.root.parent / f"{self.root.name}-{branch}"
        if not model.is_dir():
            self.git("init", "-q", "--bare", "--template=", f"--initial-branch={branch}", str(model))
            (model / "hooks").mkdir()
            with (model / "config").open("a") as config:
                config.write(CONFIG)
        folder = self.root / f"{name}.git"
        shutil.copytree(model, folder, dirs_exist_ok=True)
        return folder

    def git(self, *arguments: str, given: bytes = b"", env: dict[str, str] | None = None) -> str:
        command = ["git", "-c", "safe.directory=*", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, env={**os.environ, **DATES, **(env or {})})
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="replace").strip()

    def at(self, name: str, *arguments: str, given: bytes = b"", env: dict[str, str] | None = None) -> str:
        """git in a repository."""
        return self.git("-C", str(self.root / f"{name}.git"), *arguments, given=given, env=env)

    def heads(self, name: str) -> dict[str, str]:
        # As git keeps what is pushed, until somebody packs it: reading that is cheaper than asking git.
        folder = self.root / f"{name}.git" / "refs" / "heads"
        found = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_text().strip() for path in found}

    def trees(self, name: str) -> dict[str, str]:
        """Branch → what it holds."""
        lines = self.at(name, "for-each-ref", "--format=%(refname:short) %(tree)", "refs/heads").splitlines()
        return {line.split(" ")[0]: line.split(" ")[1] for line in lines}

    def files(self, name: str, ref: str) -> dict[str, str]:
        """Path → mode and content."""
        rows = (row.split(None, 3) for row in self.at(name, "ls-tree", "-r", ref).splitlines())
        return {path: f"{mode} {self.at(name, 'show', sha)}" for mode, _, sha, path in rows}

    def commit(self, name: str, branch: str, files: dict[str, str], message: str = "by hand") -> str:
        """A commit by somebody else, of just these files."""
        lines = []
        for path, text in files.items():
            sha = self.at(name, "hash-object", "-w", "--stdin", given=text.encode())
            lines.append(f"100644 blob {sha}\t{path}")
        tree = self.at(name, "mktree", given=("\n".join(lines) + "\n").encode())
        parent = self.heads(name).get(branch)
        who = ["-c", "user.name=Kim", "-c", "user.email=kim@example.com"]
        sha = self.at(name, *who, "commit-tree", tree, *(["-p", parent] if parent else []), "-m", message)
        self.at(name, "update-ref", f"refs/heads/{branch}", sha)
        return sha

    def answer(self, asked: Asked) -> Reply | None:
        """The answer to a request of git; None when it is another one."""
        parts = urlsplit(asked.path)
        name, dot, rest = parts.path.lstrip("/").partition(".git/")
        if not dot:
            return None
        service = parse_qs(parts.query).get("service", [rest])[0]
        if service not in SERVICES or not (self.root / f"{name}.git").is_dir():
            return Reply(status=404)
        if asked.headers.get("authorization") not in self.accepts:
            return Reply(status=401)
        command = ["git", "-c", "safe.directory=*", service.removeprefix("git-"), "--stateless-rpc"]
        folder = str(self.root / f"{name}.git")
        if rest == "info/refs":
            done = subprocess.run([*command, "--advertise-refs", folder], capture_output=True)
            head = f"# service={service}\n"
            return Reply(f"{len(head) + 4:04x}{head}0000".encode() + done.stdout)
        self.pushes += service == "git-receive-pack"
        body = gzip.decompress(asked.body) if asked.headers.get("content-encoding") == "gzip" else asked.body
        return Reply(subprocess.run([*command, folder], input=body, capture_output=True).stdout)
