"""Small real parts for tests of environments and delivery: a forge in dicts, a destination and a driver that keep what
they were told, a pipeline engine that answers from the repository's own files."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import ConflictError, NotFoundError, UnavailableError
from taxiway.model.workload import (
    FileChange,
    LogLine,
    ObjectKey,
    ObjectStatus,
    Repository,
    ResourceRequest,
    ResourceResult,
    Target,
    WorkloadStatus,
    object_key,
)
from taxiway.plugin import PipelineJob, PipelineRequest, PipelineResult, StepContext


class DictForge:
    """A forge whose commits are whole trees in memory."""

    key = "dict"

    def __init__(self) -> None:
        self.repositories: dict[str, dict[str, Any]] = {}
        self.trees: dict[str, dict[str, bytes]] = {}
        self.lock = threading.RLock()
        self.on_push: Callable[[str, str], None] = lambda name, sha: None

    def create_repository(
        self, name: str, *, description: str, owner: str | None, default_branch: str, request_key: str
    ) -> Repository:
        with self.lock:
            there = self.repositories.get(name)
            if there is not None and there["request_key"] != request_key:
                raise ConflictError(f"{name} exists already")
            if there is None:
                self.repositories[name] = {
                    "uid": f"uid-{name}-{len(self.trees)}",
                    "owner": owner,
                    "branch": default_branch,
                    "request_key": request_key,
                    "commits": [],
                }
            return self._repository(name)

    def _repository(self, name: str) -> Repository:
        item = self.repositories[name]
        head = item["commits"][-1] if item["commits"] else None
        return Repository(item["uid"], name, f"http://forge/{name}.git", item["branch"], owner=item["owner"], head=head)

    def get_repository(self, name: str) -> Repository | None:
        return self._repository(name) if name in self.repositories else None

    def list_repositories(self, after: str = "", limit: int = 100) -> Sequence[Repository]:
        return [self._repository(name) for name in sorted(self.repositories) if name > after][:limit]

    def delete_repository(self, name: str, *, archive: bool) -> None:
        self.repositories.pop(name, None)

    def resolve(self, name: str, ref: str) -> str | None:
        item = self.repositories.get(name)
        if item is None:
            raise NotFoundError(f"no {name}")
        if ref in item["commits"]:
            return ref
        return item["commits"][-1] if item["commits"] and ref == item["branch"] else None

    def read_file(self, name: str, ref: str, path: str, limit: int = 1_000_000) -> bytes | None:
        sha = self.resolve(name, ref)
        return self.trees[sha].get(path) if sha else None

    def list_files(self, name: str, ref: str, prefix: str = "") -> Sequence[str]:
        sha = self.resolve(name, ref)
        return sorted(path for path in (self.trees[sha] if sha else {}) if path.startswith(prefix))

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
        with self.lock:
            item = self.repositories[name]
            head = item["commits"][-1] if item["commits"] else None
            if expect is not None and expect != head:
                raise ConflictError("the branch moved")
            tree = dict(self.trees[head]) if head else {}
            for path, change in changes.items():
                if change.content is None:
                    tree.pop(path, None)
                else:
                    tree[path] = change.content
            if head and tree == self.trees[head]:
                return head
            seed = repr((name, len(item["commits"]), sorted(tree.items()), message))
            sha = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
            self.trees[sha] = tree
            item["commits"].append(sha)
        self.on_push(name, sha)
        return sha

    def export(self, name: str, ref: str, folder: Path) -> str:
        sha = self.resolve(name, ref)
        assert sha is not None
        assert not list(folder.iterdir())
        for path, content in self.trees[sha].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return sha

    def log(self, name: str, ref: str, limit: int = 50) -> Sequence[Mapping[str, Any]]:
        return [{"sha": sha} for sha in reversed(self.repositories[name]["commits"])][:limit]


class RecordingDestination:
    """A destination in memory. `unhealthy` holds texts; an object that contains one of them gets `bad_health`."""

    key = "process"

    def __init__(self) -> None:
        self.objects: dict[tuple[str, ObjectKey], Any] = {}
        self.unhealthy: set[str] = set()
        self.bad_health = "degraded"
        self.applied: list[ObjectKey] = []
        self.pruned: list[ObjectKey] = []
        self.active = 0
        self.most_active = 0

    def apply(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        for item in objects:
            key = object_key(item)
            if self.objects.get((target.environment, key)) != item:
                self.objects[target.environment, key] = item
                self.applied.append(key)
        self.active -= 1
        return self.observe(target, objects)

    def observe(self, target: Target, objects: Sequence[Any]) -> Sequence[ObjectStatus]:
        result = []
        for item in objects:
            key = object_key(item)
            there = self.objects.get((target.environment, key))
            bad = any(text in repr(item) for text in self.unhealthy) and item["kind"] == "Deployment"
            health = "missing" if there is None else self.bad_health if bad else "healthy"
            url = f"http://{item['spec']['hostnames'][0]}:8000" if item["kind"] == "HTTPRoute" else None
            message = "it exits with 1" if bad else ""
            result.append(ObjectStatus(key, there == item, health, message, url))
        return result

    def prune(self, target: Target, keys: Sequence[ObjectKey]) -> None:
        for key in keys:
            self.objects.pop((target.environment, key), None)
            self.pruned.append(key)

    def workloads(self, environment: str | None = None, service: str | None = None) -> Sequence[WorkloadStatus]:
        return [
            WorkloadStatus(f"{env}/{key.name}", key.name, env, key.name, "running", True, "1")
            for (env, key) in self.objects
            if key.kind == "Deployment" and environment in (None, env) and service in (None, key.name)
        ]

    def logs(self, workload_id: str, after: int, limit: int) -> Sequence[LogLine]:
        return [LogLine(n, None, "stdout", f"line {n}") for n in range(after + 1, 4)][:limit]

    def live(self, environment: str, kind: str = "Deployment") -> list[Any]:
        return [item for (env, key), item in self.objects.items() if env == environment and key.kind == kind]


class RecordingDriver:
    """Keeps databases in a dict by uid."""

    def __init__(self, key: str = "postgres_local") -> None:
        self.key = key
        self.there: dict[str, str] = {}
        self.calls = 0
        self.fail_with: Exception | None = None
        self.held: str | None = None

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None:
        return self.held if self.there else None

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        self.calls += 1
        if self.fail_with is not None:
            raise self.fail_with
        password = self.there.setdefault(request.uid, f"password-of-{request.uid}")
        return ResourceResult(
            outputs={"host": "127.0.0.1", "port": 5432, "name": f"db_{request.service}", "username": "app"},
            secrets={"password": password},
            inventory=[{"kind": "database", "uid": request.uid}],
        )

    def rotate(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        self.there[request.uid] += "-and-another"
        return self.provision(ctx, request)

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        for item in inventory:
            self.there.pop(item["uid"], None)


class ScriptedEngine:
    """A pipeline engine: the workflow's text says how it ends; its artefact `release` holds the commit's file `app`."""

    key = "scripted"

    def __init__(self) -> None:
        self.calls = 0

    def workflows(self, files: Mapping[str, bytes], branch: str) -> Sequence[str]:
        return sorted(files) if branch == "main" else []

    def run(self, ctx: StepContext, request: PipelineRequest, on_jobs: Callable[..., None]) -> PipelineResult:
        self.calls += 1
        text = (request.folder / request.workflow).read_text()
        is_green = "fail" not in text
        on_jobs([PipelineJob("build", "build", "running"), PipelineJob("later", "later", "pending")])
        if "no host" in text:
            raise UnavailableError("this host cannot run pipelines")
        job = PipelineJob(
            "build", "build", "succeeded" if is_green else "failed", reason="" if is_green else "tests fail"
        )
        if not is_green:
            return PipelineResult("failed", [job], reason="job build failed")
        folder = ctx.workspace / "artifacts" / "release"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(request.folder / "app", folder / "app")
        return PipelineResult("succeeded", [job], {"release": folder})
