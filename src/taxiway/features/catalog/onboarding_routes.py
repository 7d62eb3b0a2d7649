"""Operations of onboarding in bulk: look for repositories without a descriptor, list them, and propose one for many."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.catalog import views
from taxiway.features.catalog.edit_routes import EditProblem
from taxiway.features.catalog.service import onboarding
from taxiway.features.catalog.service.edit_source import EDIT
from taxiway.kit.paging import MAX_LIMIT

operations = Operations("catalog")
BASE = "/api/catalog/v1/onboarding"
MAX_TEXT = 100_000
Name = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]+$")]


class DescriptorProposal(BaseModel):
    """A proposed descriptor: its text, what was guessed, and why. It is ready when it has an owner and a free name."""

    text: str
    kind: str
    name: str
    type: str
    owner: str | None
    system: str | None
    apis: list[str]
    reasons: dict[str, str]
    is_taken: bool
    is_ready: bool


class OnboardingRow(BaseModel):
    """A repository: whether it has a descriptor, lacks one, or has a pull request that brings one."""

    source: str
    name: str
    status: Literal["has", "missing", "proposed"]
    owner: str | None
    url: str
    pull: str | None
    looked_at: int
    proposal: DescriptorProposal | None


class OnboardingList(BaseModel):
    """A page of repositories, how many have each status, and when they were looked at last."""

    items: list[OnboardingRow]
    next_cursor: str | None
    counts: dict[str, int]
    looked_at: int | None


class OnboardingWish(BaseModel):
    """A repository that is to get a descriptor, with another text than the proposed one where that was edited."""

    model_config = ConfigDict(extra="forbid")
    source: Name = "git_local"
    name: Name
    text: str | None = Field(None, max_length=MAX_TEXT)


class OnboardingBody(BaseModel):
    """The repositories to open a pull request for."""

    model_config = ConfigDict(extra="forbid")
    items: list[OnboardingWish] = Field(min_length=1, max_length=onboarding.MOST)


class DescriptorText(BaseModel):
    """A descriptor to be judged."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=MAX_TEXT)


class DescriptorVerdict(BaseModel):
    """What is wrong with a descriptor; nothing when it is valid."""

    problems: list[EditProblem]


@operations.get(f"{BASE}/repositories", EDIT, response=OnboardingList)
def list_onboarding(
    ctx: Ctx,
    status: Annotated[Literal["has", "missing", "proposed"] | None, Query()] = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Repositories that were looked at for a descriptor, by name, with a proposed one for those without."""
    page, counts, last = onboarding.list_repositories(ctx, status=status, text=text, cursor=cursor, limit=limit)
    body: dict[str, Any] = {"items": page.items, "next_cursor": page.next_cursor, "counts": counts, "looked_at": last}
    return json_bytes(body)


@operations.post(f"{BASE}/looks", onboarding.LOOK, status=202, response=views.Started)
def start_onboarding_look(ctx: Ctx, afresh: bool = False) -> Response:
    """Look for repositories without a descriptor in a run; those that did not change are opened only with `afresh`."""
    return _started(onboarding.start_look(ctx, afresh=afresh))


@operations.post(f"{BASE}/pulls", EDIT, status=202, response=views.Started)
def start_onboarding(ctx: Ctx, body: OnboardingBody) -> Response:
    """Open a pull request with a descriptor for each repository, in a run with a step for each."""
    wishes = [onboarding.Wish(item.source, item.name, item.text) for item in body.items]
    return _started(onboarding.start_onboarding(ctx, wishes))


@operations.post(f"{BASE}/judge", EDIT, effect="read", response=DescriptorVerdict)
def judge_onboarding(ctx: Ctx, body: DescriptorText) -> Response:
    """What the catalog would say of a descriptor. Files beside it are not looked into."""
    found = onboarding.problems_of(body.text)[:100]
    told = [{"line": item.line, "code": item.code, "detail": item.detail, "remedy": item.remedy} for item in found]
    return json_bytes({"problems": told})


def _started(run_id: str) -> Response:
    return json_bytes({"run_id": run_id}, status=202, headers={"location": f"/api/runs/v1/runs/{run_id}"})
