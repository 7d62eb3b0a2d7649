"""People and groups of a GitLab as entities: the source `gitlab-org`. A subgroup is a team of its parent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from taxiway.plugin import PluginSettings, SourcedEntity, SourceEnd, SourceItem, SourcePart, SourceRequest
from taxiway.plugin.forging import group_document, org_document, safe_name, user_document
from taxiway.plugins.gitlab.settings import PUBLIC

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClients

GUEST = 10
"""The access level below which a member of a group only waits for one."""


class GitLabOrgOptions(PluginSettings):
    """Whose people are read."""

    host: str = Field(PUBLIC, description="which GitLab of plugins.gitlab.hosts")
    group: str = Field(
        pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", description="top group whose members and subgroups are read"
    )


@dataclass
class GitLabOrgSource:
    """The source type `gitlab-org`."""

    clients: GitLabClients
    key: str = "gitlab-org"
    options: type[GitLabOrgOptions] = GitLabOrgOptions

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        from taxiway.plugin.forging.clients import quoted

        client, top = self.clients.of(request.options.host), str(request.options.group)
        host = client.settings.host.partition(":")[0]
        first = client.get(f"groups/{quoted(top)}").checked(f"the group {top} on {host}").json()
        groups = [first, *client.pages(f"groups/{first['id']}/descendant_groups?per_page=100&order_by=id")]
        teams_of: dict[str, list[str]] = {}
        people: dict[str, Mapping[str, Any]] = {}
        for group in groups:
            if request.cancelled.is_set():
                return
            name = _name(top, group["full_path"])
            for member in client.pages(f"groups/{group['id']}/members?per_page=100"):
                if member.get("state") == "active" and member.get("access_level", 0) >= GUEST:
                    people[member["username"]] = member
                    teams_of.setdefault(member["username"], []).append(name)
            yield SourcedEntity(_group(host, top, group), f"url:{group['web_url']}", 1, True)
        for username, member in sorted(people.items()):
            document = _user(host, member, teams_of[username])
            yield SourcedEntity(document, f"url:{client.web}/{username}", 1, True)
        yield SourcePart("people")
        yield SourceEnd()


def _name(top: str, full_path: str) -> str:
    # As upstream has it: the path below the top group, joined by '-'.
    below = full_path[len(top) + 1 :] if full_path.lower().startswith(f"{top}/".lower()) else ""
    return safe_name(below.replace("/", "-") or full_path.replace("/", "-"))


def _group(host: str, top: str, group: Mapping[str, Any]) -> dict[str, Any]:
    path = str(group["full_path"])
    annotations = {f"{host}/team-path": path}
    profile = {"displayName": group.get("name"), "picture": group.get("avatar_url")}
    if path.lower() == top.lower():
        return org_document(_name(top, path), annotations=annotations, profile=profile)
    return group_document(
        _name(top, path),
        annotations=annotations,
        parent=_name(top, path.rpartition("/")[0]),
        profile=profile,
        about=group.get("description") or "",
    )


def _user(host: str, member: Mapping[str, Any], groups: list[str]) -> dict[str, Any]:
    profile = {
        "displayName": member.get("name"),
        "email": member.get("public_email") or member.get("email"),
        "picture": member.get("avatar_url"),
    }
    login = {f"{host}/user-login": member.get("web_url") or member["username"]}
    return user_document(member["username"], annotations=login, member_of=groups, profile=profile)
