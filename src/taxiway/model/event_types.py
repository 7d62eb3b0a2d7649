"""Every event type that Taxiway emits, with the shape of its data. The version is the end of the type's name.

A type's required keys are never taken away and never change their meaning; that takes a new version beside the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXT = {"type": "string"}
OPTIONAL = {"type": ["string", "null"]}
Shape = Mapping[str, Any]


def shape(*required: str, **optional: Any) -> dict[str, Any]:
    """The JSON Schema of an event's data: required text, and further keys with their schemas."""
    properties = {name: optional.get(name, TEXT) for name in (*required, *optional)}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": False}


INTEGER = {"type": "integer"}
CHANGE = ("repository", "number", "pull_id", "base", "head", "commit")
SERVICE = shape("service", "environment", "release", "deployment_id")
ENTITY = shape("ref", owner=OPTIONAL)
ROLE = shape("role")
VIEW = shape("visible_to")
WEBHOOK = shape("name", "host")
APPROVAL = shape("title", "step", "message", approvers={"type": "array", "items": TEXT}, number=INTEGER, mails=INTEGER)
SCHEMAS: Mapping[str, Shape] = {
    "dev.cdevents.artifact.published.0.3.0": shape(
        "service", "release", "repository", "commit", "digest", pipeline=OPTIONAL
    ),
    "dev.cdevents.change.created.0.4.0": shape(*CHANGE, number=INTEGER),
    "dev.cdevents.change.updated.0.3.0": shape(*CHANGE, "what", "before", number=INTEGER),
    "dev.cdevents.change.reviewed.0.3.0": shape(*CHANGE, "review_id", "verdict", number=INTEGER),
    "dev.cdevents.change.merged.0.3.0": shape(*CHANGE, "merge_commit", "method", number=INTEGER),
    "dev.cdevents.change.abandoned.0.3.0": shape(*CHANGE, "reason", number=INTEGER),
    "dev.cdevents.pipelinerun.started.0.3.0": shape("repository", "commit", "run_id", "workflow"),
    "dev.cdevents.pipelinerun.finished.0.3.0": shape("repository", "commit", "run_id", "outcome"),
    "dev.cdevents.repository.created.0.3.0": shape("repository", "url", owner=OPTIONAL),
    "dev.cdevents.repository.deleted.0.3.0": shape("repository"),
    "dev.cdevents.service.deployed.0.3.0": SERVICE,
    "dev.cdevents.service.upgraded.0.3.0": SERVICE,
    "dev.cdevents.service.rolledback.0.3.0": SERVICE,
    "dev.cdevents.service.removed.0.3.0": SERVICE,
    "dev.taxiway.approval.requested.v1": APPROVAL,
    "dev.taxiway.approval.reminded.v1": APPROVAL,
    "dev.taxiway.approval.escalated.v1": APPROVAL,
    "dev.taxiway.check.reported.v1": shape("repository", "commit", "name", "state"),
    "dev.taxiway.entity.created.v1": ENTITY,
    "dev.taxiway.entity.updated.v1": ENTITY,
    "dev.taxiway.entity.orphaned.v1": ENTITY,
    "dev.taxiway.entity.deleted.v1": ENTITY,
    "dev.taxiway.job.requested.v1": shape("service", "environment", "job"),
    "dev.taxiway.job.finished.v1": shape(
        "service", "environment", "job", "outcome", exit_code={"type": ["integer", "null"]}, reason=TEXT
    ),
    "dev.taxiway.kind.changed.v1": shape("ref"),
    "dev.taxiway.properties.outdated.v1": shape(),
    "dev.taxiway.repository.protected.v1": shape("repository", "by", rules={"type": "array"}),
    "dev.taxiway.repository.pushed.v1": shape("repository", "ref", "before", "after", "default_branch", "pusher"),
    "dev.taxiway.role.assigned.v1": ROLE,
    "dev.taxiway.role.removed.v1": ROLE,
    "dev.taxiway.run.started.v1": shape("kind", "title"),
    "dev.taxiway.run.changed.v1": shape("kind", "operation", "state", comment=TEXT, name=TEXT),
    "dev.taxiway.run.ended.v1": shape("kind", "title", "state"),
    "dev.taxiway.session.created.v1": shape("method"),
    "dev.taxiway.session.refused.v1": shape("method"),
    "dev.taxiway.source.changed.v1": shape("type"),
    "dev.taxiway.source.reviewed.v1": shape("source", "decision", entities=INTEGER),
    "dev.taxiway.token.created.v1": shape("name", "role"),
    "dev.taxiway.token.revoked.v1": shape("name"),
    "dev.taxiway.view.created.v1": VIEW,
    "dev.taxiway.view.updated.v1": VIEW,
    "dev.taxiway.view.deleted.v1": VIEW,
    "dev.taxiway.webhook.created.v1": WEBHOOK,
    "dev.taxiway.webhook.updated.v1": WEBHOOK,
    "dev.taxiway.webhook.deleted.v1": WEBHOOK,
    "dev.taxiway.webhook.disabled.v1": shape("name", "host", "reason"),
}
"""JSON Schema of `data` by event type."""
