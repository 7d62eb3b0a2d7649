"""Who may own a repository, by what the catalog says: CODEOWNERS and commits, mapped to teams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.features.catalog.onboarding_guess import OWNER_FILES, People
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.query import Query
from taxiway.features.catalog.service.people import groups_of
from taxiway.features.catalog.service.query import list_entities, page_of_entities
from taxiway.features.pulls.codeowners import owners_of, parse_codeowners
from taxiway.plugin import RepositoryFacts

MAIL = re.compile(r"[^\s@,=<>]{1,64}@[^\s@,=<>]{1,190}")
PATHS = ("catalog-info.yaml", "src/main", "README.md")


@dataclass(frozen=True)
class Systems:
    """The systems of the catalog: names, and which owner has which. Read once for many repositories."""

    names: frozenset[str]
    by_owner: Mapping[str, Sequence[str]]


def read_systems(ctx: OpContext) -> Systems:
    """Every system in the default namespace."""
    found = [item for item in list_entities(ctx.platform, kind="system") if _namespace(item) == "default"]
    by_owner: dict[str, list[str]] = {}
    for item in found:
        for relation in item.get("relations", []):
            if relation["type"] == "ownedBy":
                by_owner.setdefault(relation["targetRef"], []).append(item["metadata"]["name"])
    return Systems(frozenset(item["metadata"]["name"].lower() for item in found), by_owner)


def people_of(ctx: OpContext, facts: RepositoryFacts, host_owner: str | None, systems: Systems) -> People:
    """Who may own it; only those that are in the catalog."""
    text = next((facts.files[path] for path in OWNER_FILES if path in facts.files), b"").decode(errors="replace")
    lines = parse_codeowners(text)
    named = [owner for path in PATHS for owner in owners_of(lines, path) if owner]
    named.sort(key=lambda ref: not ref.startswith("group:"))
    teams: Counter[str] = Counter()
    users = _users(ctx, [author for author, _ in facts.authors])
    for author, count in facts.authors:
        for team in _teams(ctx, users.get(author.lower())):
            teams[team] += count
    wanted = [*named, *teams, *([host_owner] if host_owner else [])]
    with ctx.platform.store.read() as conn:
        there = known_by_refs(conn, wanted)
    return People(
        list(dict.fromkeys(ref for ref in named if ref in there)),
        [(team, count) for team, count in teams.most_common() if team in there],
        host_owner if host_owner in there else None,
        systems.names,
        systems.by_owner,
    )


def _users(ctx: OpContext, authors: Sequence[str]) -> dict[str, str]:
    """The users of authors (references or mail addresses, lower case)."""
    found = {author.lower(): author.lower() for author in authors if author.startswith("user:")}
    mails = [author for author in authors if MAIL.fullmatch(author)][:20]
    if mails:
        query = Query([f"kind=user,spec.profile.email={mail}" for mail in mails])
        for text in page_of_entities(ctx, query, limit=100, with_total=False).items:
            entity = orjson.loads(text)
            mail = str(entity["spec"]["profile"]["email"]).lower()
            found[mail] = f"user:{_namespace(entity)}/{entity['metadata']['name']}".lower()
    return found


def _teams(ctx: OpContext, user: str | None) -> Iterable[str]:
    # The groups that a person is in, the nearest ones alone: parents would win every count.
    if user is None:
        return []
    text = page_of_entities(ctx, Query([f"kind=user,metadata.name={user.rpartition('/')[2]}"]), limit=5).items
    direct = {
        relation["targetRef"]
        for item in map(orjson.loads, text)
        for relation in item.get("relations", [])
        if relation["type"] == "memberOf"
    }
    return sorted(direct or groups_of(ctx.platform, user))


def _namespace(entity: Mapping[str, Any]) -> str:
    return str(entity["metadata"].get("namespace", "default"))
