"""The events of pull requests, CDEvents' subject `change`. Each is emitted in the transaction of what it tells."""

from __future__ import annotations

from typing import Any

from taxiway.features.pulls.model import Row
from taxiway.model.event import EventDraft


def created(row: Row) -> EventDraft:
    """A pull request was opened."""
    data: dict[str, Any] = {
        "repository": row["repository"],
        "number": row["number"],
        "pull_id": row["id"],
        "base": row["base"],
        "head": row["head"],
        "commit": row["head_sha"],
    }
    return EventDraft("dev.cdevents.change.created.0.4.0", f"pull:{row['repository']}/{row['number']}", data, row["id"])


def updated(row: Row, what: str, before: str) -> EventDraft:
    """Its head moved, it was opened again, or its words changed: `what` says which; `before` is the head that was."""
    data: dict[str, Any] = {
        "repository": row["repository"],
        "number": row["number"],
        "pull_id": row["id"],
        "base": row["base"],
        "head": row["head"],
        "commit": row["head_sha"],
        "what": what,
        "before": before,
    }
    return EventDraft("dev.cdevents.change.updated.0.3.0", f"pull:{row['repository']}/{row['number']}", data, row["id"])


def reviewed(row: Row, review_id: str, verdict: str) -> EventDraft:
    """A verdict or a comment was given, or a verdict taken back."""
    data: dict[str, Any] = {
        "repository": row["repository"],
        "number": row["number"],
        "pull_id": row["id"],
        "base": row["base"],
        "head": row["head"],
        "commit": row["head_sha"],
        "review_id": review_id,
        "verdict": verdict,
    }
    return EventDraft(
        "dev.cdevents.change.reviewed.0.3.0", f"pull:{row['repository']}/{row['number']}", data, row["id"]
    )


def merged(row: Row, merge_commit: str, method: str) -> EventDraft:
    """The base branch became `merge_commit`."""
    data: dict[str, Any] = {
        "repository": row["repository"],
        "number": row["number"],
        "pull_id": row["id"],
        "base": row["base"],
        "head": row["head"],
        "commit": row["head_sha"],
        "merge_commit": merge_commit,
        "method": method,
    }
    return EventDraft("dev.cdevents.change.merged.0.3.0", f"pull:{row['repository']}/{row['number']}", data, row["id"])


def abandoned(row: Row, reason: str) -> EventDraft:
    """It was closed without being merged."""
    data: dict[str, Any] = {
        "repository": row["repository"],
        "number": row["number"],
        "pull_id": row["id"],
        "base": row["base"],
        "head": row["head"],
        "commit": row["head_sha"],
        "reason": reason,
    }
    return EventDraft(
        "dev.cdevents.change.abandoned.0.3.0", f"pull:{row['repository']}/{row['number']}", data, row["id"]
    )
