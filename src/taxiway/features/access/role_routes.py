"""Operations of roles: who has which. What a group has, everybody in it has; who signs in by a provider has none."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import BaseModel, ConfigDict, Field

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.features.access import service
from taxiway.features.access.model import Assignment
from taxiway.features.access.oidc_routes import operations
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.access import Role

__all__ = ["operations"]
ROLES_PATH = "/api/access/v1/roles"
Member = Annotated[str, Query(max_length=500, description="reference of a user or group")]


class RoleRequest(BaseModel):
    """A role for a user or group: `user:default/bea`, `group:default/platform`."""

    model_config = ConfigDict(extra="forbid")
    member: str = Field(max_length=500)
    role: Role


class RoleView(BaseModel):
    """A role that a user or group has. Times are microseconds UTC."""

    member: str
    role: Role
    created_at: int


class RoleList(BaseModel):
    """A page of roles, by member."""

    items: list[RoleView]
    next_cursor: str | None


@operations.get(ROLES_PATH, "access.roles", response=RoleList)
def list_roles(
    ctx: Ctx, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """Roles that users and groups have."""
    page = service.list_roles(ctx, limit, cursor)
    return json_list([_view(item) for item in page.items], page.next_cursor)


@operations.post(ROLES_PATH, "access.roles", status=201, response=RoleView)
def assign_role(ctx: Ctx, body: RoleRequest) -> Any:
    """Give a user or group a role; nothing changes when it has it."""
    return json_bytes(_view(service.assign_role(ctx, body.member, body.role)), status=201)


@operations.delete(ROLES_PATH, "access.roles", status=204)
def remove_role(ctx: Ctx, member: Member, role: Role) -> Response:
    """Take a role back; nothing changes when the user or group has it not."""
    service.remove_role(ctx, member, role)
    return Response(status_code=204)


def _view(item: Assignment) -> dict[str, Any]:
    return {"member": item.member, "role": item.role, "created_at": item.created_at}
