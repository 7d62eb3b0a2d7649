"""A platform with catalog, environments and delivery on small real parts, and a worker that works."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from factories.delivery import DictForge, RecordingDestination, RecordingDriver, ScriptedEngine
from factories.host import FolderArtifacts
from factories.platform import build_platform, principal
from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.delivery.contrib import FEATURE as DELIVERY
from taxiway.features.environments.contrib import FEATURE as ENVIRONMENTS
from taxiway.features.infrastructure.contrib import FEATURE as INFRASTRUCTURE
from taxiway.model.event import EventDraft
from taxiway.model.run import ENDED, Run
from taxiway.model.workload import FileChange
from taxiway.plugin import SourcedEntity
from taxiway.worker.main import Worker

SCORE = """
apiVersion: score.dev/v1b1
metadata:
  name: shop
service:
  ports:
    http: {port: 8080}
containers:
  main:
    image: .
    command: [shop]
    variables:
      LOG_LEVEL: ${resources.env.LOG_LEVEL}
      DATABASE_HOST: ${resources.db.host}
      DATABASE_PASSWORD: ${resources.db.password}
      DATABASE_URL: postgres://${resources.db.username}:${resources.db.password}@${resources.db.host}/${resources.db.name}
    readinessProbe: {httpGet: {path: /readyz, port: 8080}}
resources:
  env: {type: environment}
  db: {type: postgres}
  route: {type: route, params: {path: /, port: 8080}}
"""


def component(name: str, repository: str | None = None) -> dict[str, Any]:
    annotations = {"taxiway.dev/repository": repository or name}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"type": "service", "lifecycle": "production", "owner": "group:default/shop-team"},
    }


@dataclass
class World:
    """The platform with its parts. `push` commits to a repository as a user would; `wait` follows a run to its end."""

    platform: Platform
    forge: DictForge
    destination: RecordingDestination
    database: RecordingDriver
    engine: ScriptedEngine
    ctx: OpContext = field(init=False)
    worker: Worker | None = None

    def __post_init__(self) -> None:
        dev = principal("dev", "developer", owns=frozenset({"group:default/shop-team"}))
        self.ctx = OpContext(self.platform, dev, "test")

    def start(self) -> None:
        reconciler: Any = self.platform.registry.get("background_service", "delivery.reconciler")
        self.worker = Worker(self.platform, [(reconciler, None)])
        self.worker.start()

    def stop(self) -> None:
        if self.worker is not None:
            self.worker.stop()
        self.worker = None

    def register(self, *documents: dict[str, Any], source: str = "test") -> None:
        items = [SourcedEntity(document, "file:test") for document in documents]
        ctx = self.platform.system("test")
        result = self.platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, items, source, full=False))
        assert not result.problems, result.problems

    def push(self, name: str, workflow: str = "ok", app: str = "v1", score: str = SCORE) -> str:
        files = {".github/workflows/ci.yml": workflow, "score.yaml": score, "app": app}
        self.forge.create_repository(
            name, description="", owner="group:default/shop-team", default_branch="main", request_key=name
        )
        changes = {path: FileChange(text.encode()) for path, text in files.items()}
        return self.forge.commit(name, "main", changes, message=app, author="dev")

    def announce(self, name: str, sha: str) -> None:
        data = {
            "repository": name,
            "ref": "refs/heads/main",
            "before": "0" * 40,
            "after": sha,
            "default_branch": "main",
            "pusher": "user:default/dev",
        }
        draft = EventDraft("dev.taxiway.repository.pushed.v1", f"repository:{name}", data)
        self.platform.store.write(lambda tx: self.platform.system("forge").emit(tx, draft))

    def wait(self, run_id: str, seconds: float = 20) -> Run:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = self.platform.runs.get(run_id)
            if run.state in ENDED or run.state == "needs_attention":
                return run
            time.sleep(0.03)
        raise AssertionError(f"the run is still {run.state}: {[(s.id, s.state, s.error) for s in run.steps]}")

    def until(self, check: Callable[[], Any], seconds: float = 10) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := check():
                return found
            time.sleep(0.03)
        raise AssertionError("it did not come about")

    def events(self, prefix: str) -> list[Any]:
        from sqlalchemy import select

        from taxiway.core.store.tables import event

        with self.platform.store.read() as conn:
            rows = conn.execute(select(event).where(event.c.type.startswith(prefix)).order_by(event.c.at)).mappings()
            return [dict(row) for row in rows]


def make_world(folder: Path, url: str | None = None) -> World:
    platform = build_platform(folder / "data", url=url, engines={"pipeline_uid": os.geteuid()})
    platform.artifacts = FolderArtifacts(folder / "artifacts")
    parts = DictForge(), RecordingDestination(), RecordingDriver(), ScriptedEngine()
    for feature in (CATALOG, INFRASTRUCTURE, ENVIRONMENTS, DELIVERY):
        platform.permissions.update(feature.permissions)
        feature.register(platform)
    for point, value in zip(("forge", "destination", "resource_driver", "pipeline_engine"), parts, strict=True):
        platform.registry.add(point, value, "test")
    catalog.load_library(platform)
    made = World(platform, *parts)
    made.register(component("shop"))
    return made


def close_world(made: World) -> None:
    made.stop()
    made.platform.stopping.set()
    made.platform.store.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    close_world(made)


@pytest.fixture
def world_on_both(tmp_path: Path, database_url: str) -> Iterator[World]:
    """On SQLite and on PostgreSQL."""
    made = make_world(tmp_path, database_url)
    yield made
    close_world(made)
