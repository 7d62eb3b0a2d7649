"""Writes the desired state into an environment's repository: the way from a deployment into Git, and the only one.

Writers of one repository do not lock each other out: each names the head that it read, and reads again when it moved.
"""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.features.delivery import manifests
from taxiway.features.delivery.engines import forge
from taxiway.features.environments.model import Environment
from taxiway.model.errors import ConflictError, InputError
from taxiway.model.workload import FileChange

ATTEMPTS = 20


def ensure_repository(platform: Platform, environment: Environment) -> None:
    """The environment's repository, made on first use."""
    forge(platform).create_repository(
        environment.repository,
        description=f"Desired state of the environment {environment.name}",
        owner=environment.owner,
        default_branch=manifests.BRANCH,
        request_key=f"environment:{environment.name}",
    )


def head(platform: Platform, repository: str) -> str | None:
    """The commit that counts, None without repository or commit."""
    host = forge(platform)
    return host.resolve(repository, manifests.BRANCH) if host.get_repository(repository) is not None else None


def content(platform: Platform, repository: str, revision: str | None, service_key: str) -> bytes | None:
    """A service's file at `revision`."""
    if revision is None:
        return None
    return forge(platform).read_file(repository, revision, manifests.path_of(service_key), manifests.MAX_BYTES)


def owner_deployment(raw: bytes | None) -> tuple[str | None, str | None]:
    """(deployment id, service reference) in a file; (None, None) when there is none or a hand broke it."""
    if raw is None:
        return None, None
    try:
        objects = manifests.read(raw, manifests.FILE)
    except InputError:
        return None, None
    return manifests.deployment_of(objects), manifests.service_of(objects)


def write(
    platform: Platform,
    repository: str,
    service_key: str,
    service_ref: str,
    raw: bytes | None,
    *,
    deployment_id: str | None,
    message: str,
    author: str,
) -> str | None:
    """Replace (None: remove) a service's file and return the head then; unchanged content makes no commit.

    ConflictError when a newer deployment or another service holds the file.
    """
    host, path = forge(platform), manifests.path_of(service_key)
    for attempt in range(ATTEMPTS):
        at = head(platform, repository)
        there = content(platform, repository, at, service_key)
        holder, holder_ref = owner_deployment(there)
        if holder_ref is not None and holder_ref != service_ref:
            raise ConflictError(f"{holder_ref} has the name '{service_key}' here already: rename one of the services")
        if deployment_id is not None and holder is not None and holder > deployment_id:
            raise ConflictError("a newer deployment of this service came first", code="delivery.superseded")
        if there == raw:
            return at
        try:
            change = {path: FileChange(raw)}
            return host.commit(repository, manifests.BRANCH, change, message=message, author=author, expect=at)
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
    raise ConflictError(f"{repository} changes all the time: try again")
