"""What pickers suggest on Bitbucket Cloud, as Backstage's module for it does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from taxiway.plugin import Suggestion
from taxiway.plugin.forging.clients import quoted
from taxiway.plugin.forging.suggesting import Context, ForgeSuggestions, named, part
from taxiway.plugins.bitbucket.client import BitbucketClient, BitbucketClients

PAGE = {"pagelen": 100}


def suggestions(clients: Callable[[], BitbucketClients], hosts: Sequence[str]) -> ForgeSuggestions:
    """The autocompleter; `hosts` are those of Cloud."""
    resources = {
        "workspaces": _workspaces,
        "projects": _projects,
        "repositories": _repositories,
        "branches": _branches,
    }
    return ForgeSuggestions("bitbucket-cloud", clients, hosts, resources)


def _workspaces(client: BitbucketClient, context: Context) -> Iterable[Suggestion]:
    return named(client.values("workspaces", PAGE), "slug")


def _projects(client: BitbucketClient, context: Context) -> Iterable[Suggestion]:
    return named(client.values(f"workspaces/{quoted(part(context, 'workspace'))}/projects", PAGE), "key")


def _repositories(client: BitbucketClient, context: Context) -> Iterable[Suggestion]:
    path = f"repositories/{quoted(part(context, 'workspace'))}"
    query = {**PAGE, "q": f"project.key={json.dumps(part(context, 'project'))}"}
    return named(client.values(path, query), "slug")


def _branches(client: BitbucketClient, context: Context) -> Iterable[Suggestion]:
    where = f"{quoted(part(context, 'workspace'))}/{quoted(part(context, 'repository'))}"
    return named(client.values(f"repositories/{where}/refs/branches", PAGE), "name")
