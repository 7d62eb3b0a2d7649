"""Environment types, environments, releases and deployments: values and their rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from taxiway.kit.canonical import digest
from taxiway.model.entity import EntityRef, parse_ref, ref_of
from taxiway.model.run import StepDefinition
from taxiway.model.workload import Health, Target

DeploymentState = Literal["queued", "live", "failed", "cancelled", "superseded", "removing", "removed"]
WORST: Sequence[Health] = ("healthy", "suspended", "progressing", "missing", "degraded", "unknown")
"""Health from best to worst, in Argo CD's order."""


@dataclass(frozen=True)
class Environment:
    """An environment with what its type says."""

    ref: str
    name: str
    title: str
    type: str
    destination: str
    namespace: str
    rank: int = 100
    is_production: bool = False
    auto_deploy: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None

    @property
    def repository(self) -> str:
        """The repository that holds its desired state."""
        return f"env-{self.name}"

    def target(self) -> Target:
        """Where desired state goes."""
        return Target(self.name, self.namespace, self.destination, self.parameters)

    def facts(self) -> dict[str, Any]:
        """What resource drivers may know of it."""
        return {
            "name": self.name,
            "type": self.type,
            "namespace": self.namespace,
            "destination": self.destination,
            "variables": dict(self.variables),
        }


def environment_of(document: Mapping[str, Any], types: Mapping[str, Mapping[str, Any]]) -> Environment:
    """The environment in an entity document; `types` are the specs of EnvironmentType entities by name."""
    ref, metadata, spec = ref_of(document), document["metadata"], document.get("spec") or {}
    type_name = parse_ref(str(spec.get("type") or "default"), default_kind="environmenttype").name
    kind = types.get(type_name, {})
    owner = spec.get("owner")
    return Environment(
        ref=str(ref),
        name=ref.name,
        title=str(metadata.get("title") or metadata["name"]),
        type=type_name,
        destination=str(spec.get("destination") or "process"),
        namespace=str(spec.get("namespace") or ref.name),
        rank=int(kind.get("rank", 100)),
        is_production=bool(kind.get("production", False)),
        auto_deploy=bool(kind.get("autoDeploy", False)),
        variables={str(k): str(v) for k, v in (spec.get("variables") or {}).items()},
        parameters=dict(spec.get("parameters") or {}),
        owner=str(parse_ref(str(owner), default_kind="group", default_namespace=ref.namespace)) if owner else None,
    )


def service_key(ref: EntityRef) -> str:
    """The short name of a service in an environment: folder, label, host name, object name. At most 50 characters."""
    name = re.sub(r"[^a-z0-9-]+", "-", ref.name).strip("-")
    if ref.namespace != "default":
        name = re.sub(r"[^a-z0-9-]+", "-", ref.namespace).strip("-") + "--" + name
    if len(name) > 50:
        name = name[:41].rstrip("-") + "-" + digest(str(ref))[7:15]
    return name


def release_id(service_ref: str, service_uid: str, commit: str, artifact: str, score: str) -> str:
    """The id of the release of these: equal parts are one release."""
    return digest([service_ref, service_uid, commit, artifact, score])[7:39]


DEPLOY_STEPS = (
    StepDefinition("resolve", "Resolve resources", "deploy:resolve"),
    StepDefinition("provision", "Provision resources", "deploy:provision"),
    StepDefinition("render", "Render objects", "deploy:render"),
    StepDefinition("commit", "Commit the desired state", "deploy:commit"),
    StepDefinition("reconcile", "Wait until it is healthy", "deploy:reconcile"),
    StepDefinition("record", "Record the deployment", "deploy:record"),
)
DESTROY_STEPS = (
    StepDefinition("remove", "Remove the desired state", "destroy:remove"),
    StepDefinition("prune", "Wait until the workloads are gone", "destroy:prune"),
    StepDefinition("resources", "Destroy resources", "destroy:resources"),
    StepDefinition("record", "Record the removal", "destroy:record"),
)


def worst(health: Sequence[str]) -> Health:
    """The health of the whole: the worst of its parts, missing when there are none."""
    return max((h for h in WORST if h in health), key=WORST.index, default="missing")
