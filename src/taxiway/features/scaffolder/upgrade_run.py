"""Runs of kind `upgrade`, and what follows when their pull request is merged or closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.model import NewPull
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.upgrades import get_service, target_of
from taxiway.features.scaffolder.upgrading import BRANCH, branch_of, render, summary
from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.model.event import Event
from taxiway.model.pulls import CarryRequest
from taxiway.model.run import Run, Step
from taxiway.plugin import Forge, PullHost, StepContext


class UpgradeHandler(BaseHandler):
    """Two steps: `merge` makes the commit, `propose` its branch and pull request. Both may be done again."""

    def __init__(self, platform: Platform, renderer: Renderer) -> None:
        self._platform, self._renderer = platform, renderer

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        if step.id == "merge":
            return StepResult(self._merge(run, ctx, acting))
        return StepResult(self._propose(run, ctx, acting))

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        for item in step.created:
            row = pulls.get_pull(acting, item.data["repository"], item.data["number"])
            if row["state"] == "merged":
                raise ConflictError(f"{item.name} was merged: revert it there", code="scaffolder.upgrade_merged")
            if row["state"] == "open":
                pulls.close_pull(acting, item.data["repository"], item.data["number"])

    def _merge(self, run: Run, ctx: StepContext, acting: OpContext) -> Mapping[str, Any]:
        service, target = get_service(acting, run.input["subject"]), target_of(run.definition, run.input["values"])
        name = service.repository
        start = ctx.checkpoint("start", lambda: self._head(name))
        old = render(acting, self._renderer, service.template_ref, service.version, service.outputs)
        new = render(acting, self._renderer, service.template_ref, target, service.outputs)
        message = f"Upgrade the golden path to {target.name}"
        request = CarryRequest(name, start, old, new, message, ctx.principal.subject, run.created_at)
        carried = self._host().carry(request)
        for path in carried.conflicts:
            ctx.log(f"conflict in {path}")
        ctx.log(f"{len(old)} files before, {len(new)} now")
        return {"commit": carried.commit, "conflicts": list(carried.conflicts), "version": target.name}

    def _propose(self, run: Run, ctx: StepContext, acting: OpContext) -> Mapping[str, Any]:
        merged = next(step.output for step in run.steps if step.id == "merge") or {}
        service, target = get_service(acting, run.input["subject"]), target_of(run.definition, run.input["values"])
        pending = {"version": target.name, **asdict(target)}
        if merged["commit"] is None:
            self._platform.store.write(lambda tx: repository.upgraded(tx, service.subject, pending))
            ctx.log("the repository has everything of the new version already")
            return {"pull": None}
        name, branch = service.repository, branch_of(target.name)
        self._host().create_branch(name, branch, merged["commit"], by=ctx.principal.subject)
        new = NewPull(
            name, branch, None, f"Upgrade to {target.name}", summary(service, target.name, merged["conflicts"])
        )
        number = ctx.checkpoint("pull", lambda: self._open(acting, new))
        ctx.created("pull", f"{name}#{number}", {"repository": name, "number": number})
        self._platform.store.write(lambda tx: repository.propose(tx, service.subject, {**pending, "number": number}))
        return {"pull": number, "repository": name, "conflicts": merged["conflicts"]}

    def _open(self, acting: OpContext, new: NewPull) -> int:
        """The number of the pull request; of the one that is open when an earlier attempt died behind opening it."""
        filters = {"repository": new.repository, "state": "open", "head": new.head}
        there = pulls.list_pulls(acting, filters, None, 1)
        return int(there.items[0]["number"] if there.items else pulls.open_pull(acting, new)["number"])

    def _head(self, name: str) -> str:
        forge = self._platform.registry.get("forge", "git_local", Forge)
        there = forge.get_repository(name)
        head = forge.resolve(name, there.default_branch) if there else None
        if head is None:
            raise NotFoundError(f"the repository {name} is gone or empty: there is nothing to upgrade")
        return head

    def _host(self) -> PullHost:
        return self._platform.registry.get("pull_host", "git_local", PullHost)


class FollowUpgrades:
    """A merged pull request makes its version the service's; a closed one declines it. A repository that is deleted
    takes its service along."""

    key = "scaffolder.upgrades"
    types = ("dev.cdevents.change.merged.", "dev.cdevents.change.abandoned.", "dev.cdevents.repository.deleted.")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        if event.type.startswith("dev.cdevents.repository.deleted."):
            name = str(event.data["repository"])
            self._platform.store.write(lambda tx: repository.forget_services(tx, name))
            return
        if not str(event.data.get("head", "")).startswith(BRANCH):
            return
        name, number = str(event.data["repository"]), int(event.data["number"])
        with self._platform.store.read() as conn:
            service = repository.service_of_repository(conn, name)
        if service is None or service.pending is None or service.pending["number"] != number:
            return
        pending, subject = service.pending, service.subject
        if event.type.startswith("dev.cdevents.change.merged."):
            self._platform.store.write(lambda tx: repository.upgraded(tx, subject, pending))
        else:
            self._platform.store.write(lambda tx: repository.decline(tx, subject, pending["version"]))
