"""All SQL of the scaffolder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, case, delete, desc, func, insert, or_, select, update

from taxiway.core.cursors import last_seen
from taxiway.core.store.database import Tx
from taxiway.core.store.scoped import visible
from taxiway.core.store.tables import run as run_table
from taxiway.core.store.upsert import upsert
from taxiway.features.scaffolder.model import Draft, Plan, Reached, Service, Task, Version
from taxiway.features.scaffolder.tables import draft as draft_table
from taxiway.features.scaffolder.tables import plan as plan_table
from taxiway.features.scaffolder.tables import service as service_table
from taxiway.features.scaffolder.tables import wizard as wizard_table
from taxiway.kit.paging import Page, page_of
from taxiway.model.access import Scope
from taxiway.model.run import ENDED


def insert_plan(tx: Tx, plan: Plan) -> None:
    """Store a plan."""
    tx.conn.execute(
        insert(plan_table).values(
            id=plan.id,
            hash=plan.hash,
            template_ref=plan.template_ref,
            template_etag=plan.template_etag,
            body=asdict(plan),
            created_by=plan.created_by,
            created_at=plan.created_at,
        )
    )


def get_plan(conn: Connection, plan_id: str) -> Plan | None:
    """The plan, or None."""
    body = conn.execute(select(plan_table.c.body).where(plan_table.c.id == plan_id)).scalar_one_or_none()
    return None if body is None else Plan(**body)


def delete_plans_before(tx: Tx, at: int) -> None:
    """Forget plans that were made before `at`."""
    tx.conn.execute(delete(plan_table).where(plan_table.c.created_at < at))


def insert_service(tx: Tx, service: Service) -> None:
    """Remember a service; one that was made again by the same name replaces what was remembered of the first."""
    values = {
        "subject": service.subject,
        "repository": service.repository,
        "owner": service.owner,
        "template_ref": service.template_ref,
        **_columns(service.version.document, service.version.snapshot, service.version.values),
        "outputs": service.outputs,
        "run_id": service.run_id,
        "created_at": service.created_at,
        "upgraded_at": None,
        "pending": None,
        "declined": [],
    }
    row = upsert(tx.conn, service_table).values(**values)
    tx.conn.execute(row.on_conflict_do_update(index_elements=["subject"], set_=values))


def get_service(conn: Connection, subject: str) -> Service | None:
    """The service of an entity, or None."""
    row = conn.execute(select(service_table).where(service_table.c.subject == subject)).one_or_none()
    return None if row is None else _service(row)


def service_of_repository(conn: Connection, name: str) -> Service | None:
    """The service whose repository this is, or None."""
    row = conn.execute(select(service_table).where(service_table.c.repository == name)).first()
    return None if row is None else _service(row)


def list_services(
    conn: Connection,
    scope: Scope,
    limit: int,
    cursor: str | None,
    *,
    template: str | None = None,
    subject: str | None = None,
) -> Page[Service]:
    """By reference; those of a template, or the one of an entity, where that is asked for."""
    query = select(service_table).where(visible(scope, service_table.c.owner)).order_by(service_table.c.subject)
    for column, wanted in ((service_table.c.template_ref, template), (service_table.c.subject, subject)):
        if wanted is not None:
            query = query.where(column == wanted)
    if (after := last_seen(cursor, str)) is not None:
        query = query.where(service_table.c.subject > after)
    rows = conn.execute(query.limit(limit + 1)).all()
    return page_of([_service(row) for row in rows], limit, lambda item: [item.subject])


def versions_of(conn: Connection, template_ref: str, limit: int) -> list[Version]:
    """Versions of a golden path that services here were made from, the last made first, without their answers."""
    table = service_table.c
    query = select(table.document, table.snapshot, func.max(table.created_at).label("at"))
    query = query.where(table.template_ref == template_ref).group_by(table.document, table.snapshot)
    rows = conn.execute(query.order_by(desc("at")).limit(limit)).all()
    return [Version(row.document, row.snapshot, {}) for row in rows]


def propose(tx: Tx, subject: str, pending: Mapping[str, Any]) -> None:
    """A pull request is open that would bring `pending`."""
    _update(tx, subject, pending=dict(pending))


def withdraw(tx: Tx, subject: str, number: int) -> None:
    """The pull request is taken back by the run that opened it."""
    service = get_service(tx.conn, subject)
    if service is not None and service.pending is not None and service.pending["number"] == number:
        _update(tx, subject, pending=None)


def upgraded(tx: Tx, subject: str, version: Mapping[str, Any]) -> None:
    """The service has a new version: {document, snapshot, values}."""
    columns = _columns(version["document"], version["snapshot"], version["values"])
    _update(tx, subject, **columns, pending=None, upgraded_at=tx.now)


def decline(tx: Tx, subject: str, version: str) -> None:
    """The service does not want a version."""
    service = get_service(tx.conn, subject)
    if service is not None:
        _update(tx, subject, pending=None, declined=sorted({*service.declined, version}))


def forget_services(tx: Tx, name: str) -> None:
    """The repository `name` is gone, and what it held with it."""
    tx.conn.execute(delete(service_table).where(service_table.c.repository == name))


def count_services(conn: Connection, template_ref: str, owner: str) -> int:
    """How many services an owner has from a template."""
    mine = (service_table.c.template_ref == template_ref, service_table.c.owner == owner)
    return int(conn.execute(select(func.count()).select_from(service_table).where(*mine)).scalar_one())


def count_running(conn: Connection, template_ref: str, owner: str) -> int:
    """How many tasks of a template have not ended for an owner."""
    open_ = (run_table.c.kind == "scaffold", run_table.c.owner == owner, run_table.c.state.not_in(ENDED))
    inputs = conn.execute(select(run_table.c.input).where(*open_)).scalars()
    return sum(one.get("template_ref") == template_ref for one in inputs)


def recent_tasks(conn: Connection, scope: Scope, since: int, limit: int) -> list[Task]:
    """Tasks that began at `since` or later, the newest first, without what they were made from."""
    table = run_table.c
    query = select(table.input, table.state, table.created_at, table.ended_at)
    query = query.where(table.kind == "scaffold", table.created_at >= since, visible(scope, table.owner))
    rows = conn.execute(query.order_by(table.id.desc()).limit(limit))
    return [Task(str(row.input.get("template_ref")), row.state, row.created_at, row.ended_at) for row in rows]


def run_of_request(conn: Connection, request_key: str) -> str | None:
    """The task that was started with this key, or None."""
    where = (run_table.c.kind == "scaffold", run_table.c.request_key == request_key)
    return conn.execute(select(run_table.c.id).where(*where)).scalar_one_or_none()


def insert_draft(tx: Tx, draft: Draft) -> None:
    """Keep a draft."""
    tx.conn.execute(insert(draft_table).values(_draft_columns(draft)))


def change_draft(tx: Tx, draft: Draft, version: int) -> bool:
    """Replace a draft that is at `version`; False when it is not."""
    where = (draft_table.c.id == draft.id, draft_table.c.version == version)
    values = {**_draft_columns(draft), "version": version + 1}
    return tx.conn.execute(update(draft_table).where(*where).values(values)).rowcount == 1


def get_draft(conn: Connection, draft_id: str) -> Draft | None:
    """The draft, or None."""
    row = conn.execute(select(draft_table).where(draft_table.c.id == draft_id)).one_or_none()
    return None if row is None else _draft(row)


def list_drafts(conn: Connection, subject: str, oldest: int) -> list[Draft]:
    """Drafts that somebody holds or handed on, changed since `oldest`, the newest first."""
    mine = or_(draft_table.c.holder == subject, draft_table.c.handed_by == subject)
    query = select(draft_table).where(mine, draft_table.c.updated_at >= oldest)
    return [_draft(row) for row in conn.execute(query.order_by(draft_table.c.updated_at.desc(), draft_table.c.id))]


def count_drafts(conn: Connection, holder: str) -> int:
    """How many drafts somebody holds."""
    query = select(func.count()).select_from(draft_table).where(draft_table.c.holder == holder)
    return int(conn.execute(query).scalar_one())


def delete_draft(tx: Tx, draft_id: str) -> None:
    """Forget a draft."""
    tx.conn.execute(delete(draft_table).where(draft_table.c.id == draft_id))


def delete_drafts_before(tx: Tx, at: int) -> None:
    """Forget drafts that were not changed since `at`."""
    tx.conn.execute(delete(draft_table).where(draft_table.c.updated_at < at))


def reach_page(tx: Tx, wizard_id: str, template_ref: str, page: int) -> None:
    """Remember how far a wizard came: never back, and its golden path stays."""
    row = upsert(tx.conn, wizard_table).values(
        id=wizard_id, template_ref=template_ref, reached=page, outcome=None, updated_at=tx.now
    )
    before, given = wizard_table.c.reached, row.excluded.reached
    furthest = case((given > before, given), else_=before)
    tx.conn.execute(row.on_conflict_do_update(index_elements=["id"], set_={"reached": furthest, "updated_at": tx.now}))


def end_wizard(tx: Tx, wizard_id: str, template_ref: str, outcome: str) -> None:
    """What came of a wizard; a task stays what came of it."""
    table = wizard_table.c
    where = (table.id == wizard_id, table.template_ref == template_ref, func.coalesce(table.outcome, "") != "task")
    tx.conn.execute(update(wizard_table).where(*where).values(outcome=outcome, updated_at=tx.now))


def count_wizards(conn: Connection, since: int, idle_before: int) -> list[Reached]:
    """Wizards that were used at `since` or later, by golden path, page and outcome."""
    table = wizard_table.c
    groups = (table.template_ref, table.reached, table.outcome, table.updated_at < idle_before)
    query = select(*groups, func.count()).where(table.updated_at >= since).group_by(*groups)
    return [Reached(ref, page, what, bool(idle), n) for ref, page, what, idle, n in conn.execute(query)]


def delete_wizards_before(tx: Tx, at: int) -> None:
    """Forget wizards that were not used since `at`."""
    tx.conn.execute(delete(wizard_table).where(wizard_table.c.updated_at < at))


def _draft_columns(draft: Draft) -> dict[str, Any]:
    columns = asdict(draft)
    columns["answers"] = columns.pop("values")
    return columns


def _draft(row: Any) -> Draft:
    columns = dict(row._mapping)
    return Draft(values=columns.pop("answers"), **columns)


def _update(tx: Tx, subject: str, **values: Any) -> None:
    where = service_table.c.subject == subject
    tx.conn.execute(update(service_table).where(where).values(**values, version=service_table.c.version + 1))


def _columns(document: Mapping[str, Any], snapshot: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"document": dict(document), "snapshot": snapshot, "answers": dict(values)}


def _service(row: Any) -> Service:
    return Service(
        subject=row.subject,
        repository=row.repository,
        owner=row.owner,
        template_ref=row.template_ref,
        version=Version(row.document, row.snapshot, row.answers),
        outputs=row.outputs,
        run_id=row.run_id,
        created_at=row.created_at,
        upgraded_at=row.upgraded_at,
        pending=row.pending,
        declined=tuple(row.declined),
    )
