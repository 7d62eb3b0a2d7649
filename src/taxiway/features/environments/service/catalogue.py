"""Environments and services as the catalog tells of them."""

from __future__ import annotations

from dataclasses import dataclass

from taxiway.core.context import Platform
from taxiway.features.environments.model import Environment, environment_of, service_key
from taxiway.features.infrastructure import entities
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import NotFoundError, TaxiwayError


@dataclass(frozen=True)
class ServiceEntity:
    """A service of the catalog: full reference, uid, title, owner, key in environments, repository on the forge."""

    ref: str
    uid: str
    key: str
    title: str
    owner: str | None
    repository: str | None


def list_environments(platform: Platform) -> list[Environment]:
    """Every environment that can be read, by rank and name."""
    types = {}
    for document in entities.list_entities(platform, "EnvironmentType"):
        types[ref_of(document).name] = document.get("spec") or {}
    found = []
    for document in entities.list_entities(platform, "Environment"):
        try:
            found.append(environment_of(document, types))
        except TaxiwayError as error:
            platform.log.warning("environment_skipped", reason=error.detail)
    return sorted(found, key=lambda e: (e.rank, e.name))


def get_environment(platform: Platform, name: str) -> Environment:
    """One environment by name or reference. NotFoundError lists what there is."""
    wanted = parse_ref(name, default_kind="environment").name
    there = list_environments(platform)
    for environment in there:
        if environment.name == wanted:
            return environment
    names = ", ".join(e.name for e in there) or "none"
    raise NotFoundError(f"there is no environment '{name}' (there are: {names})", code="environments.unknown")


def service_entity(platform: Platform, ref: str) -> ServiceEntity:
    """The service behind a reference. NotFoundError when the catalog has none."""
    full = parse_ref(ref, default_kind="component")
    document = entities.require_entity(platform, str(full))
    metadata = document.get("metadata") or {}
    return ServiceEntity(
        ref=str(full),
        uid=entities.uid_of(document) or str(full),
        key=service_key(full),
        title=str(metadata.get("title") or metadata.get("name") or full.name),
        owner=entities.owner_of(document),
        repository=(metadata.get("annotations") or {}).get("taxiway.dev/repository"),
    )
