"""Reads files of `url:` locations on a Gitea: https://<host>/<owner>/<repository>/src/branch/<branch>/<path>."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from taxiway.plugin.forging import Entry, ListedTree, Repository
from taxiway.plugin.forging.checkouts import GitCheckout, checkout
from taxiway.plugin.forging.trees import parsed, tree_at
from taxiway.plugins.gitea.repositories import GiteaApi, content

if TYPE_CHECKING:
    from taxiway.plugins.gitea.client import GiteaClients

_PATH = re.compile(r"/(?P<name>[^/]+/[^/]+)/(?P<what>(?:src|raw)/(?:branch|tag|commit))/(?P<ref>[^/]+)/(?P<path>.+)")
_PLACE = re.compile(r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?(?:/(?:src|raw)/(?:branch|tag|commit)/(?P<at>.+?))?/?")

FORM = "<owner>/<repository>/src/branch/<branch>/<path>"


@dataclass
class GiteaUrls:
    """The `url_reader` of every configured Gitea."""

    clients: GiteaClients
    hosts: Sequence[str]
    key: str = "gitea"

    def open(self, url: str) -> tuple[ListedTree, str]:
        match = parsed(_PATH, url, "Gitea", FORM)
        client, name, ref = self.clients.of(urlsplit(url).netloc), match["name"], unquote(match["ref"])
        path = unquote(match["path"])

        def fetch(at: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, name, ref, at, limit)

        def listing() -> Mapping[str, Entry] | None:
            found = GiteaApi(client, name.partition("/")[0]).listing(Repository(name, name, ref), ref, {})
            return None if found is None else found.entries

        base = f"{client.web}/{name}/{match['what'].replace('raw', 'src')}/{quote(ref)}/"
        return tree_at(path, listing, fetch, base)

    def checkout(self, url: str, token: str | None) -> GitCheckout:
        match = parsed(_PLACE, url, "Gitea", FORM)
        remote = self.clients.of(urlsplit(url).netloc).acting(token).reading(match["name"])
        return checkout(remote, unquote(match["at"] or ""))
