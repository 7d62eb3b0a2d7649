"""Reads files of `url:` locations on Bitbucket, as its pages name them: https://<host>/<workspace>/<slug>/src/<branch>/<path>
on Cloud, https://<host>/projects/<key>/repos/<slug>/browse/<path>?at=<branch> on a Data Center."""

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
from taxiway.plugins.bitbucket.apis import content

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClients

CLOUD_PATH = re.compile(r"/(?P<name>[^/]+/[^/]+)/(?:src|raw)/(?P<ref>[^/]+)/(?P<path>.+)")
OWN_PATH = re.compile(r"/(?P<key>(?:projects|users)/[^/]+/repos/[^/]+)/(?:browse|raw)/(?P<path>.+)")
CLOUD_PLACE = re.compile(r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?(?:/(?:src|raw)/(?P<at>.+?))?/?")
OWN_PLACE = re.compile(
    r"/(?:projects/(?P<key>[^/]+)|users/(?P<user>[^/]+))/repos/(?P<slug>[^/]+)(?:/(?:browse|raw)(?:/(?P<path>.+?))?)?/?"
)
CLOUD_FORM = "<workspace>/<slug>/src/<branch>/<path>"
OWN_FORM = "projects/<key>/repos/<slug>/browse/<path>?at=<branch>"


@dataclass
class BitbucketUrls:
    """The `url_reader` of every configured Bitbucket."""

    clients: BitbucketClients
    hosts: Sequence[str]
    key: str = "bitbucket"

    def repo_url_parts(self, host: str) -> Sequence[str]:
        is_cloud = self.clients.of(host).settings.is_cloud
        return ("workspace", "project", "repo") if is_cloud else ("project", "repo")

    def open(self, url: str) -> tuple[ListedTree, str]:
        parts = urlsplit(url)
        client = self.clients.of(parts.netloc)
        is_cloud = client.settings.is_cloud
        form = CLOUD_FORM if is_cloud else OWN_FORM
        match = parsed(CLOUD_PATH if is_cloud else OWN_PATH, url, "Bitbucket", form)
        path = unquote(match["path"])
        if is_pattern(path):
            raise InputError(
                "a URL on Bitbucket names one file: use a source of type bitbucket for many", code="bitbucket.url"
            )
        if is_cloud:
            base = f"repositories/{match['name']}/src/{match['ref']}"
            query = None
            web = f"{client.web}/{match['name']}/src/{match['ref']}/"
            tail = ""
        else:
            at = parse_qs(parts.query).get("at", [""])[-1]
            base = f"{match['key']}/raw"
            query = {"at": at} if at else None
            web = f"{client.web}/{match['key']}/browse/"
            tail = f"?at={quote(at, safe='')}" if at else ""

        def fetch(one: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, f"{base}/{quote(one)}", query, one, limit)

        return ListedTree("", None, fetch, lambda one: f"{web}{quote(one)}{tail}"), path

    def checkout(self, url: str, token: str | None) -> GitCheckout:
        parts = urlsplit(url)
        client = self.clients.of(parts.netloc).acting(token)
        is_cloud = client.settings.is_cloud
        form = CLOUD_FORM if is_cloud else OWN_FORM
        match = parsed(CLOUD_PLACE if is_cloud else OWN_PLACE, url, "Bitbucket", form)
        if is_cloud:
            return checkout(client.remote(f"{match['name']}.git"), unquote(match["at"] or ""))
        owner = match["key"] or f"~{match['user']}"
        named = parse_qs(parts.query).get("at", [""])[-1].removeprefix("refs/heads/").removeprefix("refs/tags/")
        return checkout(client.remote(f"scm/{owner}/{match['slug']}.git"), named, unquote(match["path"] or ""))
