"""Reads files of `url:` locations on a GitHub: https://github.com/<owner>/<repository>/blob/<ref>/<path>."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from taxiway.plugin.forging import Entry, ListedTree, Repository
from taxiway.plugin.forging.checkouts import GitCheckout, checkout
from taxiway.plugin.forging.trees import parsed, tree_at

if TYPE_CHECKING:
    from taxiway.plugins.github.client import GitHubClients

_PATH = re.compile(r"/(?P<name>[^/]+/[^/]+)/(?:blob|tree|edit|raw)/(?P<ref>[^/]+)/(?P<path>.+)")
_PLACE = re.compile(r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?(?:/(?:blob|tree|edit|raw)/(?P<at>.+?))?/?")


@dataclass
class GitHubUrls:
    """The `url_reader` of every configured GitHub."""

    clients: GitHubClients
    hosts: Sequence[str]
    key: str = "github"

    def open(self, url: str) -> tuple[ListedTree, str]:
        match = parsed(_PATH, url, "GitHub", "<owner>/<repository>/blob/<branch>/<path>")
        from taxiway.plugins.github.repositories import GitHubApi, content

        client, name, ref = self.clients.of(urlsplit(url).netloc), match["name"], unquote(match["ref"])
        path = unquote(match["path"])

        def fetch(at: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, name, ref, at, entry, limit)

        def listing() -> Mapping[str, Entry] | None:
            found = GitHubApi(client, name.partition("/")[0]).listing(Repository(name, name, ref), ref, {})
            return None if found is None else found.entries

        base = f"{client.web}/{name}/blob/{quote(ref)}/"
        return tree_at(path, listing, fetch, base)

    def checkout(self, url: str, token: str | None) -> GitCheckout:
        match = parsed(_PLACE, url, "GitHub", "<owner>/<repository>/tree/<branch>/<path>")
        remote = self.clients.of(urlsplit(url).netloc).acting(token).remote(match["name"])
        return checkout(remote, unquote(match["at"] or ""))
