"""`bitbucket:pipelines:run`: starts a pipeline on Bitbucket Cloud. What it did is its own: undo has nothing to do."""

from __future__ import annotations

from functools import partial
from typing import Any

from taxiway.plugin import StepContext
from taxiway.plugin.actions import FunctionAction, schema
from taxiway.plugin.forging.making import action_client, first_look, turn_of, would
from taxiway.plugins.bitbucket.actions.base import AS_WHOM, Bitbucket, Repo, Values
from taxiway.plugins.bitbucket.settings import CLOUD

TEXT = {"type": "string"}
NEWEST = 50
"""How many pipelines are looked through for the one that an interrupted step started."""


def make(bitbucket: Bitbucket) -> list[FunctionAction]:
    """The action of this module."""
    return [
        FunctionAction(
            key="bitbucket:pipelines:run",
            description="Start a pipeline on Bitbucket Cloud; it cannot be undone",
            function=partial(_run, bitbucket),
            input_schema=schema(
                ["workspace", "repo_slug"],
                workspace="Its workspace",
                repo_slug="Its repository",
                body=_BODY,
                token=AS_WHOM,
            ),
            output_schema=schema(
                buildNumber={"type": "number", "description": "Number of the pipeline"},
                repoUrl="URL of the repository",
                pipelinesUrl="URL of its pipelines",
            ),
        )
    ]


def _object(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": properties}


_BODY = {
    **_object(
        target=_object(
            ref_type=TEXT,
            type=TEXT,
            ref_name=TEXT,
            source=TEXT,
            destination=TEXT,
            destination_commit=_object("hash", hash=TEXT),
            commit=_object("type", "hash", type=TEXT, hash=TEXT),
            selector=_object("type", "pattern", type=TEXT, pattern=TEXT),
            pull_request=_object("id", id=TEXT),
        ),
        variables={
            "type": "array",
            "items": _object("key", "value", "secured", key=TEXT, value=TEXT, secured={"type": "boolean"}),
        },
    ),
    "description": "What Bitbucket's API takes: which branch, commit or pull request, and variables",
}


def _run(bitbucket: Bitbucket, ctx: StepContext, values: Values) -> Values:
    host = next((one.host for one in bitbucket.ctx.settings.hosts if one.is_cloud), CLOUD)
    client = action_client(bitbucket.clients, ctx, host, values.get("token"))
    repo = Repo(client, host, str(values["workspace"]), str(values["repo_slug"]))
    page = f"{repo.client.web}/{repo.name}"
    if ctx.is_dry_run:
        output = {"buildNumber": 0, "repoUrl": page, "pipelinesUrl": f"{page}/pipelines"}
        return would(ctx, f"start a pipeline of {repo.place}", output)
    for one in (values.get("body") or {}).get("variables") or []:
        if one["secured"]:
            ctx.hide(one["value"])
    before, is_again = first_look(ctx, f"pipelines of {repo.place} {turn_of(values)}", lambda: _numbers(repo))
    found = _started(repo, before, values) if is_again else None
    if found is None:
        found = repo.send("POST", "pipelines", values.get("body") or {})
    page = str(((found.get("repository") or {}).get("links") or {}).get("html", {}).get("href") or page)
    ctx.log(f"Started the pipeline {found['build_number']} of {repo.place}")
    return {"buildNumber": found["build_number"], "repoUrl": page, "pipelinesUrl": f"{page}/pipelines"}


def _newest(repo: Repo) -> list[Any]:
    query = {"sort": "-created_on", "pagelen": NEWEST}
    answer = repo.client.get(repo.path("pipelines"), query)
    found = repo.client.one(answer.checked(f"the pipelines of {repo.place}")).get("values")
    return list(found) if isinstance(found, list) else []


def _numbers(repo: Repo) -> int:
    return max((int(one["build_number"]) for one in _newest(repo)), default=0)


def _started(repo: Repo, before: int, values: Values) -> Values | None:
    """The pipeline of the same target that was started since: ours, unless somebody started one at the same moment."""
    wanted = ((values.get("body") or {}).get("target") or {}).get("ref_name")
    newer = [one for one in _newest(repo) if int(one["build_number"]) > before]
    alike = [one for one in newer if wanted in (None, (one.get("target") or {}).get("ref_name"))]
    return min(alike, key=lambda one: int(one["build_number"]), default=None)
