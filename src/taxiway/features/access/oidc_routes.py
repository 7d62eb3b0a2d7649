"""Operations of signing in by an OpenID provider: the ways there are, and both ends of the way through a browser."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query, Request, Response
from pydantic import BaseModel

from taxiway.core.context import OpContext
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.features.access.routes import operations, set_cookies
from taxiway.features.access.service import oidc
from taxiway.model.errors import NotFoundError, TaxiwayError

__all__ = ["operations"]
BASE = "/api/access/v1/oidc"
COOKIE = "taxiway_oidc"
REFUSED = "taxiway_refused"
KEPT_SECONDS = 600
LOCAL = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")
"""A path of this portal: nobody is led elsewhere after signing in."""
URL = "/?#[]@!$&'()*+,;=:%~"
"""What an address has beside letters and digits: all else is written by its bytes, since a header takes no other."""
Name = Annotated[str, Path(max_length=63)]


class SignInWay(BaseModel):
    """A provider that one may sign in by: send the browser to `url`."""

    name: str
    title: str
    url: str


class SignInWays(BaseModel):
    """The providers, beside user name and password."""

    items: list[SignInWay]


@operations.get("/api/access/v1/ways", None, response=SignInWays)
def list_sign_in_ways(ctx: Ctx) -> Response:
    """The OpenID providers that one may sign in by."""
    return json_bytes({"items": oidc.ways(ctx.platform)})


@operations.get(f"{BASE}/{{name}}/start", None, status=303, effect="write")
def start_oidc_sign_in(ctx: Ctx, name: Name, next: Annotated[str, Query(max_length=1000)] = "/") -> Response:
    """Send the browser to a provider to sign in; afterwards it comes to the path `next`."""
    try:
        begun = oidc.begin(ctx, name, next if LOCAL.fullmatch(next) else "/")
    except NotFoundError:
        raise
    except TaxiwayError as error:
        return _to_sign_in(ctx, error)
    answer = _back(begun.url)
    kept = base64.urlsafe_b64encode(json.dumps(dict(begun.kept)).encode()).decode()
    secure = _is_https(ctx)
    answer.set_cookie(COOKIE, kept, max_age=KEPT_SECONDS, path=BASE, httponly=True, samesite="lax", secure=secure)
    return answer


@operations.get(f"{BASE}/{{name}}/callback", None, status=303, effect="write")
def complete_oidc_sign_in(
    ctx: Ctx,
    name: Name,
    request: Request,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=500)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where a provider sends the browser back to: a session, or the sign-in page with what was wrong."""
    kept = _kept(request.cookies.get(COOKIE, ""))
    address = request.client.host if request.client else ""
    try:
        opened = oidc.complete(ctx, name, kept, code, state, address, error)
    except TaxiwayError as refused:
        answer = _to_sign_in(ctx, refused)
    else:
        next_path = kept.get("next", "")
        answer = _back(quote(next_path, safe=URL) if LOCAL.fullmatch(next_path) else "/")
        set_cookies(ctx, answer, opened.session_id)
    answer.delete_cookie(COOKIE, path=BASE)
    return answer


def _to_sign_in(ctx: OpContext, error: TaxiwayError) -> Response:
    """The sign-in page, which says what was wrong: by a cookie, since anybody could write an address."""
    answer = _back("/sign-in")
    told = quote(error.detail[:300])
    answer.set_cookie(REFUSED, told, max_age=60, path="/sign-in", samesite="lax", secure=_is_https(ctx))
    return answer


def _is_https(ctx: OpContext) -> bool:
    return (ctx.platform.settings.public_url or "").startswith("https:")


def _back(url: str) -> Response:
    return Response(status_code=303, headers={"location": url, "cache-control": "no-store"})


def _kept(cookie: str) -> Mapping[str, str]:
    """What the cookie keeps; nothing where it is not as it was set: a browser can send anything."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cookie)) if cookie else {}
    except (ValueError, RecursionError):
        return {}
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
