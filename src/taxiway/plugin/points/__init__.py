"""The contribution points. A plugin implements a Protocol and lists an instance in its `Plugin.contributions`.

Each contribution has a `key`, unique within its point: two with one key are refused, naming both plugins. One module
per family; import the names from `taxiway.plugin`.
"""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.plugin.points.acting import (
    Action,
    BackgroundService,
    CheckResult,
    EventSubscriber,
    EventType,
    PlanCheck,
    Verdict,
)
from taxiway.plugin.points.faces import Authorize, MountedRoutes, PluginOperation, PortalCard, PortalPage
from taxiway.plugin.points.keeping import Forge, PullHost, SecretStore
from taxiway.plugin.points.reading import (
    Measurement,
    MetricSample,
    MetricSink,
    MetricSource,
    SearchDocument,
    SearchSource,
    Series,
)
from taxiway.plugin.points.repositories import HostedRepository, HostingSource, RepositoryFacts, RepositorySource
from taxiway.plugin.points.running import (
    Destination,
    HostEngine,
    JobRunner,
    PipelineEngine,
    PipelineJob,
    PipelinePull,
    PipelineRequest,
    PipelineResult,
    PipelineStep,
    PullPipelineEngine,
    ResourceDriver,
    RotatingDriver,
)
from taxiway.plugin.points.sourcing import (
    MAX_SOURCE_FILE,
    EntitySource,
    HookedSource,
    HookRequest,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    SourceTree,
    UrlReader,
)

POINTS: Mapping[str, type] = {
    "action": Action,
    "destination": Destination,
    "job_runner": JobRunner,
    "resource_driver": ResourceDriver,
    "forge": Forge,
    "pull_host": PullHost,
    "pipeline_engine": PipelineEngine,
    "secret_store": SecretStore,
    "metric_source": MetricSource,
    "entity_source": EntitySource,
    "search_source": SearchSource,
    "url_reader": UrlReader,
    "repository_source": RepositorySource,
    "plan_check": PlanCheck,
    "background_service": BackgroundService,
    "host_engine": HostEngine,
    "event_subscriber": EventSubscriber,
    "event_type": EventType,
    "mounted_routes": MountedRoutes,
    "portal_card": PortalCard,
    "portal_page": PortalPage,
    "operation": PluginOperation,
}
"""Every contribution point by name."""

__all__ = [
    "MAX_SOURCE_FILE",
    "POINTS",
    "Action",
    "Authorize",
    "BackgroundService",
    "CheckResult",
    "Destination",
    "EntitySource",
    "EventSubscriber",
    "EventType",
    "Forge",
    "HookRequest",
    "HookedSource",
    "HostEngine",
    "HostedRepository",
    "HostingSource",
    "JobRunner",
    "Measurement",
    "MetricSample",
    "MetricSink",
    "MetricSource",
    "MountedRoutes",
    "PipelineEngine",
    "PipelineJob",
    "PipelinePull",
    "PipelineRequest",
    "PipelineResult",
    "PipelineStep",
    "PlanCheck",
    "PluginOperation",
    "PortalCard",
    "PortalPage",
    "PullHost",
    "PullPipelineEngine",
    "RepositoryFacts",
    "RepositorySource",
    "ResourceDriver",
    "RotatingDriver",
    "SearchDocument",
    "SearchSource",
    "SecretStore",
    "Series",
    "SourceEnd",
    "SourceGone",
    "SourceItem",
    "SourcePart",
    "SourceProblem",
    "SourceRequest",
    "SourceTree",
    "SourcedEntity",
    "SourcedTree",
    "UrlReader",
    "Verdict",
]
