"""An OpenID provider over HTTP: discovery, keys, codes with PKCE, tokens, user info. People are what the test says."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from factories.other_system import Asked, OtherSystem, Reply, other_system

CLIENT, SECRET = "taxiway", "client-secret"


@dataclass
class IdentityProvider:
    """`claims` is who signs in next; `wrong` overrides claims of the token, `key` signs it."""

    claims: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=lambda: {"alg": "RS256", "kid": "one"})
    key: Any = None
    published: Any = None
    discovery: dict[str, Any] = field(default_factory=dict)
    """Overrides its document."""
    down: str = ""
    """The path that answers with an error of the server."""
    system: OtherSystem = field(init=False)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.system.url

    def sign_in(self, authorization_url: str) -> dict[str, str]:
        """What a browser brings back from the address that it was sent to: code and state."""
        parts = urlsplit(authorization_url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}" == self.url
        assert (query["response_type"], query["client_id"], query["code_challenge_method"]) == ("code", CLIENT, "S256")
        assert "openid" in query["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def answer(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if path == self.down:
            return Reply(status=500)
        if path == "/.well-known/openid-configuration":
            names = {"authorization": "auth", "token": "token", "userinfo": "me", "end_session": "end"}
            found = {f"{name}_endpoint": f"{self.url}/{at}" for name, at in names.items()}
            return Reply({"issuer": self.url, "jwks_uri": f"{self.url}/keys", **found, **self.discovery})
        if path == "/keys":
            strange = [{"kty": "OKP", "crv": "Ed1", "kid": "two", "x": "AA"}, {"kty": ["?"]}, "key"]
            return Reply({"keys": [*strange, self.published.as_dict(private=False, kid="one", use="sig")]})
        if path == "/token":
            return self._token(asked)
        if path == "/me":
            assert asked.headers["authorization"] == "Bearer access"
            return Reply({"sub": self.claims["sub"], **self.user_info})
        return Reply(status=404)

    def _token(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        begun = self.codes.pop(form["code"], None)
        basic = asked.headers["authorization"].removeprefix("Basic ")
        user, _, secret = base64.b64decode(basic).decode().partition(":")
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        known = (unquote(user), unquote(secret)) == (CLIENT, SECRET)
        is_begun = begun is not None and challenge == begun["code_challenge"]
        if begun is None or not is_begun or not known or form["redirect_uri"] != begun["redirect_uri"]:
            return Reply({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"], **self.claims}
        token = jwt.encode(self.header, {**claims, **self.wrong}, self.key, algorithms=[self.header["alg"]])
        return Reply({"access_token": "access", "token_type": "Bearer", "id_token": token})


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """One on a free port of loopback."""
    provider = IdentityProvider()
    provider.key = provider.published = RSAKey.generate_key(2048)
    with other_system(provider.answer) as provider.system:
        yield provider
