"""Operations of access: sign in and out, who am I, API tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from taxiway.core.context import OpContext
from taxiway.core.http.context import REFUSAL, Ctx
from taxiway.core.http.credentials import CSRF_COOKIE, SESSION_COOKIE, csrf_of
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.operations import Operations
from taxiway.core.permissions import may_at_all
from taxiway.features.access import service
from taxiway.features.access.model import ABSOLUTE, ApiToken
from taxiway.features.access.service import oidc
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from taxiway.model.access import NOBODY, Principal, Role
from taxiway.model.errors import AuthenticationError

operations = Operations("access")


class SignIn(BaseModel):
    """Either user name and password, or the token of a one-time sign-in link."""

    model_config = ConfigDict(extra="forbid")
    username: str | None = Field(None, max_length=200)
    password: SecretStr | None = Field(None, max_length=1000)
    link_token: SecretStr | None = Field(None, max_length=200)

    @model_validator(mode="after")
    def _one_way(self) -> SignIn:
        by_password = self.username is not None and self.password is not None
        if by_password == (self.link_token is not None):
            raise ValueError("send either username and password, or link_token")
        return self


class PrincipalView(BaseModel):
    """Somebody, as the portal shows them."""

    ref: str
    display_name: str
    roles: list[str]


class SignedIn(BaseModel):
    """The answer to a sign-in; the session is in the cookie."""

    principal: PrincipalView


class SignedOut(BaseModel):
    """Send the browser to `url`, which ends the session at the provider too; null: there is none to end."""

    url: str | None


class Me(PrincipalView):
    """The caller, with what they may do at all. `csrf` belongs into X-CSRF-Token on writes of a cookie session."""

    groups: list[str]
    permissions: list[str]
    csrf: str | None


class TokenRequest(BaseModel):
    """A token to be made. Without `scopes` it may do what its role may."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=100)
    role: Role = "developer"
    ttl_seconds: int = Field(30 * 24 * 3600, ge=1, le=366 * 24 * 3600)
    scopes: list[str] | None = Field(None, max_length=100)


class TokenView(BaseModel):
    """A token as it is listed. Times are microseconds UTC."""

    id: str
    name: str
    role: Role
    subject: str
    scopes: list[str] | None
    created_at: int
    expires_at: int


class CreatedToken(TokenView):
    """A token just made: its value is in `token`, this once."""

    token: str


class TokenList(BaseModel):
    """A page of tokens."""

    items: list[TokenView]
    next_cursor: str | None


@operations.post("/api/access/v1/sessions", None, status=201, response=SignedIn)
def create_session(ctx: Ctx, body: SignIn, request: Request) -> Any:
    """Sign in with a password or a one-time link."""
    address = request.client.host if request.client else ""
    if body.link_token is not None:
        opened = service.sign_in_with_link(ctx, body.link_token.get_secret_value(), address)
    else:
        password = body.password.get_secret_value() if body.password else ""
        opened = service.sign_in_with_password(ctx, body.username or "", password, address)
    answer = json_bytes({"principal": _view(opened.principal)}, status=201, headers={"cache-control": "no-store"})
    set_cookies(ctx, answer, opened.session_id)
    return answer


@operations.delete("/api/access/v1/sessions/current", None, status=204, effect="write")
def delete_current_session(ctx: Ctx, request: Request) -> Response:
    """Sign out here. The session at a provider stays."""
    session_id = request.cookies.get(SESSION_COOKIE)
    if session_id:
        service.sign_out(ctx, session_id)
    return _without_cookies(Response(status_code=204))


@operations.post("/api/access/v1/sessions/current/end", None, response=SignedOut)
def end_current_session(ctx: Ctx, request: Request) -> Any:
    """Sign out here, and learn where the browser ends the session at the provider, if it came by one that is set to."""
    session_id = request.cookies.get(SESSION_COOKIE)
    url = oidc.sign_out_everywhere(ctx, session_id) if session_id else None
    return _without_cookies(json_bytes({"url": url}, headers={"cache-control": "no-store"}))


@operations.get("/api/access/v1/me", None, response=Me)
def get_me(ctx: Ctx, request: Request) -> Any:
    """Who the caller is, and what they may do."""
    principal = ctx.principal
    if principal is NOBODY:
        refusal = request.scope.get(REFUSAL)
        raise AuthenticationError(refusal or "sign in, or send an API token as 'Authorization: Bearer …'")
    permissions = ctx.platform.permissions
    session_id = request.cookies.get(SESSION_COOKIE)
    return json_bytes(
        _view(principal)
        | {
            "display_name": oidc.called(ctx.platform, principal.subject) or principal.display_name,
            "groups": sorted(principal.ownership - {principal.subject}),
            "permissions": sorted(name for name in permissions if may_at_all(permissions, principal, name).allowed),
            "csrf": csrf_of(session_id) if session_id and principal.token_id is None else None,
        },
        headers={"cache-control": "no-store"},
    )


@operations.get("/api/access/v1/tokens", "access.tokens", response=TokenList)
def list_tokens(
    ctx: Ctx, limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT, cursor: str | None = None
) -> Any:
    """API tokens that the caller may see, newest first."""
    page = service.list_tokens(ctx, limit, cursor)
    return json_list([_token(token) for token in page.items], page.next_cursor)


@operations.post("/api/access/v1/tokens", "access.tokens", status=201, response=CreatedToken)
def create_token(ctx: Ctx, body: TokenRequest) -> Any:
    """Make an API token. Its value is in this answer only."""
    made = service.create_token(ctx, body.name, body.role, body.ttl_seconds, body.scopes)
    return json_bytes(_token(made.token) | {"token": made.value}, status=201, headers={"cache-control": "no-store"})


@operations.delete("/api/access/v1/tokens/{token_id}", "access.tokens", status=204)
def delete_token(ctx: Ctx, token_id: str) -> Response:
    """Revoke an API token."""
    service.revoke_token(ctx, token_id)
    return Response(status_code=204)


def _view(principal: Principal) -> dict[str, Any]:
    return {
        "ref": principal.subject,
        "display_name": principal.display_name,
        "roles": sorted(principal.roles),
    }


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "subject": token.subject,
        "scopes": None if token.scopes is None else list(token.scopes),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }


def _without_cookies(answer: Response) -> Response:
    answer.delete_cookie(SESSION_COOKIE)
    answer.delete_cookie(CSRF_COOKIE)
    return answer


def set_cookies(ctx: OpContext, answer: Response, session_id: str) -> None:
    """Give the browser its session."""
    is_https = (ctx.platform.settings.public_url or "").startswith("https:")
    age = ABSOLUTE // MICROSECONDS
    answer.set_cookie(SESSION_COOKIE, session_id, max_age=age, httponly=True, samesite="lax", secure=is_https)
    answer.set_cookie(CSRF_COOKIE, csrf_of(session_id), max_age=age, samesite="lax", secure=is_https)
