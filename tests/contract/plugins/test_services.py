"""The conformance of background services, on all that ship: they end when told to, and can start again."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from taxiway.core.context import Platform
from taxiway.core.plugins.host import plugin_context
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.delivery.contrib import FEATURE as DELIVERY
from taxiway.features.environments.contrib import FEATURE as ENVIRONMENTS
from taxiway.features.infrastructure.contrib import FEATURE as INFRASTRUCTURE
from taxiway.features.observability.contrib import FEATURE as OBSERVABILITY
from taxiway.plugin import BackgroundService, PluginContext
from taxiway.plugin.testing import BackgroundServiceConformance, memory_host
from taxiway.plugins.act.seed import FillSeed, Seed

FEATURES = (CATALOG, INFRASTRUCTURE, ENVIRONMENTS, DELIVERY, OBSERVABILITY)


class TestServicesOfPlugins(BackgroundServiceConformance):
    @pytest.fixture(params=["git_local", "postgres_local", "process", "process/jobs", "redis_local"])
    def context(self, request: pytest.FixtureRequest) -> Iterator[PluginContext]:
        # Below a folder that other users reach, as a data folder is.
        root = Path(tempfile.mkdtemp(prefix="taxiway-service-"))
        root.chmod(0o711)
        name = request.param.partition("/")[0]
        settings = import_module(f"taxiway.plugins.{name}").PLUGIN.settings()
        yield memory_host(root, name, settings).context
        shutil.rmtree(root)

    @pytest.fixture
    def service(self, context: PluginContext, request: pytest.FixtureRequest) -> BackgroundService:
        plugin = import_module(f"taxiway.plugins.{context.name}").PLUGIN
        found = [one for point, one in plugin.contribute(context) if point == "background_service"]
        service: BackgroundService = found[1 if "process/jobs" in request.node.name else 0]
        return service


class TestPrefetching(BackgroundServiceConformance):
    @pytest.fixture
    def service(self, context: PluginContext, tmp_path: Path) -> FillSeed:
        library = tmp_path / "library"
        skeleton = library / "golden-paths" / "one" / "skeleton"
        skeleton.mkdir(parents=True)
        (skeleton / "requirements.lock.txt").write_text("")
        return FillSeed(Seed(context.cache_dir / "seed", context.identity("pipelines"), library))


class TestServicesOfFeatures(BackgroundServiceConformance):
    @pytest.fixture
    def platform(self, make_platform: Callable[..., Platform]) -> Platform:
        platform = make_platform()
        for feature in FEATURES:
            if feature.register is not None:
                feature.register(platform)
        return platform

    @pytest.fixture
    def context(self, platform: Platform) -> PluginContext:
        return plugin_context(platform, "feature", None, platform.log)

    @pytest.fixture(params=["delivery.reconciler", "metrics_scraper"])
    def service(self, platform: Platform, request: pytest.FixtureRequest) -> BackgroundService:
        found: BackgroundService = platform.registry.get("background_service", request.param)
        return found
