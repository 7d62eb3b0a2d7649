"""Shapes of the answers about configured sources."""

from __future__ import annotations

from pydantic import BaseModel


class HeldEntity(BaseModel):
    """An entity whose removal waits for review. Times are microseconds UTC."""

    ref: str
    since_at: int
    location: str
    owner: str | None


class HeldEntities(BaseModel):
    """A page of removals that wait."""

    items: list[HeldEntity]
    next_cursor: str | None


class Reviewed(BaseModel):
    """What a review decided: how many entities went or stayed."""

    removed: int
    kept: int


class Heard(BaseModel):
    """What a webhook set off: the run that reads what it touches, or none."""

    run_id: str | None
