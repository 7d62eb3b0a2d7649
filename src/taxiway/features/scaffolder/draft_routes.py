"""Drafts of golden paths over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.operations import Operations
from taxiway.features.scaffolder import drafts
from taxiway.features.scaffolder.model import Draft
from taxiway.features.scaffolder.routes import scaffolder_of

operations = Operations("scaffolder")
BASE = "/api/scaffolder/v1/drafts"


class DraftCreate(BaseModel):
    """A form to keep: its golden path, the answers so far (secrets among them are left out), and the last page that was
    reached, from 0."""

    model_config = ConfigDict(extra="forbid")
    template_ref: str
    values: dict[str, Any] = Field(default_factory=dict)
    reached: int = Field(0, ge=0, le=1000)
    wizard_id: UUID | None = None


class DraftChange(BaseModel):
    """The answers now, in place of those at `version`."""

    model_config = ConfigDict(extra="forbid")
    values: dict[str, Any]
    reached: int = Field(0, ge=0, le=1000)
    version: int = Field(ge=0, le=2**31 - 1)
    wizard_id: UUID | None = None


class HandOver(BaseModel):
    """Who is to go on with a draft, and what he should know."""

    model_config = ConfigDict(extra="forbid")
    to: str
    note: str = Field("", max_length=drafts.MOST_NOTE)
    version: int = Field(ge=0, le=2**31 - 1)


class DraftView(BaseModel):
    """A draft. `is_mine` says that the caller holds it; one that he handed on has no values here."""

    id: str
    template_ref: str
    title: str
    values: dict[str, Any]
    reached: int
    holder: str
    created_by: str
    handed_by: str | None
    note: str
    created_at: int
    updated_at: int
    version: int
    is_mine: bool


class DraftList(BaseModel):
    """The caller's drafts, the newest first; all of them."""

    items: list[DraftView]


@operations.get(BASE, drafts.CREATE, response=DraftList)
def list_drafts(ctx: Ctx) -> dict[str, Any]:
    """Half-filled forms that the caller holds, and those that he handed on."""
    return {"items": [_view(ctx, draft) for draft in drafts.list_drafts(ctx)]}


@operations.post(BASE, drafts.CREATE, status=201, response=DraftView)
def create_draft(ctx: Ctx, body: DraftCreate) -> dict[str, Any]:
    """Keep a half-filled form."""
    template = scaffolder_of(ctx).template(body.template_ref)
    return _view(ctx, drafts.save_draft(ctx, template, body.values, body.reached, None, 0, wizard_id=body.wizard_id))


@operations.get(BASE + "/{draft_id}", drafts.CREATE, response=DraftView)
def get_draft(ctx: Ctx, draft_id: str) -> dict[str, Any]:
    """A draft that the caller holds."""
    return _view(ctx, drafts.get_draft(ctx, draft_id))


@operations.put(BASE + "/{draft_id}", drafts.CREATE, response=DraftView)
def update_draft(ctx: Ctx, draft_id: str, body: DraftChange) -> dict[str, Any]:
    """Replace the answers of a draft."""
    template = scaffolder_of(ctx).template(drafts.get_draft(ctx, draft_id).template_ref)
    saved = drafts.save_draft(
        ctx, template, body.values, body.reached, draft_id, body.version, wizard_id=body.wizard_id
    )
    return _view(ctx, saved)


@operations.delete(BASE + "/{draft_id}", drafts.CREATE, status=204)
def delete_draft(ctx: Ctx, draft_id: str) -> Response:
    """Give a draft up."""
    drafts.drop_draft(ctx, draft_id)
    return Response(status_code=204)


@operations.post(BASE + "/{draft_id}/hand-over", drafts.CREATE, response=DraftView)
def hand_over_draft(ctx: Ctx, draft_id: str, body: HandOver) -> dict[str, Any]:
    """Give a draft to another person."""
    return _view(ctx, drafts.hand_over(ctx, draft_id, body.to, body.note, body.version))


def _view(ctx: Ctx, draft: Draft) -> dict[str, Any]:
    is_mine = draft.holder == ctx.principal.subject
    return {**asdict(draft), "values": dict(draft.values) if is_mine else {}, "is_mine": is_mine}
