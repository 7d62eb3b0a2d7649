"""Runs of kind `onboard`: one step that looks at every repository, or a step for each that is to get a descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.catalog.repository import onboarding as rows
from taxiway.features.catalog.service.edit_source import EDIT
from taxiway.features.catalog.service.onboarding import get_row, look
from taxiway.features.catalog.service.onboarding_forge import ForgeRepositories
from taxiway.features.catalog.service.onboarding_sources import host_named
from taxiway.features.catalog.sources.targets import DEFAULT_FILE
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.service.hosts import owner_of, repository_of
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import StepContext


class OnboardHandler(BaseHandler):
    """Every step may be done again: a look skips what did not change, a proposal finds its own pull request."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        if step.id == "look":
            # Tried again, for instance after a pause that a forge asked for, it goes on where it stopped.
            since = run.created_at if run.input.get("afresh") else None
            return StepResult(asdict(look(acting, ctx.cancelled.is_set, ctx.log, afresh_since=since)))
        return self._propose(run, run.input["items"][step.index], ctx, acting)

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        """One repository that refuses does not keep the others from theirs."""
        return True

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        """Close the pull requests that are open here; what was merged stays."""
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        for item in step.created:
            name, number, source = item.data["repository"], item.data.get("number"), item.data["source"]
            if number is None:
                ctx.log(f"{item.data['url']} stays open: close it there")
                continue
            state = pulls.get_pull(acting, name, number)["state"]
            if state == "open":
                pulls.close_pull(self._platform.system("catalog"), name, number)
            if state != "merged":
                self._note(source, name, None)

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        """{pulls, failed}, and links to what was opened."""
        made = [step.output or {} for step in run.steps if step.state == "succeeded" and step.id != "look"]
        failed = [{"repository": step.name, "error": step.error} for step in run.steps if step.state == "failed"]
        links = [{"title": f"Pull request for {item['repository']}", "url": item["url"]} for item in made[:50] if item]
        return {"pulls": made, "failed": failed, "links": links}

    def _propose(self, run: Run, item: Mapping[str, Any], ctx: StepContext, acting: OpContext) -> StepResult:
        source, name = item["source"], item["name"]
        row = get_row(acting, source, name)
        acting.authorize(EDIT, row["owner"])
        if source == ForgeRepositories.key:
            acting.authorize(EDIT, owner_of(repository_of(self._platform, name)))  # it may be another by now
        if row["status"] == "has":
            ctx.log("it has a descriptor by now")
            return StepResult({}, "skipped")
        host = host_named(self._platform, source)
        made = host.propose(
            name,
            DEFAULT_FILE,
            item["text"].encode(),
            title=f"Add {name} to the catalog",
            body="This file describes the repository in the catalog. Correct what is wrong before you merge it.",
            by=ctx.principal.on_behalf_of or ctx.principal.subject,
            key=run.id[-8:],
        )
        ctx.created("pull", f"{name}", {"repository": name, "source": source, **made})
        ctx.log(str(made["url"]))
        self._note(source, name, str(made["url"]))
        return StepResult({"repository": name, **made})

    def _note(self, source: str, name: str, pull: str | None) -> None:
        self._platform.store.write(lambda tx: rows.note_pull(tx.conn, source, name, pull))
