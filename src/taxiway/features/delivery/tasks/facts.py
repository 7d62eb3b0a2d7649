"""What resource drivers are told: the workload, its environment, and the other services there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from taxiway.core.context import Platform
from taxiway.features.environments import repository
from taxiway.features.environments.model import Environment
from taxiway.features.environments.score import ResourceSpec, Workload
from taxiway.features.environments.service import ServiceEntity
from taxiway.features.infrastructure.model import Needed, Provisioned
from taxiway.plugin import Destination


def needed_of(
    spec: ResourceSpec,
    service: ServiceEntity,
    environment: Environment,
    workload: Workload,
    params: Mapping[str, Any],
    services: Mapping[str, Any],
) -> Needed:
    """A resource of the Score file as infrastructure needs it, `params` resolved."""
    return Needed(
        name=spec.name,
        type=spec.type,
        resource_class=spec.resource_class,
        id=spec.id,
        service_ref=service.ref,
        service_uid=service.uid,
        service_key=service.key,
        workload_name=workload.name,
        environment=environment.facts(),
        workload={
            "name": service.key,
            "namespace": environment.namespace,
            "ports": workload.ports,
            "services": {workload.name: {"hostname": service.key, "ports": workload.ports}, **services},
        },
        params=params,
        owner=service.owner,
    )


def provisioned_of(document: Mapping[str, Any]) -> dict[str, Provisioned]:
    """What the step `provision` put out, as values again."""
    return {
        name: Provisioned(
            item["uid"],
            name,
            item["type"],
            item["driver"],
            item["outputs"],
            item["secret_references"],
            tuple(item["manifests"]),
        )
        for name, item in document.items()
    }


def service_facts(platform: Platform, environment: Environment) -> dict[str, Any]:
    """{service: {hostname, ports}} of an environment. Where the destination says an address, that is the one."""
    with platform.store.read() as conn:
        statuses = repository.statuses(conn, environment.name)
    destination: Destination = platform.registry.get("destination", environment.destination)
    facts: dict[str, Any] = {}
    for key, status in statuses.items():
        for item in status["objects"]:
            if item["kind"] == "Service":
                facts[key] = _address(key, item)
    for running in destination.workloads(environment.name):
        known = facts.get(running.service)
        if (
            known is not None
            and known["hostname"] == running.service
            and running.ready
            and running.port
            and running.pid
        ):
            facts[running.service] = {"hostname": "127.0.0.1", "ports": dict.fromkeys(known["ports"], running.port)}
    return facts


def _address(key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    ports: Mapping[str, int] = item.get("ports") or {}
    url = urlsplit(item.get("url") or "")
    if url.hostname and url.port:
        return {"hostname": url.hostname, "ports": dict.fromkeys(ports, url.port)}
    return {"hostname": key, "ports": dict(ports)}
