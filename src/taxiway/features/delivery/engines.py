"""The forge and the pipeline engine that this installation uses: the first of each by name."""

from __future__ import annotations

from taxiway.core.context import OpContext, Platform
from taxiway.features.environments.model import service_key
from taxiway.features.environments.service import ServiceEntity, service_entity
from taxiway.features.infrastructure import entities
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import UnavailableError
from taxiway.model.workload import Repository
from taxiway.plugin import Forge, PipelineEngine, StepContext

REPOSITORY = "taxiway.dev/repository"


def forge(platform: Platform) -> Forge:
    """The git host. UnavailableError when no plugin brings one."""
    there: list[Forge] = platform.registry.all("forge")
    if not there:
        raise UnavailableError("no forge is installed: enable the plugin git_local, then start Taxiway again")
    return there[0]


def pipeline_engine(platform: Platform) -> PipelineEngine:
    """What runs workflows. UnavailableError when no plugin brings one."""
    there: list[PipelineEngine] = platform.registry.all("pipeline_engine")
    if not there:
        raise UnavailableError("no pipeline engine is installed: enable the plugin act, then start Taxiway again")
    return there[0]


def owner_of(repository: Repository) -> str | None:
    """The full reference of a repository's owner, a group unless it says otherwise."""
    return str(parse_ref(repository.owner, default_kind="group")) if repository.owner else None


def op_context(platform: Platform, step: StepContext) -> OpContext:
    """The operation that a step of a run is."""
    return OpContext(platform, step.principal, request_id=f"run-{step.run_id}")


def service_of_repository(platform: Platform, repository: str) -> ServiceEntity | None:
    """The component whose annotation names the repository, None while nothing is registered."""
    wanted = {f"metadata.annotations.{REPOSITORY}": repository}
    there = forge(platform).get_repository(repository)
    found = entities.list_entities(platform, "Component", wanted)
    # Anybody can write the annotation: the component whose owner owns the repository goes first.
    found.sort(key=lambda document: there is None or entities.owner_of(document) != owner_of(there))
    return service_entity(platform, str(ref_of(found[0]))) if found else None


def key_of(service_ref: str) -> str:
    """The short name of a service in environments."""
    return service_key(parse_ref(service_ref, default_kind="component"))
