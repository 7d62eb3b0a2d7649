"""The public contract of plugins. What is not exported here is not supported.

A plugin is a distribution with an entry point in the group `taxiway.plugins` whose value is a `Plugin`. Embedded
engines are plugins under this same contract. A plugin imports `taxiway.plugin` and `taxiway.model`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from taxiway.kit.backoff import backoff_seconds
from taxiway.kit.canonical import canonical_json, digest
from taxiway.kit.clock import MICROSECONDS, Clock, ManualClock, SystemClock
from taxiway.kit.ids import NewId, new_ids
from taxiway.plugin.context import (
    Artifacts,
    Identity,
    Logger,
    PluginContext,
    Record,
    Records,
    Secrets,
    StepContext,
)
from taxiway.plugin.credentials import CredentialRef, check_credential, resolve_credential
from taxiway.plugin.later import Later
from taxiway.plugin.points import (
    MAX_SOURCE_FILE,
    POINTS,
    Action,
    Autocompleter,
    BackgroundService,
    Checkout,
    CheckoutReader,
    CheckResult,
    Destination,
    EntitySource,
    EventSubscriber,
    EventType,
    Forge,
    HookedSource,
    HookRequest,
    HostedRepository,
    HostEngine,
    HostingSource,
    InspectingDriver,
    JobRunner,
    Measurement,
    MetricSample,
    MetricSink,
    MetricSource,
    MountedRoutes,
    PipelineEngine,
    PipelineJob,
    PipelinePull,
    PipelineRequest,
    PipelineResult,
    PipelineStep,
    PlanCheck,
    PluginOperation,
    PortalCard,
    PortalPage,
    PullHost,
    PullPipelineEngine,
    RepositoryFacts,
    RepositorySource,
    ResourceDriver,
    RotatingDriver,
    SearchDocument,
    SearchSource,
    SecretStore,
    Series,
    SourcedEntity,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    SourceTree,
    Suggestion,
    UrlReader,
    WatchedSource,
)

API_VERSION = 1
"""The version of this contract; a plugin names the one it was made for."""


class PluginSettings(BaseModel):
    """Base of a plugin's settings. Fields of type `SecretStr` are masked wherever settings are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class Plugin:
    """What an entry point gives. `contribute(ctx)` is called once, before the server starts; it must not block.

    It returns contributions: instances of the Protocols and dataclasses in `taxiway.plugin.points`, each under the
    name of its point, or `Later(key, make)` where making one loads modules that a start need not wait for.
    """

    name: str
    version: str
    contribute: Callable[[PluginContext], Sequence[tuple[str, Any]]]
    settings: type[PluginSettings] = PluginSettings
    api_version: int = API_VERSION
    description: str = ""
    runs_repository_code: bool = False
    """Whether code from repositories runs on this host through it (a host engine)."""


__all__ = [
    "API_VERSION",
    "MAX_SOURCE_FILE",
    "MICROSECONDS",
    "POINTS",
    "Action",
    "Artifacts",
    "Autocompleter",
    "BackgroundService",
    "CheckResult",
    "Checkout",
    "CheckoutReader",
    "Clock",
    "CredentialRef",
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
    "Identity",
    "InspectingDriver",
    "JobRunner",
    "Later",
    "Logger",
    "ManualClock",
    "Measurement",
    "MetricSample",
    "MetricSink",
    "MetricSource",
    "MountedRoutes",
    "NewId",
    "PipelineEngine",
    "PipelineJob",
    "PipelinePull",
    "PipelineRequest",
    "PipelineResult",
    "PipelineStep",
    "PlanCheck",
    "Plugin",
    "PluginContext",
    "PluginOperation",
    "PluginSettings",
    "PortalCard",
    "PortalPage",
    "PullHost",
    "PullPipelineEngine",
    "Record",
    "Records",
    "RepositoryFacts",
    "RepositorySource",
    "ResourceDriver",
    "RotatingDriver",
    "SearchDocument",
    "SearchSource",
    "SecretStore",
    "Secrets",
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
    "StepContext",
    "Suggestion",
    "SystemClock",
    "UrlReader",
    "WatchedSource",
    "backoff_seconds",
    "canonical_json",
    "check_credential",
    "digest",
    "new_ids",
    "resolve_credential",
]
