"""How a request says who makes it. Parsing only; who that is, `features/access` knows."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass

SESSION_COOKIE = "taxiway_session"
CSRF_COOKIE = "taxiway_csrf"


@dataclass(frozen=True)
class Credentials:
    """`token` from Bearer (or Basic, `basic` set), `session` from the cookie; `client` is the peer's address and
    `via` the face that it named (`X-Taxiway-Client: cli`), which is recorded but grants nothing."""

    token: str | None = None
    basic: bool = False
    session: str | None = None
    client: str = ""
    via: str = "api"

    @property
    def empty(self) -> bool:
        return self.token is None and self.session is None


def credentials_of(headers: dict[bytes, bytes], client: str, *, basic_allowed: bool) -> Credentials:
    """Credentials in request headers. A header wins over a cookie."""
    named = headers.get(b"x-taxiway-client", b"").decode("latin-1")
    via = named if named in {"cli", "portal", "mcp"} else "api"
    scheme, _, value = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return Credentials(token=value.strip(), client=client, via=via)
    if scheme.lower() == "basic" and basic_allowed:
        return Credentials(token=_password(value), basic=True, client=client, via=via)
    session = cookies_of(headers).get(SESSION_COOKIE)
    return Credentials(session=session, client=client, via=via)


def cookies_of(headers: dict[bytes, bytes]) -> dict[str, str]:
    """The cookies of a request."""
    pairs: Iterable[str] = headers.get(b"cookie", b"").decode("latin-1").split(";")
    split = (pair.strip().partition("=") for pair in pairs)
    return {name: value for name, _, value in split if name}


def csrf_of(session: str) -> str:
    """The CSRF token that belongs to a session; it tells nothing about the session's id."""
    return hmac.new(session.encode(), b"taxiway csrf", hashlib.sha256).hexdigest()


def _password(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
