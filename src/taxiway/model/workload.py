"""What runs where: values that environments, delivery, destinations and resource drivers exchange.

Desired state is Kubernetes-shaped objects (plain JSON) for every destination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Health = Literal["healthy", "progressing", "degraded", "missing", "suspended", "unknown"]


@dataclass(frozen=True, order=True)
class ObjectKey:
    """The identity of a desired object inside a target: apiVersion, kind, namespace, name."""

    api_version: str
    kind: str
    namespace: str
    name: str


def object_key(manifest: Mapping[str, Any]) -> ObjectKey:
    """The key of a manifest that has apiVersion, kind and metadata.name."""
    metadata = manifest["metadata"]
    return ObjectKey(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class Target:
    """Where desired state goes: an environment, its namespace, and the destination that serves it."""

    environment: str
    namespace: str
    destination: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ObjectStatus:
    """How one object stands. `synced`: what is equals what should be. `message` says what to do when it is not well."""

    key: ObjectKey
    synced: bool
    health: Health
    message: str = ""
    url: str | None = None


@dataclass(frozen=True)
class WorkloadStatus:
    """One workload instance as measured now. Memory in bytes, CPU in percent of one core; None means not known."""

    id: str
    name: str
    environment: str
    service: str
    state: str
    ready: bool
    generation: str
    pid: int | None = None
    port: int | None = None
    restarts: int = 0
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    started_at: int | None = None
    url: str | None = None
    message: str = ""


JobState = Literal["pending", "running", "interrupted", "succeeded", "failed"]
"""`interrupted`: whatever kept it is gone, and the destination has not yet said what comes of it."""
CronPolicy = Literal["Allow", "Forbid", "Replace"]


@dataclass(frozen=True)
class ScheduleStatus:
    """A scheduled workload (a CronJob) as it stands. Times are UTC microseconds; None: there is none."""

    name: str
    environment: str
    service: str
    schedule: str
    time_zone: str
    concurrency_policy: CronPolicy
    suspended: bool = False
    next_at: int | None = None
    last_scheduled_at: int | None = None
    last_succeeded_at: int | None = None
    missed: int = 0
    """Runs that were due and did not start, until one started in time again; counted up to 100."""
    message: str = ""


@dataclass(frozen=True)
class JobStatus:
    """One run of a scheduled workload. `scheduled_at`: the time it was due, None when somebody asked for it.

    `exit_code` or `signal` are those of the last attempt; `message` says why it is not well, Kubernetes' word first.
    """

    id: str
    name: str
    environment: str
    service: str
    schedule: str
    """The name of the scheduled workload."""
    state: JobState
    created_at: int
    scheduled_at: int | None = None
    requested_by: str | None = None
    release_id: str | None = None
    started_at: int | None = None
    ended_at: int | None = None
    attempts: int = 0
    exit_code: int | None = None
    signal: int | None = None
    message: str = ""


@dataclass(frozen=True)
class LogLine:
    """One line of output. `seq` orders lines within their log and is the cursor for the next read."""

    seq: int
    at: int | None
    stream: str
    text: str


@dataclass(frozen=True)
class ResourceRequest:
    """A resource to be provisioned. `uid` is stable for the life of the resource; `params` are already resolved."""

    uid: str
    type: str
    resource_class: str
    id: str
    environment: str
    service: str
    params: Mapping[str, Any] = field(default_factory=dict)
    workload: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the requesting workload: `name`, `namespace`, `ports` {name: port}, `services` for service-port."""


@dataclass(frozen=True)
class ResourceResult:
    """What provisioning gave. `secrets` are values: the host stores them at once and passes on references only.

    `inventory` is what `destroy` works from; `manifests` are objects to add to the desired state.
    """

    outputs: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    inventory: Sequence[Mapping[str, Any]] = ()
    manifests: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Repository:
    """A repository on a forge. `uid` never changes; `clone_url` carries no credentials."""

    uid: str
    name: str
    clone_url: str
    default_branch: str
    description: str = ""
    owner: str | None = None
    archived: bool = False
    head: str | None = None


@dataclass(frozen=True)
class FileChange:
    """The new content of a path in a commit; None removes it."""

    content: bytes | None
    executable: bool = False
