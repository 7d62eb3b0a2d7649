"""`gitlab:group:migrate`: lets a GitLab take over a project of another one. It goes on by itself after the step."""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.model.errors import ConflictError
from taxiway.model.run import Created
from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import TakeBack, first_look, turn_of, would
from taxiway.plugin.forging.repo_urls import parse_repo_url
from taxiway.plugins.gitlab.actions.base import GitLab, Values, number, sent
from taxiway.plugins.gitlab.client import GitLabClient

MIGRATION = "migration"
RUNNING = frozenset({"created", "started"})


def make(gitlab: GitLab) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="gitlab:group:migrate",
            description="Let a GitLab take over a project of another one; undo cancels it while it runs",
            function=partial(_migrate, gitlab),
            take_back=TakeBack({MIGRATION: partial(_cancel, gitlab)}),
            input_schema=schema(
                ["destinationAccessToken", "destinationUrl", "sourceAccessToken", "sourceFullPath", "sourceUrl"],
                destinationAccessToken="Token for the GitLab that takes it over",
                destinationUrl="Where it goes: <host>?owner=<group>&repo=…",
                sourceAccessToken="Token for the GitLab that it comes from",
                sourceFullPath="Full path of the project there",
                sourceUrl="That GitLab: https://…",
            ),
            output_schema=schema(
                ["importedRepoUrl", "migrationId"],
                importedRepoUrl="Where the project will be",
                migrationId=number("Id of the migration"),
            ),
        )
    ]


def _migrate(gitlab: GitLab, ctx: StepContext, values: Values) -> Values:
    asked = {"repoUrl": values["destinationUrl"], "token": values["destinationAccessToken"]}
    client, url = gitlab.client(ctx, asked)
    parse_repo_url(values["destinationUrl"], "owner", "repo")
    place, source = f"{url.host}/{url.owner}/{url.repo}", str(values["sourceUrl"])
    if ctx.is_dry_run:
        return would(
            ctx, f"migrate {values['sourceFullPath']} to {place}", {"importedRepoUrl": place, "migrationId": 0}
        )
    token = gitlab.secret(ctx, values["sourceAccessToken"])
    ctx.hide(token)
    key = f"migrations to {place} {turn_of({'from': source, 'path': values['sourceFullPath']})}"
    before, is_again = first_look(ctx, key, lambda: _newest(client))
    noted = {"host": url.host, "source": source, "before": before}
    ctx.created(MIGRATION, place, noted)
    found = _started(client, source, before) if is_again else None
    if found is None:
        entity = {
            "source_type": "project_entity",
            "source_full_path": values["sourceFullPath"],
            "destination_slug": url.repo,
            "destination_namespace": url.owner,
        }
        body = {"configuration": {"url": source, "access_token": token}, "entities": [entity]}
        found = sent(client, "POST", "bulk_imports", body)
    ctx.created(MIGRATION, place, {**noted, "id": found["id"]})
    ctx.log(f"GitLab migrates {values['sourceFullPath']} to {place}; it goes on by itself")
    return {"importedRepoUrl": place, "migrationId": found["id"]}


def _newest(client: GitLabClient) -> int:
    return max((int(one["id"]) for one in _listed(client)), default=0)


def _listed(client: GitLabClient) -> Any:
    return client.get("bulk_imports?per_page=100&sort=desc").checked("the migrations").json()


def _started(client: GitLabClient, source: str, before: int) -> Any:
    """The one that an interrupted step started."""
    alike = [one for one in _listed(client) if one["id"] > before and str(one.get("source_url") or source) == source]
    return min(alike, key=lambda one: int(one["id"]), default=None)


def _cancel(gitlab: GitLab, ctx: StepContext, item: Created) -> None:
    client = gitlab.clients.of(item.data["host"])
    number = item.data.get("id") or (_started(client, item.data["source"], item.data["before"]) or {}).get("id")
    if number is None:
        return
    path = f"bulk_imports/{number}"
    answer = client.get(path)
    if answer.status == 404:
        raise ConflictError(
            f"the migration to {item.name} is not to be seen with the token of the settings: cancel it, or remove the "
            "project there",
            code="gitlab.migration",
        )
    if answer.checked(f"the migration to {item.name}").json()["status"] in RUNNING:
        sent(client, "POST", f"{path}/cancel")
        ctx.log(f"Cancelled the migration to {item.name}")
    else:
        ctx.log(f"Leaving {item.name}: its migration has ended; remove the project there where it is not wanted")
