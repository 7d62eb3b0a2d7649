"""Calls to an Azure DevOps. One client for each host, kept for the life of the process: it remembers rate limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from taxiway.model.errors import UnavailableError
from taxiway.plugin import PluginContext
from taxiway.plugin.forging.clients import Clients
from taxiway.plugin.forging.making import credential
from taxiway.plugin.forging.smart_http import GitRemote, basic
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing
from taxiway.plugins.azure.settings import AzureHost

API_VERSION = "7.0"


@dataclass
class AzureClient:
    """One Azure DevOps. Paths are below an organisation (or collection), and perhaps a project."""

    settings: AzureHost
    ctx: PluginContext
    outgoing: Outgoing
    given: str | None = field(default=None, repr=False)
    """A token that is used instead of the one in the settings."""

    def acting(self, token: str | None) -> AzureClient:
        """Itself, or the same server with the token of a person. The rate limits that were seen are shared."""
        return replace(self, given=token) if token else self

    def web(self, *parts: str) -> str:
        """The address of an organisation, a project in it and so on, for people and as the base of calls."""
        path = "/".join(quote(part) for part in (self.settings.path.strip("/"), *parts) if part)
        return f"{self.settings.scheme}://{self.settings.host}/{path}"

    def get(
        self, base: str, path: str, query: Mapping[str, str], *, limits: Limits | None = None, raw: bool = False
    ) -> Answer:
        """GET of `<base>/_apis/<path>`. The answer as it is: `checked()` it."""
        headers = self._headers("application/octet-stream" if raw else "application/json")
        return _told(self.outgoing.get(_url(base, path, query), headers=headers, limits=limits))

    def send(self, method: str, base: str, path: str, body: Any = None) -> Answer:
        """Any other call of `<base>/_apis/<path>`, with a JSON body."""
        headers = self._headers("application/json")
        return _told(self.outgoing.send(method, _url(base, path, {}), json=body, headers=headers))

    def remote(self, organization: str, project: str, name: str) -> GitRemote:
        """A repository over git."""
        return GitRemote(self.outgoing, self.web(organization, project, "_git", name), self._authorization())

    def remote_at(self, base: str, name: str) -> GitRemote:
        """A repository over git, below the `base` of a URL."""
        return GitRemote(self.outgoing, f"{base}/_git/{quote(name)}", self._authorization())

    def _authorization(self) -> str:
        return basic("", credential(self.ctx, "azure", self.settings, self.given))

    def _headers(self, accept: str) -> dict[str, str]:
        # Without the last one, a token that is not accepted leads to a page to sign in.
        return {"authorization": self._authorization(), "accept": accept, "x-tfs-fedauthredirect": "Suppress"}

    def values(self, base: str, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """The items of a list."""
        body = self.get(base, path, query).checked(f"{base}/_apis/{path}").json()
        found = body.get("value") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise UnavailableError(
                f"{self.settings.host} did not answer as Azure DevOps does: check host and path", code="azure.answer"
            )
        return [item for item in found if isinstance(item, dict)]


def _url(base: str, path: str, query: Mapping[str, str]) -> str:
    return f"{base}/_apis/{path}?{urlencode({**query, 'api-version': API_VERSION})}"


def _told(answer: Answer) -> Answer:
    # A token that ran out is told of with a status of success.
    return Answer(401, answer.headers, b"", answer.url) if answer.status == 203 else answer


AzureClients = Clients[AzureHost, AzureClient]


def clients_of(ctx: PluginContext) -> AzureClients:
    """The clients of every configured Azure DevOps."""
    limits = Limits(body_bytes=100_000_000)

    def made(host: AzureHost) -> AzureClient:
        return AzureClient(host, ctx, Outgoing(Hosts([host.host], only=True), limits=limits, stop=ctx.stopping))

    return Clients(ctx, "Azure DevOps", made)
