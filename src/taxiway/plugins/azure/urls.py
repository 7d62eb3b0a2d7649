"""Reads files of `url:` locations on Azure DevOps, as its pages name them:
https://<host>/<organisation>/<project>/_git/<repository>?path=/<path>&version=GB<branch>."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

from taxiway.model.errors import InputError
from taxiway.plugin.forging import Entry, ListedTree
from taxiway.plugin.forging.checkouts import GitCheckout, checkout
from taxiway.plugin.forging.trees import is_pattern, parsed
from taxiway.plugin.outgoing import shown
from taxiway.plugins.azure.repositories import content

if TYPE_CHECKING:
    from taxiway.plugins.azure.client import AzureClients

_PATH = re.compile(r"/(?P<base>.+)/_git/(?P<name>[^/]+)/?")
FORM = "<organisation>/<project>/_git/<repository>?path=/<path>&version=GB<branch>"
VERSIONS = {"GB": "branch", "GT": "tag", "GC": "commit"}


@dataclass
class AzureUrls:
    """The `url_reader` of every configured Azure DevOps."""

    clients: AzureClients
    hosts: Sequence[str]
    key: str = "azure"

    def repo_url_parts(self, host: str) -> Sequence[str]:
        return ("organization", "project", "repo")

    def open(self, url: str) -> tuple[ListedTree, str]:
        parts = urlsplit(url)
        match, query = parsed(_PATH, url, "Azure DevOps", FORM), parse_qs(parts.query)
        path = query.get("path", [""])[-1].lstrip("/")
        if not path:
            raise InputError(
                f"{shown(url)} names no file on Azure DevOps: write https://{parts.netloc}/{FORM}", code="azure.url"
            )
        if is_pattern(path):
            raise InputError(
                "a URL on Azure DevOps names one file: use a source of type azure for many", code="azure.url"
            )
        client, version = self.clients.of(parts.netloc), query.get("version", [""])[-1]
        at = {}
        if version:
            kind, named = _version(version)
            at = {"versionDescriptor.version": named, "versionDescriptor.versionType": kind}
        # The scheme is that of the settings: the credential never goes in the clear because an address says http.
        base = f"{client.settings.scheme}://{client.settings.host}/{match['base']}"
        name = unquote(match["name"])

        def fetch(one: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, base, name, at, one, limit)

        tail = f"&version={quote(version)}" if version else ""
        return ListedTree("", None, fetch, lambda one: f"{base}/_git/{quote(name)}?path=/{quote(one)}{tail}"), path

    def checkout(self, url: str, token: str | None) -> GitCheckout:
        match, parts = parsed(_PATH, url, "Azure DevOps", FORM), urlsplit(url)
        query = parse_qs(parts.query)
        client, version = self.clients.of(parts.netloc).acting(token), query.get("version", [""])[-1]
        base = f"{client.settings.scheme}://{client.settings.host}/{match['base']}"
        named = _version(version)[1] if version else ""
        return checkout(client.remote_at(base, unquote(match["name"])), named, query.get("path", [""])[-1])


def _version(text: str) -> tuple[str, str]:
    """(kind, name) of a version as URLs say it."""
    kind = VERSIONS.get(text[:2])
    if kind is None:
        raise InputError(f"'{text}' is no version: write GB<branch>, GT<tag> or GC<commit>", code="azure.url")
    return kind, text[2:]
