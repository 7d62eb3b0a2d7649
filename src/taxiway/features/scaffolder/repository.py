"""All SQL of the scaffolder."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from taxiway.core.store.database import Tx
from taxiway.features.scaffolder.model import Plan
from taxiway.features.scaffolder.tables import plan as plan_table


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
