"""Reads files of `url:` locations on a GitLab: https://gitlab.com/<group>/<project>/-/blob/<ref>/<path>."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from taxiway.plugin.forging import Entry, ListedTree
from taxiway.plugin.forging.checkouts import GitCheckout, checkout
from taxiway.plugin.forging.trees import parsed, tree_at
from taxiway.plugins.gitlab.repositories import content, files

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClients

_PATH = re.compile(r"/(?P<name>[^/]+(?:/[^/]+)+?)/(?:-/)?(?:blob|raw|tree)/(?P<ref>[^/]+)/(?P<path>.+)")
_PLACE = re.compile(r"/(?P<name>[^/]+(?:/[^/]+)+?)(?:\.git)?(?:/(?:-/)?(?:blob|raw|tree)/(?P<at>.+?))?/?")


@dataclass
class GitLabUrls:
    """The `url_reader` of every configured GitLab."""

    clients: GitLabClients
    hosts: Sequence[str]
    key: str = "gitlab"

    def open(self, url: str) -> tuple[ListedTree, str]:
        match = parsed(_PATH, url, "GitLab", "<group>/<project>/-/blob/<branch>/<path>")
        client, name, ref = self.clients.of(urlsplit(url).netloc), match["name"], unquote(match["ref"])
        path, project = unquote(match["path"]), quote(name, safe="")

        def fetch(at: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, project, ref, at, limit)

        base = f"{client.web}/{name}/-/blob/{quote(ref)}/"
        return tree_at(path, lambda: files(client, project, ref), fetch, base)

    def checkout(self, url: str, token: str | None) -> GitCheckout:
        match = parsed(_PLACE, url, "GitLab", "<group>/<project>/-/tree/<branch>/<path>")
        remote = self.clients.of(urlsplit(url).netloc).acting(token).reading(match["name"])
        return checkout(remote, unquote(match["at"] or ""))
