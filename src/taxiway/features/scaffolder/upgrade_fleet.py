"""Runs of kind `fleet-upgrade`: one version for all services of a golden path that lag behind, canaries first.

Each service is a step, and its upgrade a child run. A step starts the children of the next `pace` services and waits
for its own, so that at most that many are under way. The first canary that fails stops the fleet, and so do
`stop_after_failures` others: what was not started by then is skipped, and the run's output names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.scaffolder.model import parse_template
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.upgrade_run import merged_pull
from taxiway.features.scaffolder.upgrades import Aim, aim_of, get_service, list_services, start_upgrade
from taxiway.model.access import EVERYTHING
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, TaxiwayError
from taxiway.model.run import Run, RunSpec, RunState, Step, StepDefinition
from taxiway.plugin import StepContext

KIND = "fleet-upgrade"
MOST_SERVICES = 500
NOISE = ("reached", "links")
NEEDLESS = ("scaffolder.current", "scaffolder.upgrade_open")


@dataclass(frozen=True)
class FleetOrder:
    """Which services are to get the newest version of `template_ref`, and how carefully. `subjects` picks some of those
    that lag behind; without it all of them are meant."""

    template_ref: str
    canary: int = 1
    pace: int = 5
    stop_after_failures: int = 1
    subjects: Sequence[str] = ()
    answers: Mapping[str, Any] = field(default_factory=dict)


def start_fleet(ctx: OpContext, scaffolder: Scaffolder, order: FleetOrder) -> str:
    """Start the run; returns its id. ConflictError when no service lags behind; NotAllowedError names services that
    the caller may not propose changes to."""
    ctx.authorize("scaffolder.task.create")
    ref = str(parse_ref(order.template_ref, default_kind="template"))
    aim = aim_of(scaffolder, ref)
    behind = _behind(ctx, scaffolder, ref)
    wanted = [str(parse_ref(name, default_kind="component")) for name in order.subjects]
    missing = sorted(set(wanted) - {item["subject"] for item in behind})
    if missing:
        raise ConflictError(f"not behind {ref}: {', '.join(missing[:20])}", code="scaffolder.not_behind")
    chosen = [item for item in behind if not wanted or item["subject"] in wanted]
    if not chosen:
        raise ConflictError(f"no service lags behind {ref} ({aim.name})", code="scaffolder.not_behind")
    _check_access(ctx, chosen)
    names = [item["subject"] for item in chosen]
    spec = RunSpec(
        kind=KIND,
        title=f"Upgrade {len(names)} services of {ref} to {aim.name}",
        steps=[StepDefinition(f"service-{n}", name, "taxiway:upgrade") for n, name in enumerate(names)],
        input={
            "template_ref": ref,
            "version": aim.name,
            "subjects": names,
            "canary": min(order.canary, len(names)),
            "pace": order.pace,
            "stop_after_failures": order.stop_after_failures,
            "answers": dict(order.answers),
        },
        definition={"document": aim.template.document, "snapshot": aim.pinned},
        subject=ref,
        owner=ctx.principal.subject,
    )
    return ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))


class FleetHandler(BaseHandler):
    """A step per service, in the order of `input.subjects`; the first `input.canary` are the canaries."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        child = _started(run).get(step.index)
        if child is None:
            reason = stop_reason(run, step.index)
            if reason is not None:
                ctx.log(f"not reached: {reason}")
                return StepResult({"reached": False}, "skipped")
        made = ctx.checkpoint("children", lambda: self._start_window(run, step, ctx, acting))
        child = child or made.get(str(step.index))
        if child is None:
            found = self._start(run, step.index, acting)
            if found is None:
                ctx.log("it has this version, or a pull request for it is open")
                return StepResult({"reached": True, "already": True})
            child = found
            ctx.created("run", child, {"run_id": child})
        self._again(acting, ctx, child)
        state, output = ctx.wait_for_run(child)
        if state != "succeeded":
            raise ConflictError(f"its upgrade {state}: {self._platform.runs.get(child).error or f'see run {child}'}")
        if output.get("pull") is not None:
            ctx.log(f"{output['repository']}#{output['pull']}, {len(output['conflicts'])} files to look at")
        return StepResult({"reached": True, "run_id": child, **output})

    def runs_after_failure(self, run: Run, step: Step) -> bool:
        """Every step decides for itself: what is under way is waited for, and the rest says that it was not reached."""
        return True

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        """Close the pull requests that are open; what was merged stays, and is said."""
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        for item in reversed(step.created):
            child = self._platform.runs.get(item.data["run_id"])
            merged = next(filter(None, (merged_pull(self._platform, each) for each in child.steps)), None)
            if merged is not None:
                ctx.log(f"{merged} stays: it was merged")
                continue
            ctx.checkpoint(f"undo-{child.id}", partial(self._take_back, acting, child.id))
            state, _ = ctx.wait_for_run(child.id)
            if state != "undone":
                raise ConflictError(self._platform.runs.get(child.id).error or f"run {child.id} was not undone")

    def _take_back(self, acting: OpContext, child: str) -> bool:
        if self._platform.runs.get(child).state == "undone":
            return False
        self._platform.runs.undo(acting, child)
        return True

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        """{upgraded, failed, not_reached}: services by reference, with what became of them."""
        upgraded, failed, left = [], [], []
        for step in run.steps:
            if step.state == "succeeded":
                upgraded.append(
                    {"subject": step.name, **{k: v for k, v in (step.output or {}).items() if k not in NOISE}}
                )
            elif step.state == "failed":
                failed.append({"subject": step.name, "error": step.error})
            else:
                left.append(step.name)
        text = [{"title": "What became of it", "content": _told(upgraded, failed, left)}]
        return {"upgraded": upgraded, "failed": failed, "not_reached": left, "text": text}

    def _start_window(self, run: Run, step: Step, ctx: StepContext, acting: OpContext) -> dict[str, str]:
        """Start what may be under way beside this service; {index: run id}. What cannot be started says so in its own
        step."""
        started = _started(run)
        end = min(step.index + run.input["pace"], len(run.steps))
        if step.index < run.input["canary"]:
            end = min(end, run.input["canary"])
        made = {}
        for index in range(step.index, end):
            if index in started or (index > step.index and stop_reason(run, index) is not None):
                continue
            try:
                child = self._start(run, index, acting)
            except TaxiwayError:
                continue
            if child is not None:
                made[str(index)] = child
                ctx.created("run", child, {"run_id": child})
        return made

    def _start(self, run: Run, index: int, acting: OpContext) -> str | None:
        """The child run of a service; None when there is nothing to do for it."""
        subject = run.input["subjects"][index]
        filters = {"parent_id": run.id, "subject": subject}
        there = self._platform.runs.list(EVERYTHING, filters=filters, limit=1, cursor=None).items
        if there:
            return there[0].id
        document = run.definition["document"]
        template = parse_template(document, run.input["template_ref"], "", run.input["version"])
        aim = Aim(template, run.definition["snapshot"])
        try:
            service = get_service(acting, subject)
            key = f"{run.id}/{subject}"
            return start_upgrade(acting, service, aim, run.input["answers"], parent_id=run.id, request_key=key)
        except ConflictError as error:
            if error.code not in NEEDLESS:
                raise
            return None

    def _again(self, acting: OpContext, ctx: StepContext, child: str) -> None:
        """When this step is tried again, so is the run that it waits for: once for each attempt."""

        def retry() -> bool:
            if self._platform.runs.get(child).state not in ("failed", "cancelled"):
                return False
            self._platform.runs.retry(acting, child)
            return True

        if ctx.attempt > 1:
            ctx.checkpoint(f"again-{ctx.attempt}", retry)


def _told(upgraded: Sequence[Mapping[str, Any]], failed: Sequence[Mapping[str, Any]], left: Sequence[str]) -> str:
    """The output in Markdown, for people."""
    lines = []
    for item in upgraded:
        if item.get("pull") is None:
            lines.append(f"- {item['subject']}: nothing to do")
            continue
        name, number, marks = item["repository"], item["pull"], len(item["conflicts"])
        lines.append(
            f"- {item['subject']}: [{name}#{number}](/pulls/{name}/{number})"
            + (f", {marks} to look at" if marks else "")
        )
    lines += [f"- {item['subject']}: **failed**, {item['error']}" for item in failed]
    return "\n".join([*lines, *(f"- {name}: not reached" for name in left)])


def stop_reason(run: Run, index: int) -> str | None:
    """Why no further service is begun at `index`; None when it is."""
    canary, most = run.input["canary"], run.input["stop_after_failures"]
    failed = [step for step in run.steps if step.state == "failed"]
    for step in failed:
        if step.index < canary:
            return f"the canary {step.name} failed"
    if len(failed) >= most:
        return f"{len(failed)} failed: {', '.join(step.name for step in failed)}"
    return None


def _started(run: Run) -> dict[int, str]:
    """Child runs by the number of their service."""
    found: dict[int, str] = {}
    for step in run.steps:
        found |= {int(index): child for index, child in (step.checkpoints.get("children") or {}).items()}
    return found


def _behind(ctx: OpContext, scaffolder: Scaffolder, ref: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = list_services(ctx, scaffolder, 200, cursor, state="behind", template=ref)
        found += page.items
        if len(found) > MOST_SERVICES:
            raise InputError(f"more than {MOST_SERVICES} services lag behind {ref}: name some of them in `subjects`")
        cursor = page.next_cursor
        if cursor is None:
            return found


def _check_access(ctx: OpContext, chosen: Sequence[Mapping[str, Any]]) -> None:
    refused = []
    for item in chosen:
        try:
            ctx.authorize("pulls.write", item["owner"])
        except NotAllowedError:
            refused.append(item["subject"])
    if refused:
        raise NotAllowedError(
            f"you may not propose changes to {', '.join(refused[:20])}: leave them out with `subjects`, or ask their "
            "owners",
            code="not_allowed.pulls.write",
        )
