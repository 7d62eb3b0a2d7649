"""People and teams of a GitHub organisation as entities: the source `github-org`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from taxiway.model.errors import InputError, NotFoundError, UnavailableError
from taxiway.plugin import PluginSettings, SourcedEntity, SourceEnd, SourceItem, SourcePart, SourceRequest
from taxiway.plugin.forging import group_document, org_document, safe_name, user_document
from taxiway.plugins.github.settings import PUBLIC

if TYPE_CHECKING:
    from taxiway.plugins.github.client import GitHubClient, GitHubClients

MOST_PAGES = 1000
MEMBERS = """
query members($org: String!, $after: String) {
  organization(login: $org) {
    name avatarUrl
    membersWithRole(first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { login name email bio avatarUrl }
    }
  }
}
"""
TEAMS = """
query teams($org: String!, $after: String) {
  organization(login: $org) {
    teams(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        slug name description avatarUrl
        parentTeam { slug }
        members(first: 100, membership: IMMEDIATE) { pageInfo { hasNextPage endCursor } nodes { login } }
      }
    }
  }
}
"""
TEAM = """
query team($org: String!, $slug: String!, $after: String) {
  organization(login: $org) {
    team(slug: $slug) {
      members(first: 100, after: $after, membership: IMMEDIATE) {
        pageInfo { hasNextPage endCursor } nodes { login }
      }
    }
  }
}
"""


class GitHubOrgOptions(PluginSettings):
    """Whose people are read."""

    host: str = Field(PUBLIC, description="which GitHub of plugins.github.hosts")
    org: str = Field(pattern=r"^[A-Za-z0-9_.-]+$", description="organisation whose members and teams are read")


@dataclass
class GitHubOrgSource:
    """The source type `github-org`. GitHub's GraphQL API needs a credential."""

    clients: GitHubClients
    key: str = "github-org"
    options: type[GitHubOrgOptions] = GitHubOrgOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        client, org = self.clients.of(request.options.host), str(request.options.org)
        if client.settings.token is None and client.settings.app is None:
            raise InputError(
                f"people of {org} cannot be read without a credential: set a token or an app for "
                f"{client.settings.host} in plugins.github.hosts",
                code="github.credential",
            )
        teams_of: dict[str, list[str]] = {}
        teams = list(_connection(client, org, TEAMS, {}, ("organization", "teams")))
        for team in teams:
            if request.cancelled.is_set():
                return
            members = [node["login"] for node in team["members"]["nodes"]]
            page = team["members"]["pageInfo"]
            if page["hasNextPage"]:
                variables = {"slug": team["slug"], "after": page["endCursor"]}
                rest = _connection(client, org, TEAM, variables, ("organization", "team", "members"))
                members.extend(node["login"] for node in rest)
            for login in members:
                teams_of.setdefault(login, []).append(safe_name(team["slug"]))
            yield SourcedEntity(_team(org, team), f"url:{client.web}/orgs/{org}/teams/{team['slug']}", 1, True)
        yield SourcedEntity(_organisation(org), f"url:{client.web}/{org}", 1, True)
        for member in _connection(client, org, MEMBERS, {}, ("organization", "membersWithRole")):
            document = _user(member, teams_of.get(member["login"], []))
            yield SourcedEntity(document, f"url:{client.web}/{member['login']}", 1, True)
        yield SourcePart("people")
        yield SourceEnd()


def _connection(
    client: GitHubClient, org: str, query: str, variables: Mapping[str, Any], path: tuple[str, ...]
) -> Iterator[Mapping[str, Any]]:
    after, seen = variables.get("after"), set[str]()
    for _ in range(MOST_PAGES):
        found: Any = client.graphql(query, {**variables, "org": org, "after": after}, owner=org)
        for key in path:
            found = found.get(key)
            if found is None:
                raise NotFoundError(
                    f"the organisation {org} is not on {client.settings.host}, or the credential may not see its {key}",
                    code="github.org",
                )
        yield from (node for node in found["nodes"] if node)
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            return
        if not after or after in seen:
            break
        seen.add(after)
    raise UnavailableError(f"the list of {path[-1]} of {org} does not end", code="github.endless")


def _team(org: str, team: Mapping[str, Any]) -> dict[str, Any]:
    return group_document(
        team["slug"],
        annotations={"github.com/team-slug": f"{org}/{team['slug']}"},
        parent=(team.get("parentTeam") or {}).get("slug") or org,
        profile={"displayName": team.get("name"), "picture": team.get("avatarUrl")},
        about=team.get("description") or "",
    )


def _organisation(org: str) -> dict[str, Any]:
    return org_document(org, annotations={}, profile={"displayName": org})


def _user(member: Mapping[str, Any], teams: list[str]) -> dict[str, Any]:
    profile = {
        "displayName": member.get("name") or member["login"],
        "email": member.get("email"),
        "picture": member.get("avatarUrl"),
    }
    return user_document(
        member["login"],
        annotations={"github.com/user-login": member["login"]},
        member_of=teams,
        profile=profile,
        about=member.get("bio") or "",
    )
