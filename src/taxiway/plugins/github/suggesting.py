"""What pickers suggest on GitHub, as Backstage's module for it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from taxiway.plugin import Suggestion
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.suggesting import Context, ForgeSuggestions, named, part
from taxiway.plugins.github.client import GitHubClient, GitHubClients


def suggestions(clients: Callable[[], GitHubClients], hosts: Sequence[str]) -> ForgeSuggestions:
    """The autocompleter."""
    resources = {"owners": _owners, "repositoriesWithOwner": _repositories, "branches": _branches}
    return ForgeSuggestions("github", clients, hosts, resources)


def _owners(client: GitHubClient, context: Context) -> Iterable[Suggestion]:
    return named(client.pages("user/orgs?per_page=100"), "login")


def _repositories(client: GitHubClient, context: Context) -> Iterable[Suggestion]:
    return named(client.pages("user/repos?per_page=100"), "full_name")


def _branches(client: GitHubClient, context: Context) -> Iterable[Suggestion]:
    where = f"repos/{quoted(part(context, 'owner'))}/{quoted(part(context, 'repository'))}"
    return named(client.pages(f"{where}/branches?per_page=100"), "name")
