"""What pickers suggest on Gitea and Forgejo; Backstage has nothing for them, so the names are those of GitHub's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from taxiway.plugin import Suggestion
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.suggesting import Context, ForgeSuggestions, named, part
from taxiway.plugins.gitea.client import GiteaClient, GiteaClients


def suggestions(clients: Callable[[], GiteaClients], hosts: Sequence[str]) -> ForgeSuggestions:
    """The autocompleter."""
    resources = {"owners": _owners, "repositoriesWithOwner": _repositories, "branches": _branches}
    return ForgeSuggestions("gitea", clients, hosts, resources)


def _owners(client: GiteaClient, context: Context) -> Iterator[Suggestion]:
    yield from named([client.get("user").checked("the user of the token").json()], "login")
    yield from named(client.pages("user/orgs?limit=50"), "username", "name")


def _repositories(client: GiteaClient, context: Context) -> Iterable[Suggestion]:
    return named(client.pages("user/repos?limit=50"), "full_name")


def _branches(client: GiteaClient, context: Context) -> Iterable[Suggestion]:
    where = f"repos/{quoted(part(context, 'owner'))}/{quoted(part(context, 'repository'))}"
    return named(client.pages(f"{where}/branches?limit=50"), "name")
