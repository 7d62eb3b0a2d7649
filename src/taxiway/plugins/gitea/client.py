"""Calls to a Gitea or Forgejo. One client for each host, kept for the life of the process: it remembers rate limits.

Other modules of this plugin (sources, actions) use `GiteaClients(ctx).of(host)`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing, pages
from taxiway.plugins.gitea.settings import GiteaHost, GiteaSettings


@dataclass
class GiteaClient:
    """One Gitea."""

    settings: GiteaHost
    ctx: PluginContext
    outgoing: Outgoing

    @property
    def web(self) -> str:
        """Where people reach it, without a trailing slash."""
        return f"{self.settings.scheme}://{self.settings.host}"

    def get(self, path: str, *, etag: str | None = None, limits: Limits | None = None) -> Answer:
        """GET of a path of the API, or of a whole URL of it (as paging gives). The answer as it is: `checked()` it."""
        return self.outgoing.get(self._url(path), etag=etag, headers=self._headers(), limits=limits)

    def send(self, method: str, path: str, body: Any = None, *, idempotent: bool | None = None) -> Answer:
        """Any other call, with a JSON body."""
        return self.outgoing.send(method, self._url(path), json=body, headers=self._headers(), idempotent=idempotent)

    def pages(self, path: str) -> Iterator[Any]:
        """Every item of a list in pages."""
        for answer in pages(lambda url: self.get(url).checked(), self._url(path)):
            yield from answer.json()

    def _url(self, path: str) -> str:
        if path.startswith(("http://", "https://")):
            if not path.startswith(self.settings.api + "/"):
                raise InputError(f"{urlsplit(path).netloc} is not the API of {self.settings.host}", code="gitea.host")
            return path
        return f"{self.settings.api}/{path.lstrip('/')}"

    def _headers(self) -> dict[str, str]:
        if self.settings.token is None:
            return {"accept": "application/json"}
        token = resolve_credential(self.settings.token, self.ctx.secrets)
        return {"accept": "application/json", "authorization": f"token {token}"}


@dataclass
class GiteaClients:
    """The clients of every configured Gitea."""

    ctx: PluginContext
    _made: dict[str, GiteaClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, host: str) -> GiteaClient:
        """The client of a host. NotFoundError when it is not in the settings."""
        settings: GiteaSettings = self.ctx.settings
        found = next((item for item in settings.hosts if item.host == host), None)
        if found is None:
            raise NotFoundError(
                f"there is no Gitea {host} in the settings: add it to plugins.gitea.hosts", code="gitea.host"
            )
        with self._lock:
            if host not in self._made:
                hosts = Hosts([found.host, urlsplit(found.api).netloc])
                self._made[host] = GiteaClient(found, self.ctx, Outgoing(hosts, stop=self.ctx.stopping))
            return self._made[host]


def quoted(name: str) -> str:
    """A project's or group's path, or a file's, as one segment of a URL."""
    return quote(name, safe="")
