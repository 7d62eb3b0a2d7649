"""Calls to an Azure DevOps. One client for each host, kept for the life of the process: it remembers rate limits."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from taxiway.model.errors import NotFoundError, UnavailableError
from taxiway.plugin import PluginContext, resolve_credential
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing
from taxiway.plugins.azure.settings import AzureHost, AzureSettings

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


@dataclass
class AzureClients:
    """The clients of every configured Azure DevOps."""

    ctx: PluginContext
    _made: dict[str, AzureClient] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, host: str) -> AzureClient:
        """The client of a host. NotFoundError when it is not in the settings."""
        settings: AzureSettings = self.ctx.settings
        found = next((item for item in settings.hosts if item.host == host), None)
        if found is None:
            raise NotFoundError(
                f"there is no Azure DevOps {host} in the settings: add it to plugins.azure.hosts", code="azure.host"
            )
        with self._lock:
            if host not in self._made:
                limits = Limits(body_bytes=100_000_000)
                outgoing = Outgoing(Hosts([host], only=True), limits=limits, stop=self.ctx.stopping)
                self._made[host] = AzureClient(found, self.ctx, outgoing)
            return self._made[host]
