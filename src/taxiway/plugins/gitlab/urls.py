"""Reads files of `url:` locations on a GitLab: https://gitlab.com/<group>/<project>/-/blob/<ref>/<path>."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from taxiway.model.errors import InputError
from taxiway.plugin.forging import Entry, ListedTree
from taxiway.plugin.forging.trees import is_pattern
from taxiway.plugins.gitlab.repositories import content

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClients

_PATH = re.compile(r"/(?P<name>[^/]+(?:/[^/]+)+?)/(?:-/)?(?:blob|raw|tree)/(?P<ref>[^/]+)/(?P<path>.+)")


@dataclass
class GitLabUrls:
    """The `url_reader` of every configured GitLab."""

    clients: GitLabClients
    hosts: Sequence[str]
    key: str = "gitlab"

    def open(self, url: str) -> tuple[ListedTree, str]:
        parts = urlsplit(url)
        match = _PATH.fullmatch(parts.path)
        if match is None:
            raise InputError(
                f"'{url}' names no file on GitLab: write https://{parts.netloc}/<group>/<project>/-/blob/<branch>/<path>",
                code="gitlab.url",
            )
        client, name, ref = self.clients.of(parts.netloc), match["name"], unquote(match["ref"])
        path, project = unquote(match["path"]), quote(name, safe="")

        def fetch(at: str, entry: Entry | None, limit: int) -> bytes:
            return content(client, project, ref, at, limit)

        entries = None
        if is_pattern(path):
            listing = f"projects/{project}/repository/tree?recursive=true&per_page=100&pagination=keyset"
            items = client.pages(f"{listing}&ref={quote(ref, safe='')}")
            entries = {item["path"]: Entry(item["id"]) for item in items if item["type"] == "blob"}
        base = f"{client.web}/{name}/-/blob/{quote(ref)}/"
        return ListedTree("", entries, fetch, lambda at: base + quote(at)), path
