"""Runs of kind `upgrade`, and what follows when their pull request is merged or closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.model import NewPull
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.upgrade_sides import head_of, sides_of
from taxiway.features.scaffolder.upgrades import get_service, target_of
from taxiway.features.scaffolder.upgrading import BRANCH, KINDS, branch_of, summary
from taxiway.model.errors import Changed, ConflictError, TaxiwayError, refuse_changed
from taxiway.model.event import Event
from taxiway.model.pulls import CarryConflict, CarryRequest
from taxiway.model.run import Run, RunState, Step
from taxiway.plugin import PullHost, StepContext

BRANCHES = 20
"""How often one version can be proposed to one repository."""


class UpgradeHandler(BaseHandler):
    """Two steps: `merge` makes the commit, `propose` its branch and pull request. Both may be done again."""

    def __init__(self, platform: Platform, renderer: Renderer) -> None:
        self._platform, self._renderer = platform, renderer

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        if step.id == "merge":
            return StepResult(self._merge(run, ctx, acting))
        return StepResult(self._propose(run, ctx, acting))

    def check_undo(self, run: Run, step: Step) -> None:
        refuse_changed(self._changed(step))

    def _changed(self, step: Step) -> list[Changed]:
        merged = merged_pull(self._platform, step)
        return [Changed(merged, "it was merged: its commits stay, revert them there")] if merged is not None else []

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        refuse_changed(self._changed(step), ctx.confirmed)
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        for item in step.created:
            name, number = item.data["repository"], item.data["number"]
            if pulls.get_pull(acting, name, number)["state"] == "open":
                # Taken back is not declined: the service lags behind again.
                subject = run.input["subject"]
                self._platform.store.write(partial(repository.withdraw, subject=subject, number=number))
                pulls.close_pull(acting, name, number)

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        made = next((step.output or {} for step in run.steps if step.id == "propose"), {})
        return {**made, "links": [pull_link(self._platform, made)]} if made.get("pull") is not None else made

    def _merge(self, run: Run, ctx: StepContext, acting: OpContext) -> Mapping[str, Any]:
        service, target = get_service(acting, run.input["subject"]), target_of(run.definition, run.input["values"])
        name = service.repository
        start = ctx.checkpoint("start", lambda: head_of(acting, name))
        sides = sides_of(acting, self._renderer, service, target, start)
        message = f"Upgrade the golden path to {target.name}"
        request = CarryRequest(name, start, sides.old, sides.new, message, ctx.principal.subject, run.created_at)
        carried = self._host().carry(request)
        for item in carried.conflicts:
            ctx.log(f"{item.path}: {KINDS[item.kind]}")
        ctx.log(f"{len(sides.old)} files before, {len(sides.new)} now")
        return {
            "commit": carried.commit,
            "conflicts": [asdict(item) for item in carried.conflicts],
            "is_record_changed": sides.is_record_changed,
            "version": target.name,
        }

    def _propose(self, run: Run, ctx: StepContext, acting: OpContext) -> Mapping[str, Any]:
        merged = next(step.output for step in run.steps if step.id == "merge") or {}
        service, target = get_service(acting, run.input["subject"]), target_of(run.definition, run.input["values"])
        pending = {"version": target.name, **asdict(target)}
        if merged["commit"] is None:
            self._platform.store.write(lambda tx: repository.upgraded(tx, service.subject, pending))
            ctx.log("the repository has everything of the new version already")
            return {"pull": None, "repository": service.repository, "conflicts": []}
        name, before = service.repository, service.pending
        branch = self._branch(name, target.name, merged["commit"], ctx)
        conflicts = [CarryConflict(**item) for item in merged["conflicts"]]
        text = summary(service, target.name, conflicts, merged["is_record_changed"])
        # Conflict marks break a service: nobody merges them before they say that the marks are gone.
        is_draft = any(item.kind == "content" for item in conflicts)
        new = NewPull(name, branch, None, f"Upgrade to {target.name}", text, is_draft)
        number = ctx.checkpoint("pull", lambda: self._open(acting, new))
        ctx.created("pull", f"{name}#{number}", {"repository": name, "number": number})
        ctx.log(f"{name}#{number} from {branch}" + (", a draft until its conflict marks are gone" if is_draft else ""))
        self._platform.store.write(lambda tx: repository.propose(tx, service.subject, {**pending, "number": number}))
        if before is not None and before["number"] != number:
            self._supersede(acting, name, before["number"], number, ctx)
        return {"pull": number, "repository": name, "branch": branch, "conflicts": merged["conflicts"]}

    def _branch(self, name: str, version: str, commit: str, ctx: StepContext) -> str:
        """The branch of the upgrade, which begins at `commit`. A name that an earlier, closed upgrade left gets a
        number."""
        first = branch_of(version)
        for branch in (first, *(f"{first}-{number}" for number in range(2, BRANCHES))):
            try:
                self._host().create_branch(name, branch, commit, by=ctx.principal.subject)
            except ConflictError as error:
                if error.code != "pulls.branch":
                    raise
            else:
                return branch
        raise ConflictError(f"{name} has too many branches {first}-…: delete those of closed upgrades, then retry")

    def _supersede(self, acting: OpContext, name: str, old: int, new: int, ctx: StepContext) -> None:
        """Close the pull request of a version that the new one goes beyond."""
        try:
            if pulls.get_pull(acting, name, old)["state"] == "open":
                pulls.close_pull(acting, name, old)
                ctx.log(f"closed {name}#{old}: {name}#{new} goes beyond it")
        except TaxiwayError as error:
            ctx.log(f"{name}#{old} stays open: {error.detail}")

    def _open(self, acting: OpContext, new: NewPull) -> int:
        """The number of the pull request; of the one that is open when an earlier attempt died behind opening it."""
        filters = {"repository": new.repository, "state": "open", "head": new.head}
        there = pulls.list_pulls(acting, filters, None, 1)
        return int(there.items[0]["number"] if there.items else pulls.open_pull(acting, new)["number"])

    def _host(self) -> PullHost:
        return self._platform.registry.get("pull_host", "git_local", PullHost)


def merged_pull(platform: Platform, step: Step) -> str | None:
    """The pull request that a step of an upgrade opened, where it was merged: then nothing is taken back."""
    looking = platform.system("upgrades")
    for item in step.created:
        if pulls.get_pull(looking, item.data["repository"], item.data["number"])["state"] == "merged":
            return item.name
    return None


def pull_link(platform: Platform, made: Mapping[str, Any]) -> dict[str, str]:
    """Where the portal shows the pull request of an upgrade."""
    name, number = made["repository"], made["pull"]
    return {"title": f"Pull request {name}#{number}", "url": f"{platform.public_url()}/pulls/{name}/{number}"}


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
