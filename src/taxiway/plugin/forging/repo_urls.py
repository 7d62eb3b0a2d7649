"""`repoUrl` of Backstage's actions: `host?owner=…&repo=…`, which names a repository on a forge in the settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from taxiway.model.errors import InputError

PARTS = ("owner", "organization", "workspace", "project", "repo")
LONGEST = 2000
HOST = re.compile(r"[A-Za-z0-9._-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")


@dataclass(frozen=True)
class RepoUrl:
    """Where a repository is or will be. Parts that the URL does not say are empty."""

    host: str
    owner: str = ""
    repo: str = ""
    organization: str = ""
    workspace: str = ""
    project: str = ""

    def __str__(self) -> str:
        named = "/".join(part for part in (self.organization, self.workspace, self.owner, self.project) if part)
        return "/".join(part for part in (self.host, named, self.repo) if part)


def parse_repo_url(text: str, *required: str) -> RepoUrl:
    """`github.com?owner=acme&repo=shop` in parts, as Backstage reads it. `required` are the parts that the forge cannot
    do without. InputError names the first one that is missing."""
    try:
        split = urlsplit(f"https://{text}")
        _ = split.port
    except ValueError:
        split = urlsplit("https://")
    if not HOST.fullmatch(split.netloc) or split.path not in ("", "/") or len(text) > LONGEST:
        raise InputError(
            f"'{text[:200]}' is no repoUrl: write <host>?{'&'.join(f'{name}=…' for name in required or ('repo',))}",
            code="forge.repo_url",
        )
    query = parse_qs(split.query)
    parts = {name: query[name][0].strip("/") for name in PARTS if name in query}
    if any(not {".", ".."}.isdisjoint(part.split("/")) for part in parts.values()):
        raise InputError(
            f"the repoUrl '{text[:200]}' leads out of what it names: leave '.' and '..' out of it", code="forge.dots"
        )
    for name in required:
        if not parts.get(name):
            raise InputError(
                f"the repoUrl '{text[:200]}' does not say its {name}: add {name}=… to it", code="forge.repo_url"
            )
    return RepoUrl(split.netloc.lower(), **parts)
