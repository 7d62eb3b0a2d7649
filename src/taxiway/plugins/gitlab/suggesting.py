"""What pickers suggest on GitLab, as Backstage's module for it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from taxiway.plugin import Suggestion
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.suggesting import Context, ForgeSuggestions, part
from taxiway.plugins.gitlab.client import GitLabClient, GitLabClients


def suggestions(clients: Callable[[], GitLabClients], hosts: Sequence[str]) -> ForgeSuggestions:
    """The autocompleter."""
    return ForgeSuggestions("gitlab", clients, hosts, {"groups": _groups, "repositories": _repositories})


def _groups(client: GitLabClient, context: Context) -> Iterator[Suggestion]:
    for group in client.pages("groups?per_page=100"):
        yield Suggestion(str(group["id"]), str(group["full_path"]))
    user = _user(client)
    yield Suggestion(str(user["id"]), str(user["username"]))


def _repositories(client: GitLabClient, context: Context) -> Iterable[Suggestion]:
    """Of a group, or of the person, by the id that the groups were suggested with."""
    owner = part(context, "id")
    what = "users" if owner == str(_user(client)["id"]) else "groups"
    for project in client.pages(f"{what}/{quoted(owner)}/projects?per_page=100"):
        yield Suggestion(str(project["id"]), str(project["name"]).strip())


def _user(client: GitLabClient) -> Any:
    return client.get("user").checked("the user of the token").json()
