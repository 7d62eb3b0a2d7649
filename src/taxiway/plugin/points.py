"""The contribution points. A plugin implements a Protocol and lists an instance in its `Plugin.contributions`.

Each contribution has a `key`, unique within its point: two with one key are refused, naming both plugins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from taxiway.model.event import Event
from taxiway.model.run import Created, Recovery
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
)
from taxiway.plugin.context import PluginContext, StepContext

Json = Any


@runtime_checkable
class Action(Protocol):
    """A scaffolder action. `key` is the action id (`publish:git`).

    `recovery` says what an interrupted call needs; with `probe`, `probe` returns the output when the call did its work
    and None when it must run. `undo` takes back what this call recorded with `ctx.created`, in reverse order, and must
    be safe to repeat. Input was validated against `input_schema` before `run`.
    """

    key: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    recovery: Recovery
    supports_dry_run: bool

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]: ...

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None: ...

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None: ...


@runtime_checkable
class Destination(Protocol):
    """Where workloads run. Makes Kubernetes-shaped objects so; `key` is the destination's kind (`process`).

    `apply` is level-based: it compares, changes what differs, returns the status of every object, and does nothing when
    nothing differs. `prune` removes objects by key, from inventory alone. Neither may wait longer than a few seconds
    for health: the reconciler calls `observe` until the objects are healthy or the time is up.
    """

    key: str

    def apply(self, target: Target, objects: Sequence[Json]) -> Sequence[ObjectStatus]: ...

    def observe(self, target: Target, objects: Sequence[Json]) -> Sequence[ObjectStatus]: ...

    def prune(self, target: Target, keys: Sequence[ObjectKey]) -> None: ...

    def workloads(self, environment: str | None = None, service: str | None = None) -> Sequence[WorkloadStatus]: ...

    def logs(self, workload_id: str, after: int, limit: int) -> Sequence[LogLine]: ...


@runtime_checkable
class ResourceDriver(Protocol):
    """Provisions one kind of resource. `key` is what a Recipe names in `spec.driver`.

    `provision` is idempotent for a `request.uid`: called again it converges and returns the same outputs. `destroy`
    works from the stored inventory alone, never from the definition.
    """

    key: str

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult: ...

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None: ...


@runtime_checkable
class Forge(Protocol):
    """A git host. `key` is its name. References to commits are full SHAs."""

    key: str

    def create_repository(
        self, name: str, *, description: str, owner: str | None, default_branch: str, request_key: str
    ) -> Repository:
        """Make it; the same `request_key` returns the same repository. ConflictError when another holds the name."""
        ...

    def get_repository(self, name: str) -> Repository | None: ...

    def list_repositories(self, after: str = "", limit: int = 100) -> Sequence[Repository]: ...

    def delete_repository(self, name: str, *, archive: bool) -> None:
        """Archive (read-only, kept) or remove it. Nothing happens when it is gone."""
        ...

    def resolve(self, name: str, ref: str) -> str | None:
        """The commit SHA that a branch, tag or SHA stands for, or None."""
        ...

    def read_file(self, name: str, ref: str, path: str, limit: int = 1_000_000) -> bytes | None:
        """The bytes of a file at `ref`, None when it is not there; TooLargeError above `limit`."""
        ...

    def list_files(self, name: str, ref: str, prefix: str = "") -> Sequence[str]: ...

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
        """Commit onto the branch head (made when missing) and return the SHA; unchanged content makes no commit.

        `expect` is the head SHA that must still be there, else ConflictError.
        """
        ...

    def export(self, name: str, ref: str, folder: Path) -> str:
        """Write the tree at `ref` into an empty `folder` as a git work tree, and return its SHA."""
        ...

    def log(self, name: str, ref: str, limit: int = 50) -> Sequence[Mapping[str, Any]]:
        """Commits from `ref` back: {sha, message, author, at}."""
        ...


@dataclass(frozen=True)
class PipelineStep:
    """A step of a job as the engine reported it. Times are microseconds UTC."""

    name: str
    state: str
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True)
class PipelineJob:
    """A job of a pipeline. `reason` says in one sentence why it failed."""

    id: str
    name: str
    state: str
    steps: Sequence[PipelineStep] = ()
    reason: str = ""
    started_at: int | None = None
    ended_at: int | None = None


@dataclass(frozen=True)
class PipelineRequest:
    """One workflow of one commit, checked out in `folder` (owned by the pipelines' user)."""

    repository: str
    commit: str
    branch: str
    workflow: str
    folder: Path
    actor: str


@dataclass(frozen=True)
class PipelineResult:
    """`state` is succeeded, failed or cancelled; `artifacts` maps an uploaded artefact's name to its folder."""

    state: Literal["succeeded", "failed", "cancelled"]
    jobs: Sequence[PipelineJob]
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    reason: str = ""


@runtime_checkable
class PipelineEngine(Protocol):
    """Runs a repository's own workflows. `key` is the engine's name."""

    key: str

    def workflows(self, files: Mapping[str, bytes], branch: str) -> Sequence[str]:
        """The paths among `files` (path → bytes) of workflows that a push to `branch` starts."""
        ...

    def run(
        self, ctx: StepContext, request: PipelineRequest, on_jobs: Callable[[Sequence[PipelineJob]], None]
    ) -> PipelineResult:
        """Run it to its end; `on_jobs` is called with all jobs whenever one of them changes."""
        ...


@runtime_checkable
class SecretStore(Protocol):
    """Keeps secret values encrypted. `key` is the store's name in references."""

    key: str

    def put(self, name: str, value: str) -> None: ...

    def get(self, name: str) -> str | None: ...

    def delete(self, name: str) -> None: ...


@dataclass(frozen=True)
class Series:
    """A time series: points are (microseconds UTC, value or None where nothing was measured)."""

    name: str
    unit: str
    points: Sequence[tuple[int, float | None]]


@runtime_checkable
class MetricSource(Protocol):
    """Answers with the golden signals of a workload: rate, error_ratio, latency_p50, latency_p95, cpu, memory."""

    key: str

    def query(self, environment: str, service: str, seconds: int) -> Sequence[Series]: ...


@dataclass(frozen=True)
class MetricSample:
    """One line of a Prometheus exposition."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Measurement:
    """One look at one instance of a workload, at `at` (microseconds UTC). `instance` names the process: a restarted
    workload is another instance. `samples` is None when its metrics could not be read. CPU in percent of one core."""

    instance: str
    at: int
    samples: Sequence[MetricSample] | None
    cpu_percent: float | None = None
    memory_bytes: int | None = None


@runtime_checkable
class MetricSink(Protocol):
    """A metric source that also keeps what Taxiway measures itself: it is called every few seconds for each service of
    an environment, with all its instances. It must be quick and bound what it stores."""

    key: str

    def ingest(self, environment: str, service: str, measurements: Sequence[Measurement]) -> None: ...


@dataclass(frozen=True)
class SourcedEntity:
    """An entity document with where it was read: `location` is `file:…` or `url:…`, `line` is 1-based."""

    document: Mapping[str, Any]
    location: str
    line: int = 1


@dataclass(frozen=True)
class SourceProblem:
    """Something that could not be read: where, and what to do."""

    location: str
    detail: str
    line: int | None = None


@runtime_checkable
class EntitySource(Protocol):
    """Reads entities from somewhere. `key` is the location type that it serves (`file`, `url`)."""

    key: str

    def read(self, target: str) -> Iterable[SourcedEntity | SourceProblem]: ...


Verdict = Literal["passed", "failed", "not_checked"]


@dataclass(frozen=True)
class CheckResult:
    """What a plan check says; `detail` names the reason and the remedy."""

    id: str
    title: str
    verdict: Verdict
    detail: str = ""


@runtime_checkable
class PlanCheck(Protocol):
    """Judges a plan before a run acts. `plan` is {kind, files, resources, names, input, principal}."""

    key: str

    def check(self, plan: Mapping[str, Any]) -> CheckResult: ...


@runtime_checkable
class BackgroundService(Protocol):
    """Work beside requests, supervised by the host: started again with backoff when it fails.

    `exclusive` services hold a lease of that name: one process of the installation runs them at a time.
    """

    key: str
    exclusive: bool

    def run(self, ctx: PluginContext, stop: threading.Event) -> None: ...


@runtime_checkable
class HostEngine(Protocol):
    """An engine whose processes run on this host and outlive a restart of Taxiway: workloads, databases, a router.

    `halt` ends all of them and waits until they are gone; what they keep stays, and the next start brings them back.
    """

    key: str

    def halt(self) -> None: ...


@runtime_checkable
class EventSubscriber(Protocol):
    """Receives sealed events whose type starts with one of `types`, in order, at least once: be idempotent."""

    key: str
    types: Sequence[str]

    def handle(self, event: Event) -> None: ...


Authorize = Callable[[str, str | None], None]


@dataclass(frozen=True)
class MountedRoutes:
    """A raw ASGI app under `/{prefix}`. The host authenticates first (session, bearer, or Basic with a token as the
    password) and puts the Principal into `scope["taxiway.principal"]` and a function `authorize(permission, owner)`
    into `scope["taxiway.authorize"]`; nobody gets 401 with a Basic challenge when `basic` is set."""

    key: str
    prefix: str
    app: Any
    basic: bool = False


@dataclass(frozen=True)
class PortalCard:
    """A card on entity pages, as data. `operation` is a GET path of the API in which `{kind}`, `{namespace}`, `{name}`
    and `{ref}` are replaced; `display` is how the portal draws the answer."""

    key: str
    title: str
    kinds: Sequence[str]
    display: Literal["table", "facts", "chart", "timeline", "log", "markdown", "links"]
    operation: str
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class PortalPage:
    """A page of the portal under `/x/{key}`, drawn from `cards`; `navigation` puts it into the side bar."""

    key: str
    title: str
    cards: Sequence[PortalCard]
    navigation: bool = True


@dataclass(frozen=True)
class PluginOperation:
    """A GET operation of a plugin, answered under `/api/plugins/v1/{plugin}/{path}`: JSON in the shape its card's
    display needs. `handler` receives the query parameters as text."""

    key: str
    path: str
    permission: str
    handler: Callable[[Mapping[str, str]], Json]


POINTS: Mapping[str, type] = {
    "action": Action,
    "destination": Destination,
    "resource_driver": ResourceDriver,
    "forge": Forge,
    "pipeline_engine": PipelineEngine,
    "secret_store": SecretStore,
    "metric_source": MetricSource,
    "entity_source": EntitySource,
    "plan_check": PlanCheck,
    "background_service": BackgroundService,
    "host_engine": HostEngine,
    "event_subscriber": EventSubscriber,
    "mounted_routes": MountedRoutes,
    "portal_card": PortalCard,
    "portal_page": PortalPage,
    "operation": PluginOperation,
}
"""Every contribution point by name."""
