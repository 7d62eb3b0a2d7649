"""Repositories of the built-in forge: bare repositories on disk, their records, refs and pushes in the store.

The bare repository is the truth about refs; a ref's record remembers up to which commit its pushes were announced. A
push is announced first and recorded second, so that a crash in between announces it again rather than never:
subscribers of `dev.taxiway.repository.pushed.v1` are idempotent.
"""

from __future__ import annotations

import re
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from taxiway.model.errors import ConflictError, InputError, NotFoundError, TooLargeError
from taxiway.model.event import EventDraft
from taxiway.model.workload import FileChange, Repository
from taxiway.plugin import MICROSECONDS, PluginContext, Record
from taxiway.plugin.git_objects import build_tree
from taxiway.plugins.git_local.command import run_git
from taxiway.plugins.git_local.measuring import MOST_ENTRIES, MOST_FILES, is_within, too_much
from taxiway.plugins.git_local.objects import (
    ZERO,
    clear_left_locks,
    commit_rows,
    move_ref,
    open_repo,
    write_commit,
)
from taxiway.plugins.git_local.rules import RuleBook

NAME = re.compile(r"^[a-z0-9][a-z0-9._-]{0,98}[a-z0-9]$|^[a-z0-9]$")
SHA = re.compile(r"^[0-9a-f]{40}$")


def check_branch(name: str) -> None:
    """InputError when `name` cannot name a branch."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", name) or ".." in name or name.endswith((".lock", "/")):
        raise InputError(f"'{name}' cannot name a branch", code="repositories.bad_branch")


class LocalForge:
    """The `Forge` of this host. One process of an installation owns the folder."""

    key = "git_local"

    def __init__(self, ctx: PluginContext, max_push_bytes: int) -> None:
        self._ctx = ctx
        self._root = ctx.data_dir / "repositories"
        self._root.mkdir(parents=True, exist_ok=True)
        self._max_push_bytes = max_push_bytes
        self._locks: dict[str, threading.RLock] = {}
        self._guard = threading.Lock()
        self.rules = RuleBook(ctx)

    def create_repository(
        self, name: str, *, description: str, owner: str | None, default_branch: str, request_key: str
    ) -> Repository:
        if not NAME.match(name) or name.endswith(".git") or ".." in name:
            raise InputError(
                f"'{name}' cannot name a repository: use 1 to 100 lower-case letters, digits, '-', '_' and '.'",
                code="repositories.bad_name",
            )
        check_branch(default_branch)
        with self.locked(name):
            record = self._ctx.records.get(f"repository/{name}")
            if record is None:
                value = {
                    "uid": self._ctx.new_id(),
                    "name": name,
                    "description": description,
                    "owner": owner,
                    "default_branch": default_branch,
                    "archived": False,
                    "request_key": request_key,
                    "created_at": self._ctx.clock.now(),
                    "announced": False,
                }
                record = self._ctx.records.put(f"repository/{name}", value, expect=0)
            elif record.value["request_key"] != request_key:
                raise ConflictError(
                    f"a repository '{name}' exists already: choose another name", code="repositories.name_taken"
                )
            self._ensure_on_disk(record.value)
            if not record.value["announced"]:
                self._ctx.emit(
                    EventDraft(
                        "dev.cdevents.repository.created.0.3.0",
                        f"repository:{name}",
                        {"repository": name, "owner": owner, "url": self._clone_url(name)},
                        subject_uid=record.value["uid"],
                    )
                )
                record = self._ctx.records.put(f"repository/{name}", {**record.value, "announced": True})
            return self._repository(record.value)

    def get_repository(self, name: str) -> Repository | None:
        record = self._ctx.records.get(f"repository/{name}")
        return None if record is None else self._repository(record.value)

    def list_repositories(self, after: str = "", limit: int = 100) -> Sequence[Repository]:
        start = f"repository/{after}" if after else ""
        return [self._repository(r.value) for r in self._ctx.records.list("repository/", start, limit)]

    def delete_repository(self, name: str, *, archive: bool) -> None:
        with self.locked(name):
            record = self._ctx.records.get(f"repository/{name}")
            if record is None:
                return
            if archive:
                self._ctx.records.put(f"repository/{name}", {**record.value, "archived": True})
                return
            uid = record.value["uid"]
            shutil.rmtree(self._root / f"{uid}.git", ignore_errors=True)
            for prefix in (f"ref/{uid}/", f"push/{uid}/"):
                while rows := self._ctx.records.list(prefix):
                    for row in rows:
                        self._ctx.records.delete(row.key)
            self.rules.forget(uid)
            self._ctx.emit(
                EventDraft(
                    "dev.cdevents.repository.deleted.0.3.0",
                    f"repository:{name}",
                    {"repository": name},
                    subject_uid=uid,
                )
            )
            self._ctx.records.delete(f"repository/{name}")

    def resolve(self, name: str, ref: str) -> str | None:
        with open_repo(self.path(name)) as repo:
            for candidate in (ref, f"refs/heads/{ref}", f"refs/tags/{ref}"):
                if candidate.startswith("refs/") or candidate == "HEAD":
                    sha = repo.refs.follow(candidate.encode())[1]
                    if sha is not None:
                        return _peel(repo, sha)
            return ref if SHA.match(ref) and ref.encode() in repo.object_store else None

    def read_file(self, name: str, ref: str, path: str, limit: int = 1_000_000) -> bytes | None:
        with open_repo(self.path(name)) as repo:
            sha = self.resolve(name, ref)
            if sha is None:
                return None
            try:
                _mode, blob = repo[repo[sha.encode()].tree].lookup_path(repo.__getitem__, path.strip("/").encode())
            except KeyError:
                return None
            content = repo[blob]
            if content.type_name != b"blob":
                return None
            if content.raw_length() > limit:
                raise TooLargeError(f"{path} in {name} is larger than {limit} bytes")
            return bytes(content.data)

    def list_files(self, name: str, ref: str, prefix: str = "") -> Sequence[str]:
        sha = self.resolve(name, ref)
        if sha is None:
            return []
        with open_repo(self.path(name)) as repo:
            entries = repo.object_store.iter_tree_contents(repo[sha.encode()].tree, include_trees=True)
            found = list(islice(entries, MOST_ENTRIES + 1))
        paths = [entry.path.decode(errors="replace") for entry in found if not stat.S_ISDIR(entry.mode)]
        if len(found) > MOST_ENTRIES or len(paths) > MOST_FILES:
            raise too_much(name)
        return [path for path in paths if path.startswith(prefix)]

    def commit(
        self,
        name: str,
        branch: str,
        changes: Mapping[str, FileChange],
        *,
        message: str,
        author: str,
        expect: str | None = None,
    ) -> str:
        with self.locked(name):
            self._writable(name)
            ref = f"refs/heads/{branch}".encode()
            with open_repo(self.path(name)) as repo:
                head = repo.refs.follow(ref)[1]
                if expect is not None and (head or b"").decode() != expect:
                    raise ConflictError(
                        f"{name} moved on since {expect[:12]}: read it again", code="repositories.moved"
                    )
                if head is not None:
                    self.rules.check_write(self.uid(name), branch)
                old = repo[head].tree if head else None
                tree = build_tree(repo.object_store, old, changes)
                if head and tree == old:
                    return str(head.decode())
                at = self._ctx.clock.now() // MICROSECONDS
                sha = write_commit(repo, tree, head, message, author, at)
                if not move_ref(repo, ref, head, sha):
                    raise ConflictError(
                        f"{name} was pushed to at the same moment: try again", code="repositories.moved"
                    )
            self.announce(name, author)
            return str(sha.decode())

    def export(self, name: str, ref: str, folder: Path) -> str:
        sha = self.resolve(name, ref)
        if sha is None:
            raise NotFoundError(f"{name} has no '{ref}'")
        if not is_within(self.path(name), sha):
            raise too_much(name)
        branch = ref if not SHA.match(ref) else self._repository(self._record(name).value).default_branch
        folder.mkdir(parents=True, exist_ok=True)
        run_git(["init", "--quiet", "--template=", f"--initial-branch={branch}", "."], folder)
        run_git(["fetch", "--quiet", "--depth=1", f"file://{self.path(name)}", sha], folder)
        run_git(["reset", "--quiet", "--hard", sha], folder)
        return sha

    def log(self, name: str, ref: str, limit: int = 50) -> Sequence[Mapping[str, Any]]:
        sha = self.resolve(name, ref)
        if sha is None:
            return []
        with open_repo(self.path(name)) as repo:
            return commit_rows(repo, sha, limit)

    def path(self, name: str) -> Path:
        """The bare repository's folder. NotFoundError when there is no such repository."""
        return self._root / f"{self._record(name).value['uid']}.git"

    def uid(self, name: str) -> str:
        """What never changes about a repository. NotFoundError when there is no such repository."""
        return str(self._record(name).value["uid"])

    def branches(self, name: str) -> Sequence[str]:
        """Names of all branches."""
        with open_repo(self.path(name)) as repo:
            return sorted(ref.decode(errors="surrogateescape") for ref in repo.refs.keys(base=b"refs/heads/"))

    def owner(self, name: str) -> str | None:
        """The owning entity reference. NotFoundError when there is no such repository."""
        owner = self._record(name).value["owner"]
        return None if owner is None else str(owner)

    def announce(self, name: str, pusher: str) -> None:
        """Tell of every ref that moved since it was last announced. Called after each push, and once at the start."""
        with self.locked(name):
            value = self._record(name).value
            uid = value["uid"]
            known = {r.key.removeprefix(f"ref/{uid}/"): r for r in self._ctx.records.list(f"ref/{uid}/", limit=10_000)}
            with open_repo(self._root / f"{uid}.git") as repo:
                actual = {k.decode(): v.decode() for k, v in repo.refs.as_dict().items() if k.startswith(b"refs/")}
            for ref in sorted(set(known) | set(actual)):
                before = known[ref].value["sha"] if ref in known else ZERO
                after = actual.get(ref, ZERO)
                if before != after:
                    self._announce_ref(value, ref, before, after, pusher, known.get(ref))

    def announce_all(self) -> None:
        """Catch up after a crash."""
        for repository in self.list_repositories(limit=100_000):
            if (self._root / f"{repository.uid}.git").is_dir():
                self.announce(repository.name, "system:git_local")
        self.rules.announce_all()

    def writable_path(self, name: str) -> Path:
        """The bare repository's folder for a push; ConflictError when it is archived. Git itself locks refs."""
        self._writable(name)
        path = self.path(name)
        clear_left_locks(path)
        return path

    def _announce_ref(
        self, value: Mapping[str, Any], ref: str, before: str, after: str, pusher: str, known: Record | None
    ) -> None:
        name, uid = value["name"], value["uid"]
        data = {
            "repository": name,
            "ref": ref,
            "before": before,
            "after": after,
            "default_branch": value["default_branch"],
            "pusher": pusher,
        }
        self._ctx.emit(EventDraft("dev.taxiway.repository.pushed.v1", f"repository:{name}", data, subject_uid=uid))
        self._ctx.records.put(f"push/{uid}/{self._ctx.new_id()}", {**data, "at": self._ctx.clock.now()}, expect=0)
        if after == ZERO:
            self._ctx.records.delete(f"ref/{uid}/{ref}")
        else:
            self._ctx.records.put(f"ref/{uid}/{ref}", {"sha": after}, expect=known.version if known else 0)

    def _ensure_on_disk(self, value: Mapping[str, Any]) -> None:
        path = self._root / f"{value['uid']}.git"
        if (path / "HEAD").is_file() and (path / "taxiway-ready").is_file():
            return
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(mode=0o700)
        run_git(["init", "--quiet", "--bare", "--template=", f"--initial-branch={value['default_branch']}"], path)
        for key, setting in {
            "receive.fsckObjects": "true",
            "receive.autogc": "false",
            "receive.maxInputSize": str(self._max_push_bytes),
            "uploadpack.allowAnySHA1InWant": "true",
            "uploadpack.allowFilter": "true",
            "core.hooksPath": "/dev/null",
        }.items():
            run_git(["config", key, setting], path)
        (path / "taxiway-ready").touch()

    def _writable(self, name: str) -> None:
        if self._record(name).value["archived"]:
            raise ConflictError(f"the repository '{name}' is archived and read-only", code="repositories.archived")

    def _record(self, name: str) -> Record:
        record = self._ctx.records.get(f"repository/{name}")
        if record is None:
            raise NotFoundError(f"there is no repository '{name}'", code="repositories.not_found")
        return record

    def _clone_url(self, name: str) -> str:
        return f"{self._ctx.public_url.rstrip('/')}/git/{name}.git"

    def _repository(self, value: Mapping[str, Any]) -> Repository:
        ref = self._ctx.records.get(f"ref/{value['uid']}/refs/heads/{value['default_branch']}")
        return Repository(
            uid=value["uid"],
            name=value["name"],
            clone_url=self._clone_url(value["name"]),
            default_branch=value["default_branch"],
            description=value["description"],
            owner=value["owner"],
            archived=value["archived"],
            head=ref.value["sha"] if ref else None,
        )

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """One writer of a repository at a time, in this process."""
        with self._guard:
            lock = self._locks.setdefault(name, threading.RLock())
        with lock:
            yield


def _peel(repo: Any, sha: bytes) -> str:
    while repo[sha].type_name == b"tag":
        sha = repo[sha].object[1]
    return str(sha.decode())
