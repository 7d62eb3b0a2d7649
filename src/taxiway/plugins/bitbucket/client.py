"""Calls to a Bitbucket. One client for each host, kept for the life of the process: it remembers rate limits."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from taxiway.model.errors import InputError, NotFoundError, UnavailableError
from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing, pages
from taxiway.plugins.bitbucket.settings import BitbucketHost, BitbucketSettings


@dataclass
class BitbucketClient:
    """One Bitbucket, of either kind."""

    settings: BitbucketHost
    ctx: PluginContext
    outgoing: Outgoing

    @property
    def web(self) -> str:
        """Where people reach it, without a trailing slash."""
        return f"{self.settings.scheme}://{self.settings.host}"

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, limits: Limits | None = None) -> Answer:
        """GET of a path of the API, or of a whole URL of it (as paging gives). The answer as it is: `checked()` it."""
        url = path
        if not path.startswith(("http://", "https://")):
            url = f"{self.settings.api}/{path}" + (f"?{urlencode(query)}" if query else "")
        elif not path.startswith(self.settings.api + "/"):
            raise InputError(f"{urlsplit(path).netloc} is not the API of {self.settings.host}", code="bitbucket.host")
        token = resolve_credential(self.settings.token, self.ctx.secrets)
        credential = f"Bearer {token}"
        if self.settings.username:
            pair = f"{self.settings.username}:{token}".encode()
            credential = f"Basic {base64.b64encode(pair).decode()}"
        return self.outgoing.get(url, headers={"authorization": credential}, limits=limits)

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
            return f"{self.settings.api}/{path}?{urlencode({**query, 'start': start})}"

        first = f"{self.settings.api}/{path}?{urlencode(query)}"
        for answer in pages(lambda url: self.get(url).checked(), first, following, most):
            found = _object(answer).get("values")
            if not isinstance(found, list):
                raise _no_bitbucket()
            yield from found

    def one(self, answer: Answer) -> Mapping[str, Any]:
        """The object that a call answered with."""
        return _object(answer.checked())


@dataclass
class BitbucketClients:
    """The clients of every configured Bitbucket."""

    ctx: PluginContext
    _made: dict[str, BitbucketClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, host: str) -> BitbucketClient:
        """The client of a host. NotFoundError when it is not in the settings."""
        settings: BitbucketSettings = self.ctx.settings
        found = next((item for item in settings.hosts if item.host == host), None)
        if found is None:
            raise NotFoundError(
                f"there is no Bitbucket {host} in the settings: add it to plugins.bitbucket.hosts",
                code="bitbucket.host",
            )
        with self._lock:
            if host not in self._made:
                # Cloud may lead on to its storage for files: redirects are judged again, and the token stays here.
                hosts = Hosts([found.host, urlsplit(found.api).netloc], only=not found.is_cloud)
                outgoing = Outgoing(hosts, limits=Limits(body_bytes=50_000_000), stop=self.ctx.stopping)
                self._made[host] = BitbucketClient(found, self.ctx, outgoing)
            return self._made[host]


def _object(answer: Answer) -> Mapping[str, Any]:
    body = answer.json()
    if not isinstance(body, dict):
        raise _no_bitbucket()
    return body


def _no_bitbucket() -> UnavailableError:
    return UnavailableError("it did not answer as Bitbucket does: check host and api_url", code="bitbucket.answer")
