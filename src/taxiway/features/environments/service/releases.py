"""Releases: immutable, one per {service, commit, artefact, Score file}. Deploying never rebuilds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.environments import repository
from taxiway.features.environments.model import release_id
from taxiway.features.environments.score import parse_score, score_hash
from taxiway.features.environments.service.catalogue import ServiceEntity
from taxiway.features.infrastructure.writes import write_or_find
from taxiway.model.errors import NotFoundError
from taxiway.model.event import EventDraft


def create_release(
    ctx: OpContext,
    service: ServiceEntity,
    *,
    repository_name: str,
    commit: str,
    artifact: str,
    score: bytes,
    pipeline_id: str | None = None,
) -> Mapping[str, Any]:
    """The release of these; made, with its event, when it is not there. InputError when the Score file is wrong."""
    parse_score(score)
    hashed = score_hash(score)
    identifier = release_id(service.ref, service.uid, commit, artifact, hashed)

    def work(tx: Tx) -> None:
        values = {
            "id": identifier,
            "service_ref": service.ref,
            "service_uid": service.uid,
            "owner": service.owner,
            "repository": repository_name,
            "commit": commit,
            "version": commit[:12],
            "digest": artifact,
            "score_hash": hashed,
            "score": score.decode(),
            "pipeline_id": pipeline_id,
            "created_at": tx.now,
        }
        if repository.add_release(tx, values):
            data = {
                "service": service.ref,
                "release": identifier,
                "repository": repository_name,
                "commit": commit,
                "digest": artifact,
                "pipeline": pipeline_id,
            }
            draft = EventDraft("dev.cdevents.artifact.published.0.3.0", service.ref, data, subject_uid=service.uid)
            ctx.emit(tx, draft, owner=service.owner)

    write_or_find(ctx.platform, work)
    return get_release(ctx.platform, identifier)


def get_release(platform: Platform, identifier: str) -> Mapping[str, Any]:
    """One release. NotFoundError when there is none."""
    with platform.store.read() as conn:
        row = repository.get_release(conn, identifier)
    if row is None:
        raise NotFoundError(f"there is no release {identifier}", code="environments.no_release")
    return row
