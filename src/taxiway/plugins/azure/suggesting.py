"""What pickers suggest on Azure DevOps; Backstage has nothing for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from taxiway.plugin import Suggestion
from taxiway.plugin.forging.suggesting import Context, ForgeSuggestions, named, part
from taxiway.plugins.azure.client import AzureClient, AzureClients


def suggestions(clients: Callable[[], AzureClients], hosts: Sequence[str]) -> ForgeSuggestions:
    """The autocompleter."""
    return ForgeSuggestions("azure", clients, hosts, {"projects": _projects, "repositories": _repositories})


def _projects(client: AzureClient, context: Context) -> Iterable[Suggestion]:
    return named(client.values(client.web(part(context, "organization")), "projects", {"$top": "1000"}), "name")


def _repositories(client: AzureClient, context: Context) -> Iterable[Suggestion]:
    base = client.web(part(context, "organization"), part(context, "project"))
    return named(client.values(base, "git/repositories", {}), "name")
