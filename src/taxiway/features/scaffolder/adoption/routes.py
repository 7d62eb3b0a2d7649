"""Adoption over HTTP: repositories that other tools made from a template, and what makes them services of it."""

from __future__ import annotations

from typing import Any

from fastapi import Query
from pydantic import BaseModel, Field

from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.scaffolder.adoption import service
from taxiway.features.scaffolder.routes import TaskRef, scaffolder_of

operations = Operations("scaffolder")
V1 = "/api/scaffolder/v1/adoptions"


class AdoptionStart(BaseModel):
    """A repository to adopt; its golden path, where its traces do not tell it; answers that are known."""

    repository: str = Field(max_length=200)
    template_ref: str | None = Field(None, max_length=300)
    answers: dict[str, Any] = Field(default_factory=dict)

    def order(self) -> service.AdoptionOrder:
        return service.AdoptionOrder(**self.model_dump())


@operations.get(V1, "scaffolder.read")
def list_adoptable(ctx: Ctx, limit: int = Query(50, ge=1, le=100), cursor: str | None = None) -> dict[str, Any]:
    """Repositories that Backstage, copier or cruft made from a template, and that have no record of it yet."""
    page = service.list_candidates(ctx, limit, cursor)
    return {"items": list(page.items), "next_cursor": page.next_cursor}


@operations.post(V1 + "/plan", "scaffolder.plan", effect="read")
def plan_adoption(ctx: Ctx, body: AdoptionStart) -> dict[str, Any]:
    """The version and the answers that most likely made a repository, and how alike they are. Nothing is kept."""
    return service.plan_adoption(ctx, scaffolder_of(ctx), body.order())


@operations.post(V1, "scaffolder.task.create", status=202)
def start_adoption(ctx: Ctx, body: AdoptionStart) -> TaskRef:
    """Propose to a repository the record of the golden path that made it: a run that opens a pull request."""
    return TaskRef(id=service.start_adoption(ctx, scaffolder_of(ctx), body.order()))
