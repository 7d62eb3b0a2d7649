"""What runs things for services: destinations, drivers of resources, pipelines, engines of this host."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from taxiway.model.workload import (
    JobStatus,
    LogLine,
    ObjectKey,
    ObjectStatus,
    ResourceRequest,
    ResourceResult,
    ScheduleStatus,
    Target,
    WorkloadStatus,
)
from taxiway.plugin.context import StepContext

Json = Any


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
class JobRunner(Protocol):
    """Scheduled workloads (CronJobs) of a destination, whose `key` it has too.

    `schedules` and `jobs` say how things stand now, newest job first. `run_job` starts a run of the scheduled workload
    `name` at once; the same `request` gives the same run. NotFoundError: there is no such workload; ConflictError: its
    concurrency policy forbids a second run. `logs` are those of all attempts of a job.
    """

    key: str

    def schedules(self, environment: str | None = None, service: str | None = None) -> Sequence[ScheduleStatus]: ...

    def jobs(self, environment: str | None = None, service: str | None = None) -> Sequence[JobStatus]: ...

    def run_job(self, environment: str, name: str, request: str, by: str) -> JobStatus: ...

    def logs(self, job_id: str, after: int, limit: int) -> Sequence[LogLine]: ...


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
class RotatingDriver(ResourceDriver, Protocol):
    """A driver that can also give a resource new credentials: `rotate` returns them, and the old ones do not work any
    more. What uses the resource is started anew behind it."""

    def rotate(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult: ...


@runtime_checkable
class InspectingDriver(ResourceDriver, Protocol):
    """A driver that can also look into a resource: `contents` says in words what it holds of its users, such as
    `rows: 12 in orders`, and None for nothing. Undo then asks before it is destroyed, as it does where `contents`
    raises a TaxiwayError because it cannot tell. What is gone holds nothing.

    Of other drivers undo asks for each resource, one without an inventory too (it may be all manifests): nobody can
    tell what is in it."""

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None: ...


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
class PipelinePull:
    """The pull request that a pipeline judges: its number, what happened to it (`opened`, `synchronize`, `reopened`),
    and the branch that it goes into."""

    number: int
    action: str
    base: str


@dataclass(frozen=True)
class PipelineRequest:
    """One workflow of one commit, checked out in `folder` (owned by the pipelines' user). With `pull` the event is
    `pull_request`, and `branch` is the head of the pull request; else it is a push to `branch`."""

    repository: str
    commit: str
    branch: str
    workflow: str
    folder: Path
    actor: str
    pull: PipelinePull | None = None


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
class PullPipelineEngine(PipelineEngine, Protocol):
    """A pipeline engine that also knows which workflows a pull request starts."""

    def pull_workflows(
        self, files: Mapping[str, bytes], pull: PipelinePull, changed_paths: Sequence[str] | None
    ) -> Sequence[str]:
        """The paths among `files` of workflows that the pull request starts; `changed_paths` None: not known."""
        ...


@runtime_checkable
class HostEngine(Protocol):
    """An engine whose processes run on this host and outlive a restart of Taxiway: workloads, databases, a router.

    `halt` ends all of them and waits until they are gone; what they keep stays, and the next start brings them back.
    """

    key: str

    def halt(self) -> None: ...
