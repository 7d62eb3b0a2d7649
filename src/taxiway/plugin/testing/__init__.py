"""Conformance tests of the plugin contract: inherit the class of a point, give it a factory fixture, run pytest.

    class TestMyStore(SecretStoreConformance):
        @pytest.fixture
        def store(self, tmp_path): return MyStore(tmp_path)

A plugin that passes behaves as the host expects. These classes need pytest and nothing of the host.
"""

from __future__ import annotations

from taxiway.plugin.testing.checks import (
    ActionConformance,
    DestinationConformance,
    MetricSourceConformance,
    PlanCheckConformance,
    PluginConformance,
    ResourceDriverConformance,
    SearchSourceConformance,
)
from taxiway.plugin.testing.displays import misfit
from taxiway.plugin.testing.faces import (
    MountedRoutesConformance,
    PluginOperationConformance,
    PortalCardConformance,
    PortalPageConformance,
)
from taxiway.plugin.testing.host import MemoryHost, MemoryRecords, MemorySecrets, memory_host, step_context
from taxiway.plugin.testing.pulls import PullHostConformance
from taxiway.plugin.testing.repositories import RepositorySourceConformance
from taxiway.plugin.testing.sources import AutocompleterConformance, EntitySourceConformance, UrlReaderConformance
from taxiway.plugin.testing.stores import ForgeConformance, RecordsConformance, SecretStoreConformance
from taxiway.plugin.testing.working import (
    BackgroundServiceConformance,
    EventSubscriberConformance,
    EventTypeConformance,
    HostEngineConformance,
    JobRunnerConformance,
    PipelineEngineConformance,
)

__all__ = [
    "ActionConformance",
    "AutocompleterConformance",
    "BackgroundServiceConformance",
    "DestinationConformance",
    "EntitySourceConformance",
    "EventSubscriberConformance",
    "EventTypeConformance",
    "ForgeConformance",
    "HostEngineConformance",
    "JobRunnerConformance",
    "MemoryHost",
    "MemoryRecords",
    "MemorySecrets",
    "MetricSourceConformance",
    "MountedRoutesConformance",
    "PipelineEngineConformance",
    "PlanCheckConformance",
    "PluginConformance",
    "PluginOperationConformance",
    "PortalCardConformance",
    "PortalPageConformance",
    "PullHostConformance",
    "RecordsConformance",
    "RepositorySourceConformance",
    "ResourceDriverConformance",
    "SearchSourceConformance",
    "SecretStoreConformance",
    "UrlReaderConformance",
    "memory_host",
    "misfit",
    "step_context",
]
