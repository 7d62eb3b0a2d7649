"""Use cases of upgrades: which services lag behind their golden path, start an upgrade, decline a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.model import Service, Version, version_name
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.snapshot import snapshot
from taxiway.features.scaffolder.upgrading import answers_for
from taxiway.kit.paging import Page
from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError
from taxiway.model.run import RunSpec, StepDefinition

STEPS = (
    StepDefinition("merge", "Merge the new version", "taxiway:upgrade:merge", recovery="idempotent"),
    StepDefinition("propose", "Open the pull request", "taxiway:upgrade:propose", recovery="idempotent"),
)


def list_services(ctx: OpContext, scaffolder: Scaffolder, limit: int, cursor: str | None) -> Page[dict[str, Any]]:
    """Services that golden paths made, by reference, each with its version and the newest one."""
    with ctx.platform.store.read() as conn:
        page = repository.list_services(conn, ctx.scope("scaffolder.read"), limit, cursor)
    newest = {ref: _newest(scaffolder, ref) for ref in {service.template_ref for service in page.items}}
    return Page([view(service, newest[service.template_ref]) for service in page.items], page.next_cursor)


def get_service(ctx: OpContext, subject: str) -> Service:
    """One of them. NotFoundError when no golden path made it, or the caller may not see it."""
    with ctx.platform.store.read() as conn:
        service = repository.get_service(conn, subject)
    scope = ctx.scope("scaffolder.read")
    if service is None or not (scope.everything or service.owner in scope.owners):
        raise NotFoundError(f"no golden path made {subject}, as far as is known here", code="scaffolder.no_service")
    return service


def start_upgrade(ctx: OpContext, scaffolder: Scaffolder, subject: str, answers: Mapping[str, Any]) -> str:
    """Start the run that proposes the newest version to a service; returns its id.

    ConflictError when it has it, or a pull request for it is open; InputError for questions without an answer.
    """
    service = get_service(ctx, subject)
    ctx.authorize("scaffolder.task.create")
    ctx.authorize("pulls.write", service.owner)
    template = scaffolder.template(service.template_ref)
    pinned = snapshot(ctx.platform, template.location, template.document)
    target = version_name(template.document, pinned)
    if target == service.version.name:
        raise ConflictError(f"{subject} has the newest version ({target}) already", code="scaffolder.current")
    if service.pending is not None and service.pending["version"] == target:
        raise ConflictError(
            f"the pull request #{service.pending['number']} of {service.repository} brings {target}: merge or close it",
            code="scaffolder.upgrade_open",
        )
    values = answers_for(template, service.version.values, answers)

    def work(tx: Tx) -> str:
        spec = RunSpec(
            kind="upgrade",
            title=f"Upgrade {subject} to {target}",
            steps=list(STEPS),
            input={"subject": subject, "values": values},
            definition={"document": template.document, "snapshot": pinned},
            subject=subject,
            owner=service.owner,
        )
        return ctx.platform.runs.start(tx, ctx.principal, spec)

    return ctx.platform.store.write(work)


def decline(ctx: OpContext, scaffolder: Scaffolder, subject: str) -> dict[str, Any]:
    """Say that a service does not want the newest version: it counts as behind no more, until there is another."""
    service = get_service(ctx, subject)
    ctx.authorize("pulls.write", service.owner)
    newest = _newest(scaffolder, service.template_ref)
    if newest is None:
        raise ConflictError(
            f"{service.template_ref} cannot be read: there is nothing to decline", code="scaffolder.gone"
        )
    ctx.platform.store.write(lambda tx: repository.decline(tx, subject, newest))
    return view(get_service(ctx, subject), newest)


def view(service: Service, newest: str | None) -> dict[str, Any]:
    """A service as the API shows it. `state`: current, behind, proposed, declined, or unknown (no template)."""
    own = service.version.name
    states = {
        own: "current",
        **dict.fromkeys(service.declined, "declined"),
        **({service.pending["version"]: "proposed"} if service.pending else {}),
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


def _newest(scaffolder: Scaffolder, ref: str) -> str | None:
    try:
        template = scaffolder.template(ref)
        return version_name(template.document, snapshot(scaffolder.platform, template.location, template.document))
    except TaxiwayError:
        return None


def target_of(definition: Mapping[str, Any], values: Mapping[str, Any]) -> Version:
    """The version that a run of kind `upgrade` brings."""
    return Version(definition["document"], definition["snapshot"], values)
