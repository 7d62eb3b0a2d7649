"""The way from a push to the environment's repository on the embedded forge, pipeline engine and secret store."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from factories.delivery import RecordingDestination, RecordingDriver
from taxiway.api.platform import build_platform
from taxiway.core.context import Platform
from taxiway.core.plugins.loader import background_services
from taxiway.core.settings import load_settings
from taxiway.features.catalog import service as catalog
from taxiway.features.environments.service import deploy, views
from taxiway.model.run import ENDED
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, SourcedEntity
from taxiway.worker.main import Worker

from .conftest import SCORE, component

SHOP = "component:default/shop"
WORKFLOW = """
name: CI
on: {push: {branches: [main]}}
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: mkdir release && cp app release/
      - uses: actions/upload-artifact@v4
        with: {name: release, path: release/}
"""


@pytest.fixture
def platform() -> Iterator[Platform]:
    # The pipelines' user must be able to pass through the folder's parents, which pytest's own folders forbid.
    root = Path(tempfile.mkdtemp(prefix="taxiway-delivery-"))
    root.chmod(0o755)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    made = build_platform(load_settings({}, {"data": root / "data", "port": 0, "disabled_plugins": ["process"]}))
    there = {(item.point, item.key) for item in made.registry.contributions()}
    if ("pipeline_engine", "act") not in there or ("forge", "git_local") not in there:
        pytest.skip("the plugins act and git_local are not installed")
    made.registry.add("destination", RecordingDestination(), "test")
    if ("resource_driver", "postgres_local") not in there:
        made.registry.add("resource_driver", RecordingDriver(), "test")
    catalog.load_library(made)
    items = [SourcedEntity(component("shop"), "file:test")]
    made.store.write(lambda tx: catalog.apply_entities(tx, made.system("test"), items, "test", full=False))
    services = [s for s in background_services(made, structlog.get_logger) if s[0].key == "delivery.reconciler"]
    worker = Worker(made, services)
    worker.start()
    yield made
    worker.stop()
    made.stopping.set()
    made.store.close()
    shutil.rmtree(root, ignore_errors=True)


def test_a_real_push_becomes_a_release_that_is_deployed_by_git(platform: Platform) -> None:
    ctx = platform.system("test")
    forge: Forge = platform.registry.get("forge", "git_local")
    forge.create_repository("shop", description="", owner=None, default_branch="main", request_key="test")
    files = {".github/workflows/ci.yml": WORKFLOW, "score.yaml": without_database(SCORE), "app": "v1"}
    changes = {path: FileChange(text.encode()) for path, text in files.items()}
    sha = forge.commit("shop", "main", changes, message="first", author="user:default/dev")
    end = time.monotonic() + 40
    while not (rows := views.releases(ctx, SHOP, None, 1).items) and time.monotonic() < end:
        time.sleep(0.05)
    assert rows[0]["commit"] == sha
    assert platform.artifacts.path(rows[0]["digest"]).stat().st_size > 0
    run_id = deploy(ctx, SHOP, "staging", rows[0]["id"])["run_id"]
    while (run := platform.runs.get(run_id)).state not in ENDED and time.monotonic() < end:
        time.sleep(0.05)
    assert run.state == "succeeded", run.error
    raw = forge.read_file("env-staging", "main", "shop/manifests.yaml") or b""
    assert rows[0]["digest"].encode() in raw
    changed = {"shop/manifests.yaml": FileChange(raw.replace(b"value: info", b"value: debug"))}
    forge.commit("env-staging", "main", changed, message="by hand", author="user:default/dev")
    destination: RecordingDestination = platform.registry.get("destination", "process")
    end = time.monotonic() + 5
    while "'value': 'debug'" not in repr(destination.live("staging")):
        assert time.monotonic() < end
        time.sleep(0.02)


def without_database(text: str) -> str:
    """The Score file without what needs a database server."""
    return "\n".join(line for line in text.splitlines() if "resources.db" not in line and "db: {" not in line)
