"""Calls to a GitHub. One client for each host, kept for the life of the process: it remembers rate limits.

Other modules of this plugin (sources, actions) use `clients_of(ctx).of(host)`.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taxiway.model.errors import InputError
from taxiway.plugin import MICROSECONDS, PluginContext, resolve_credential
from taxiway.plugin.forging.clients import Clients, api_url, own_hosts
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Answer, Limits, Outgoing, pages
from taxiway.plugins.github.settings import GitHubHost

VERSION = "2022-11-28"
JSON = "application/vnd.github+json"
RAW = "application/vnd.github.raw+json"
EARLY_SECONDS = 300


@dataclass
class GitHubClient:
    """One GitHub. `owner` in calls picks the installation when the credential is an App."""

    settings: GitHubHost
    ctx: PluginContext
    outgoing: Outgoing
    given: str | None = field(default=None, repr=False)
    """A token that is used instead of the one in the settings."""
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def acting(self, token: str | None) -> GitHubClient:
        """Itself, or the same GitHub with the token of a person, which has rate limits of its own."""
        return replace(self, given=token) if token else self

    @property
    def web(self) -> str:
        """Where people reach it, without a trailing slash."""
        return f"{self.settings.scheme}://{self.settings.host}"

    def get(
        self, path: str, *, owner: str = "", etag: str | None = None, accept: str = JSON, limits: Limits | None = None
    ) -> Answer:
        """GET of a path of the API, or of a whole URL of it (as paging gives). The answer as it is: `checked()` it."""
        return self.outgoing.get(
            api_url(self.settings, path), etag=etag, headers=self._headers(owner, accept), limits=limits
        )

    def send(
        self, method: str, path: str, body: Any = None, *, owner: str = "", idempotent: bool | None = None
    ) -> Answer:
        """Any other call, with a JSON body."""
        return self.outgoing.send(
            method, api_url(self.settings, path), json=body, headers=self._headers(owner, JSON), idempotent=idempotent
        )

    def pages(self, path: str, *, owner: str = "") -> Iterator[Any]:
        """Every item of a list in pages."""
        for answer in pages(lambda url: self.get(url, owner=owner).checked(), api_url(self.settings, path)):
            found = answer.json()
            # Some lists are within an object, beside their number: each by a name of its own.
            yield from found if isinstance(found, list) else _only_list(found)

    def graphql(self, query: str, variables: Mapping[str, Any], *, owner: str = "") -> Mapping[str, Any]:
        """The data that a GraphQL query answers with. It only reads, so it is repeated like a GET."""
        answer = self.outgoing.send(
            "POST",
            self.settings.graphql,
            json={"query": query, "variables": dict(variables)},
            headers=self._headers(owner, JSON),
            idempotent=True,
        ).checked()
        found = answer.json()
        if not isinstance(found, dict):
            raise InputError(f"{self.settings.host} did not answer as GraphQL does: check api_url", code="github.query")
        if found.get("errors") or not isinstance(found.get("data"), dict):
            said = "; ".join(str(one.get("message", "")) for one in (found.get("errors") or [])[:3])
            raise InputError(f"{self.settings.host} refused the query: {said[:300]}", code="github.query")
        data: Mapping[str, Any] = found["data"]
        return data

    def _headers(self, owner: str, accept: str) -> dict[str, str]:
        token = self.token(owner)
        headers = {"accept": accept, "x-github-api-version": VERSION}
        return {**headers, "authorization": f"Bearer {token}"} if token else headers

    def remote(self, name: str) -> GitRemote:
        """A repository over git; as nobody where there is no credential for its owner."""
        token = self.token(name.partition("/")[0])
        authorization = basic("x-access-token", token) if token else ""
        return GitRemote(self.outgoing, f"{self.web}/{name}.git", authorization)

    def token(self, owner: str) -> str | None:
        """The credential for what belongs to `owner`; None when there is none."""
        if self.given is not None:
            return self.given
        if self.settings.token is not None:
            return resolve_credential(self.settings.token, self.ctx.secrets)
        if self.settings.app is None:
            return None
        with self._lock:
            token, until = self._tokens.get(owner, ("", 0.0))
            now = self.ctx.clock.now() / MICROSECONDS
            if until - EARLY_SECONDS < now:
                token = self._installation_token(owner, now)
                self._tokens[owner] = (token, now + 3600)
            return token

    def _installation_token(self, owner: str, now: float) -> str:
        headers = {"accept": JSON, "authorization": f"Bearer {self._app_token(now)}", "x-github-api-version": VERSION}
        found = self.outgoing.get(f"{self.settings.api}/orgs/{owner}/installation", headers=headers)
        if found.status == 404:
            found = self.outgoing.get(f"{self.settings.api}/users/{owner}/installation", headers=headers)
        number = found.checked(f"the installation of the App at {owner}").json()["id"]
        url = f"{self.settings.api}/app/installations/{number}/access_tokens"
        return str(self.outgoing.send("POST", url, headers=headers).checked("a token of the App").json()["token"])

    def _app_token(self, now: float) -> str:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        app = self.settings.app
        assert app is not None
        text = resolve_credential(app.private_key, self.ctx.secrets).replace("\\n", "\n")
        try:
            key = load_pem_private_key(text.encode(), None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise InputError("the App's private key is no RSA key in PEM form: download it anew", code="github.app_key")
        claims = {"iat": int(now) - 60, "exp": int(now) + 540, "iss": app.app_id}
        parts = b".".join(_base64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return (parts + b"." + _base64(key.sign(parts, PKCS1v15(), SHA256()))).decode()


GitHubClients = Clients[GitHubHost, GitHubClient]


def clients_of(ctx: PluginContext) -> GitHubClients:
    """The clients of every configured GitHub."""
    return Clients(ctx, "GitHub", lambda host: GitHubClient(host, ctx, Outgoing(own_hosts(host), stop=ctx.stopping)))


def _only_list(found: Mapping[str, Any]) -> list[Any]:
    return next((value for value in found.values() if isinstance(value, list)), [])


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
