"""Use cases of upgrades: which services lag behind their golden path, plan and start an upgrade, decline a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.model import Service, Template, Version, parse_template, version_name
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.snapshot import snapshot
from taxiway.features.scaffolder.upgrade_sides import head_of, sides_of
from taxiway.features.scaffolder.upgrading import KINDS, answers_for, kept_answers, questions
from taxiway.kit.paging import Page
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError
from taxiway.model.pulls import CarryRequest
from taxiway.model.run import RunSpec, StepDefinition
from taxiway.plugin import PullHost

STEPS = (
    StepDefinition("merge", "Merge the new version", "taxiway:upgrade:merge", recovery="idempotent"),
    StepDefinition("propose", "Open the pull request", "taxiway:upgrade:propose", recovery="idempotent"),
)

LISTED_SECONDS = 300.0
"""How old what is known of a template on another forge may be in a list."""


@dataclass(frozen=True)
class Aim:
    """The version that services are to get: the template as it is now, with its files pinned."""

    template: Template
    pinned: str

    @property
    def name(self) -> str:
        return version_name(self.template.document, self.pinned)


def aim_of(scaffolder: Scaffolder, ref: str, *, within_seconds: float = 0) -> Aim:
    """The newest version of a golden path. ConflictError when it cannot be read: then there is no newer one."""
    try:
        template, platform = scaffolder.template(ref), scaffolder.platform
        pinned = snapshot(platform, template.location, template.document, within_seconds=within_seconds)
        return Aim(template, pinned)
    except NotFoundError as error:
        raise ConflictError(
            f"there is no newer version, since the golden path is gone ({error.detail}): register it again. What its "
            "services were made from is kept",
            code="scaffolder.gone",
        ) from error


def list_services(
    ctx: OpContext,
    scaffolder: Scaffolder,
    limit: int,
    cursor: str | None,
    *,
    state: str | None = None,
    template: str | None = None,
    subject: str | None = None,
) -> Page[dict[str, Any]]:
    """Services that golden paths made, by reference, each with its version and the newest one.

    With `state` a page may have fewer items than there are: the next one goes on.
    """
    ref = None if template is None else str(parse_ref(template, default_kind="template"))
    name = None if subject is None else str(parse_ref(subject, default_kind="component"))
    with ctx.platform.store.read() as conn:
        page = repository.list_services(conn, ctx.scope("scaffolder.read"), limit, cursor, template=ref, subject=name)
    newest = {known: newest_of(scaffolder, known) for known in {service.template_ref for service in page.items}}
    views = [view(service, newest[service.template_ref]) for service in page.items]
    return Page([item for item in views if state in (None, item["state"])], page.next_cursor)


def get_service(ctx: OpContext, subject: str) -> Service:
    """One of them. NotFoundError when no golden path made it, or the caller may not see it."""
    with ctx.platform.store.read() as conn:
        service = repository.get_service(conn, subject)
    scope = ctx.scope("scaffolder.read")
    if service is None or not (scope.everything or service.owner in scope.owners):
        raise NotFoundError(f"no golden path made {subject}, as far as is known here", code="scaffolder.no_service")
    return service


def start_upgrade(
    ctx: OpContext,
    service: Service,
    aim: Aim,
    answers: Mapping[str, Any],
    *,
    parent_id: str | None = None,
    request_key: str | None = None,
) -> str:
    """Start the run that proposes a version to a service; returns its id.

    ConflictError when it has it, or a pull request for it is open; InputError for questions without an answer.
    """
    ctx.authorize("scaffolder.task.create")
    ctx.authorize("pulls.write", service.owner)
    subject = service.subject
    if aim.name == service.version.name:
        raise ConflictError(f"{subject} has the newest version ({aim.name}) already", code="scaffolder.current")
    if service.pending is not None and service.pending["version"] == aim.name:
        raise ConflictError(
            f"the pull request #{service.pending['number']} of {service.repository} brings {aim.name}: merge or close "
            "it",
            code="scaffolder.upgrade_open",
        )
    values = answers_for(aim.template, service.version.values, answers)

    def work(tx: Tx) -> str:
        spec = RunSpec(
            kind="upgrade",
            title=f"Upgrade {subject} to {aim.name}",
            steps=list(STEPS),
            input={"subject": subject, "values": values},
            definition={"document": aim.template.document, "snapshot": aim.pinned},
            subject=subject,
            owner=service.owner,
            parent_id=parent_id,
            request_key=request_key,
        )
        return ctx.platform.runs.start(tx, ctx.principal, spec)

    return ctx.platform.store.write(work)


def plan_upgrade(ctx: OpContext, scaffolder: Scaffolder, subject: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What an upgrade would do: versions, questions, files with their patches, conflicts. Nothing is kept.

    `files` is None while a question needs an answer.
    """
    service = get_service(ctx, subject)
    ctx.authorize("scaffolder.plan")
    aim = aim_of(scaffolder, service.template_ref)
    before = parse_template(service.version.document, service.template_ref, "", service.version.name)
    values = kept_answers(aim.template, service.version.values, answers)
    asked = questions(aim.template, before, values)
    plan: dict[str, Any] = {
        **view(service, aim.name),
        "to": aim.name,
        "questions": asked,
        "files": None,
        "conflicts": [],
        "is_record_changed": False,
        "is_ready": False,
    }
    if aim.name == service.version.name or any(item["problem"] for item in asked):
        return plan
    target = Version(aim.template.document, aim.pinned, answers_for(aim.template, service.version.values, answers))
    start = head_of(ctx, service.repository)
    sides = sides_of(ctx, scaffolder.renderer, service, target, start)
    who, now = ctx.principal.subject, ctx.platform.clock.now()
    request = CarryRequest(service.repository, start, sides.old, sides.new, "trial", who, now)
    trial = ctx.platform.registry.get("pull_host", "git_local", PullHost).try_carry(request)
    return {
        **plan,
        "files": [asdict(file) for file in trial.files.files],
        "file_count": trial.files.total,
        "additions": trial.files.additions,
        "deletions": trial.files.deletions,
        "conflicts": [{**asdict(item), "detail": KINDS[item.kind]} for item in trial.conflicts],
        "is_record_changed": sides.is_record_changed,
        "is_ready": plan["state"] in ("behind", "declined"),
    }


def decline(ctx: OpContext, scaffolder: Scaffolder, subject: str) -> dict[str, Any]:
    """Say that a service does not want the newest version: it counts as behind no more, until there is another."""
    service = get_service(ctx, subject)
    ctx.authorize("pulls.write", service.owner)
    newest = aim_of(scaffolder, service.template_ref).name
    if newest == service.version.name:
        raise ConflictError(f"{subject} has the newest version ({newest}) already", code="scaffolder.current")
    ctx.platform.store.write(lambda tx: repository.decline(tx, subject, newest))
    return view(get_service(ctx, subject), newest)


def view(service: Service, newest: str | None) -> dict[str, Any]:
    """A service as the API shows it. `state`: current, behind, proposed, declined, or unknown (no template)."""
    own = service.version.name
    states = {
        **dict.fromkeys(service.declined, "declined"),
        **({service.pending["version"]: "proposed"} if service.pending else {}),
        own: "current",
    }
    return {
        "subject": service.subject,
        "repository": service.repository,
        "owner": service.owner,
        "template": service.template_ref,
        "version": own,
        "newest": newest,
        "state": "unknown" if newest is None else states.get(newest, "behind"),
        "pull": service.pending["number"] if service.pending else None,
        "answers": dict(service.version.values),
        "created_at": service.created_at,
        "upgraded_at": service.upgraded_at,
        "run_id": service.run_id,
    }


def newest_of(scaffolder: Scaffolder, ref: str) -> str | None:
    """The name of the newest version of a golden path; None when it cannot be read."""
    try:
        return aim_of(scaffolder, ref, within_seconds=LISTED_SECONDS).name
    except TaxiwayError:
        return None


def target_of(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Version:
    """The version that a run of kind `upgrade` brings."""
    return Version(definition["document"], definition["snapshot"], values)
