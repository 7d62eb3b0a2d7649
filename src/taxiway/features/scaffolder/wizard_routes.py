"""How far the portal's forms came, over HTTP."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.scaffolder import wizards
from taxiway.features.scaffolder.drafts import CREATE
from taxiway.features.scaffolder.routes import scaffolder_of

operations = Operations("scaffolder")


class PageReached(BaseModel):
    """The page of a golden path's form that is on screen, from 0; the one behind the last is the review."""

    model_config = ConfigDict(extra="forbid")
    template_ref: str
    page: int = Field(ge=0, le=1000)


@operations.put("/api/scaffolder/v1/wizards/{wizard_id}", CREATE, status=204)
def reach_page(ctx: Ctx, wizard_id: UUID, body: PageReached) -> Response:
    """Tell how far a form came, under an id that whoever shows it makes up. `wizardId` of a task, or `wizard_id` of a
    draft, says what came of it. Golden paths in figures show on which page forms are given up; by whom is not kept."""
    wizards.reach(ctx, scaffolder_of(ctx).template(body.template_ref), wizard_id, body.page)
    return Response(status_code=204)
