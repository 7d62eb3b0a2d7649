"""Runs of kind `adopt`, and what follows when their pull request is merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.core.store.database import Tx
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.service.hosts import forge
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.actions.pull_requests import check_back, take_back
from taxiway.features.scaffolder.adoption.inferring import fields_of
from taxiway.features.scaffolder.adoption.service import KIND, AdoptionOrder, claim_problem, propose, view
from taxiway.features.scaffolder.model import Service, Template, Version, page_schema, parse_template, secret_fields
from taxiway.features.scaffolder.record import FILE, record_text
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.trying import MASK
from taxiway.features.scaffolder.upgrade_run import pull_link
from taxiway.features.scaffolder.validation import schema_errors
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.errors import NotFoundError, TooLargeError
from taxiway.model.event import Event
from taxiway.model.run import Run, RunState, Step
from taxiway.model.workload import FileChange
from taxiway.plugin import StepContext

BRANCH = "taxiway/adopt-"
TOLD = {
    "given": "given, or written down by the tool",
    "found": "read from {lines} lines",
    "tried": "the likeliest of its options",
    "default": "the default",
    "unknown": "**unknown**: check it",
}


class AdoptHandler(BaseHandler):
    """Two steps: `infer` finds what is to be recorded, `propose` opens the pull request. Both may be done again."""

    def __init__(self, platform: Platform, scaffolder: Scaffolder) -> None:
        self._platform, self._scaffolder = platform, scaffolder

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        acting = OpContext(self._platform, ctx.principal, f"run-{run.id}")
        order = AdoptionOrder(**run.input["order"])
        if step.id == "infer":
            found = propose(acting, self._scaffolder, order)
            ctx.log(f"{found.template_ref} {found.inferred.version.name}, {found.inferred.likeness:.0%} alike")
            version = found.inferred.version
            pinned = {"document": version.document, "snapshot": version.snapshot, "values": version.values}
            return StepResult({**view(order.repository, found), "pinned": pinned})
        return StepResult(self._propose(run, ctx, acting))

    def check_undo(self, run: Run, step: Step) -> None:
        check_back(self._platform, step.created)

    def undo(self, run: Run, step: Step, ctx: StepContext) -> None:
        take_back(self._platform, ctx, step.created)

    def finish(self, tx: Tx, run: Run, state: RunState) -> Mapping[str, Any]:
        made = run.steps[-1].output or {}
        return {**made, "links": [pull_link(self._platform, made)]} if made else {}

    def _propose(self, run: Run, ctx: StepContext, acting: OpContext) -> Mapping[str, Any]:
        found = run.steps[0].output or {}
        pinned, name = found["pinned"], found["repository"]
        text = record_text(found["template"], pinned["document"], pinned["snapshot"], pinned["values"])
        proposal = pulls.Proposal(
            repository=name,
            head=f"{BRANCH}{run.id}",
            changes={FILE: FileChange(text.encode())},
            title=f"Record the golden path {found['template']}",
            body=_told(found),
        )
        row = pulls.propose_change(acting, proposal)
        made = {"repository": name, "number": row["number"], "head_sha": row["head_sha"]}
        ctx.created("pull_request", f"{name}#{row['number']}", made)
        ctx.log(f"opened {name}#{row['number']}")
        return {
            "repository": name,
            "pull": row["number"],
            "template": found["template"],
            "version": found["version"],
            "likeness": found["likeness"],
        }


def _told(found: Mapping[str, Any]) -> str:
    """The text of the pull request."""
    lines = [
        f"This repository looks as if the golden path `{found['template']}` made it: {found['likeness']:.0%} of what "
        f"its version `{found['version']}` makes from these answers is here. Merge this to get upgrades from now on.",
        "",
        "**Check the answers**, and correct in the file on this branch what is wrong:",
        "",
    ]
    lines += [
        f"- `{item['name']}`: `{item['value']}` ({TOLD[item['origin']].format(lines=item['lines'])})"
        for item in found["answers"]
    ]
    return "\n".join(lines)


class FollowAdoptions:
    """A merged pull request makes the repository a service of its golden path, with the answers as they were merged."""

    key = "scaffolder.adoptions"
    types = ("dev.cdevents.change.merged.",)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        branch = str(event.data.get("head", ""))
        if not branch.startswith(BRANCH):
            return
        try:
            run = self._platform.runs.get(branch.removeprefix(BRANCH))
        except NotFoundError:
            return
        found = run.steps[0].output if run.kind == KIND and run.steps else None
        if not found or run.subject is None or found["repository"] != event.data["repository"]:
            return
        pinned, subject = found["pinned"], run.subject
        there = forge(self._platform).get_repository(found["repository"])
        if there is None:  # deleted since
            return
        values = self._merged(found, str(event.data["merge_commit"]))
        service = Service(
            subject=subject,
            repository=found["repository"],
            owner=run.owner,
            template_ref=found["template"],
            version=Version(pinned["document"], pinned["snapshot"], values),
            outputs={},
            run_id=run.id,
            created_at=run.created_at,
        )

        def work(tx: Tx) -> str | None:
            # Judged again: the name may have become another's while the pull request was open.
            problem = claim_problem(self._platform, tx.conn, subject, there)
            if problem is None:
                repository.insert_service(tx, service)
            return problem

        if (problem := self._platform.store.write(work)) is not None:
            self._platform.log.warning("scaffolder.adoption_refused", run=run.id, error=problem)

    def _merged(self, found: Mapping[str, Any], commit: str) -> Mapping[str, Any]:
        """The answers in the record as it was merged; those proposed where it cannot be read, or does not fit."""
        name, proposed = found["repository"], found["pinned"]["values"]
        try:
            content = forge(self._platform).read_file(name, commit, FILE)
            body = next(load_all(content)).value if content else None
        except (YamlError, TooLargeError, StopIteration):
            body = None
        answers = body.get("answers") if isinstance(body, Mapping) else None
        if not isinstance(answers, Mapping):
            self._platform.log.warning("scaffolder.adopted_record", repository=name, error=f"{FILE} cannot be read")
            return dict(proposed)
        template = parse_template(found["pinned"]["document"], found["template"], "", found["version"])
        kept, wrong = fitting(template, answers, proposed)
        if wrong:
            self._platform.log.warning(
                "scaffolder.adopted_record", repository=name, error="answers do not fit", at=wrong
            )
        return kept


def fitting(
    template: Template, answers: Mapping[str, Any], proposed: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The answers that are asked for and fit; for the others what was proposed. With the names of the others."""
    asked, hidden = fields_of(template), secret_fields(template.pages)
    given = {name: value for name, value in answers.items() if name in asked}
    wrong = {name for name, field in asked.items() if field.is_required and name not in given}
    wrong |= {str(name) for name in answers if name not in asked}
    for page in template.pages:
        problems = schema_errors(page_schema(page), {**given, **dict.fromkeys(hidden, MASK)})
        wrong |= {name for problem in problems if (name := problem.pointer.strip("/").split("/")[0]) in given}
    kept = {name: value for name, value in given.items() if name not in wrong}
    return kept | {name: value for name, value in proposed.items() if name in wrong}, sorted(wrong)
