"""What happened: a CloudEvents envelope with CDEvents types where one exists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class EventDraft:
    """An event to be appended in the writer's transaction.

    `type` is a CDEvents type (`dev.cdevents.service.deployed.0.3.0`) or ours (`dev.taxiway.<noun>.<verb>.v1`);
    `subject` is what it is about: an entity reference, `run:<id>`, `repository:<name>`. `data` must hold no secret and
    no personal data beyond entity references; personal data goes into `personal`, of which only a salted digest enters
    the hashed body. `links` are other ids that an explanation needs.
    """

    type: str
    subject: str
    data: Mapping[str, Any] = field(default_factory=dict)
    subject_uid: str | None = None
    personal: Mapping[str, Any] | None = None


class EventHead(NamedTuple):
    """As much of a sealed event as tells whom it concerns."""

    seq: int
    type: str
    subject: str


@dataclass(frozen=True)
class Event:
    """A sealed event. `seq` counts from 1 without gaps; `at` is microseconds UTC; `hash` chains to the one before."""

    seq: int
    id: str
    type: str
    source: str
    subject: str
    at: int
    data: Mapping[str, Any]
    actor: str
    on_behalf_of: str | None
    via: str
    token_id: str | None
    hash: str
    subject_uid: str | None = None
