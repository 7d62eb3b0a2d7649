"""Use cases of environments: what there is (`catalogue`), releases, deployments, and views for the portal."""

from taxiway.features.environments.service.catalogue import (
    ServiceEntity,
    get_environment,
    list_environments,
    service_entity,
)
from taxiway.features.environments.service.deployments import (
    deploy,
    destroy,
    first_deployments,
    rollback,
    start_deployment,
    start_destroy,
)
from taxiway.features.environments.service.releases import create_release, get_release

__all__ = [
    "ServiceEntity",
    "create_release",
    "deploy",
    "destroy",
    "first_deployments",
    "get_environment",
    "get_release",
    "list_environments",
    "rollback",
    "service_entity",
    "start_deployment",
    "start_destroy",
]
