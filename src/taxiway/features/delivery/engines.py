"""The forge and the pipeline engine that this installation uses: the first of each by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.environments.model import service_key
from taxiway.features.environments.service import ServiceEntity, service_entity
from taxiway.features.infrastructure import entities
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import TaxiwayError, UnavailableError
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


def op_context(platform: Platform, step: StepContext) -> OpContext:
    """The operation that a step of a run is."""
    return OpContext(platform, step.principal, request_id=f"run-{step.run_id}")


def service_of_repository(platform: Platform, repository: str) -> ServiceEntity | None:
    """The component whose annotation names the repository, None while nothing is registered."""
    guess = entities.get_entity(platform, f"component:default/{repository.lower()}")
    documents = [guess] if guess is not None and _names(guess, repository) else None
    for document in documents or entities.list_entities(platform, "Component"):
        if _names(document, repository):
            try:
                return service_entity(platform, str(ref_of(document)))
            except TaxiwayError:
                return None
    return None


def key_of(service_ref: str) -> str:
    """The short name of a service in environments."""
    return service_key(parse_ref(service_ref, default_kind="component"))


def _names(document: Mapping[str, Any], repository: str) -> bool:
    return ((document.get("metadata") or {}).get("annotations") or {}).get(REPOSITORY) == repository
