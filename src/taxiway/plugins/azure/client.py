"""Calls to an Azure DevOps. One client for each host, kept for the life of the process: it remembers rate limits."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from taxiway.model.errors import UnavailableError
from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.forging.clients import Clients
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing
from taxiway.plugins.azure.settings import AzureHost

API_VERSION = "7.0"


@dataclass
class AzureClient:
    """One Azure DevOps. Paths are below an organisation (or collection), and perhaps a project."""

    settings: AzureHost
    ctx: PluginContext
    outgoing: Outgoing

    def web(self, *parts: str) -> str:
        """The address of an organisation, a project in it and so on, for people and as the base of calls."""
        path = "/".join(quote(part) for part in (self.settings.path.strip("/"), *parts) if part)
        return f"{self.settings.scheme}://{self.settings.host}/{path}"

    def get(
        self, base: str, path: str, query: Mapping[str, str], *, limits: Limits | None = None, raw: bool = False
    ) -> Answer:
        """GET of `<base>/_apis/<path>`. The answer as it is: `checked()` it."""
        token = resolve_credential(self.settings.token, self.ctx.secrets)
        headers = {
            "authorization": "Basic " + base64.b64encode(f":{token}".encode()).decode(),
            "accept": "application/octet-stream" if raw else "application/json",
            # Without it, a token that is not accepted leads to a page to sign in.
            "x-tfs-fedauthredirect": "Suppress",
        }
        url = f"{base}/_apis/{path}?{urlencode({**query, 'api-version': API_VERSION})}"
        answer = self.outgoing.get(url, headers=headers, limits=limits)
        # A token that ran out is told of with a status of success.
        return Answer(401, answer.headers, b"", answer.url) if answer.status == 203 else answer

    def values(self, base: str, path: str, query: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """The items of a list."""
        body = self.get(base, path, query).checked(f"{base}/_apis/{path}").json()
        found = body.get("value") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise UnavailableError(
                f"{self.settings.host} did not answer as Azure DevOps does: check host and path", code="azure.answer"
            )
        return [item for item in found if isinstance(item, dict)]


AzureClients = Clients[AzureHost, AzureClient]


def clients_of(ctx: PluginContext) -> AzureClients:
    """The clients of every configured Azure DevOps."""
    limits = Limits(body_bytes=100_000_000)

    def made(host: AzureHost) -> AzureClient:
        return AzureClient(host, ctx, Outgoing(Hosts([host.host], only=True), limits=limits, stop=ctx.stopping))

    return Clients(ctx, "Azure DevOps", made)
