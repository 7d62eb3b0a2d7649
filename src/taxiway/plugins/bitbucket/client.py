"""Calls to a Bitbucket. One client for each host, kept for the life of the process: it remembers rate limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from taxiway.model.errors import UnavailableError
from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients, api_url, own_hosts
from taxiway.plugin.forging.making import credential
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Answer, Limits, Outgoing, pages
from taxiway.plugins.bitbucket.settings import BitbucketHost


@dataclass
class BitbucketClient:
    """One Bitbucket, of either kind."""

    settings: BitbucketHost
    ctx: PluginContext
    outgoing: Outgoing
    given: str | None = field(default=None, repr=False)
    """A token that is used instead of the one in the settings."""

    def acting(self, token: str | None) -> BitbucketClient:
        """Itself, or the same Bitbucket with the token of a person. The rate limits that were seen are shared."""
        return replace(self, given=token) if token else self

    @property
    def web(self) -> str:
        """Where people reach it, without a trailing slash."""
        return f"{self.settings.scheme}://{self.settings.host}"

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, limits: Limits | None = None) -> Answer:
        """GET of a path of the API, or of a whole URL of it (as paging gives). The answer as it is: `checked()` it."""
        url = api_url(self.settings, path) + (f"?{urlencode(query, doseq=True)}" if query else "")
        return self.outgoing.get(url, headers=self._headers(), limits=limits)

    def send(self, method: str, path: str, body: Any = None) -> Answer:
        """Any other call, with a JSON body. The answer as it is: `checked()` it."""
        return self.outgoing.send(method, api_url(self.settings, path), json=body, headers=self._headers())

    def send_form(self, method: str, path: str, fields: Mapping[str, str | bytes]) -> Answer:
        """A call with the fields of a form, as files are written by both kinds. It is not tried again by itself."""
        from urllib3.filepost import encode_multipart_formdata

        body, kind = encode_multipart_formdata(dict(fields))
        headers = {**self._headers(), "content-type": kind}
        return self.outgoing.send(method, api_url(self.settings, path), body=body, headers=headers, idempotent=False)

    def send_beside(self, method: str, path: str) -> Answer:
        """A call below `<host>/rest`, beside the API: what comes with a Data Center as an add-on."""
        return self.outgoing.send(method, f"{self.web}/rest/{path}", headers=self._headers())

    def remote(self, path: str) -> GitRemote:
        """The repository at a path of the host, over git."""
        token, user = self._token(), self._user()
        if self.settings.is_cloud:
            # The names that Cloud wants with each kind of token; that of an account goes with its own for the API only.
            authorization = basic("x-bitbucket-api-token-auth" if user else "x-token-auth", token)
        else:
            authorization = basic(user, token) if user else f"Bearer {token}"
        return GitRemote(self.outgoing, f"{self.web}/{path}", authorization)

    def _token(self) -> str:
        return credential(self.ctx, "bitbucket", self.settings, self.given)

    def _user(self) -> str:
        return self.settings.username if self.given is None else ""

    def _headers(self) -> dict[str, str]:
        token, user = self._token(), self._user()
        return {"authorization": basic(user, token) if user else f"Bearer {token}"}

    def values(self, path: str, query: Mapping[str, Any], most: int = 2000) -> Iterator[Any]:
        """Every item of a list in pages, as both kinds tell of them; at most `most` pages."""

        def following(answer: Answer) -> str | None:
            body = _object(answer)
            if self.settings.is_cloud:
                found = body.get("next")
                return found if isinstance(found, str) else None
            start = body.get("nextPageStart")
            if body.get("isLastPage", True) or not isinstance(start, int):
                return None
            return f"{self.settings.api}/{path}?{urlencode({**query, 'start': start}, doseq=True)}"

        first = f"{self.settings.api}/{path}?{urlencode(query, doseq=True)}"
        for answer in pages(lambda url: self.get(url).checked(), first, following, most):
            found = _object(answer).get("values")
            if not isinstance(found, list):
                raise _no_bitbucket()
            yield from found

    def one(self, answer: Answer) -> Mapping[str, Any]:
        """The object that a call answered with."""
        return _object(answer.checked())


BitbucketClients = Clients[BitbucketHost, BitbucketClient]


def clients_of(ctx: PluginContext) -> BitbucketClients:
    """The clients of every configured Bitbucket."""
    limits = Limits(body_bytes=50_000_000)

    def made(host: BitbucketHost) -> BitbucketClient:
        # Cloud may lead on to its storage for files: redirects are judged again, and the token stays here.
        hosts = own_hosts(host, only=not host.is_cloud)
        return BitbucketClient(host, ctx, Outgoing(hosts, limits=limits, stop=ctx.stopping))

    return Clients(ctx, "Bitbucket", made)


def _object(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    if not isinstance(body, dict):
        raise _no_bitbucket()
    return body


def _no_bitbucket() -> UnavailableError:
    return UnavailableError("it did not answer as Bitbucket does: check host and api_url", code="bitbucket.answer")
