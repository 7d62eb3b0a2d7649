"""Quotas: `taxiway:quota` in a template's spec says how many services an owner may have from it, and how many tasks may
run for an owner at a time. A plan check shows how much is used; a start counts again in its own transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.scaffolder import repository
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin import CheckResult

KEY, TITLE = "quota", "Quota"
Values = Mapping[str, Any]


class QuotaCheck:
    """Says how much of a golden path's quota its owner has used, and refuses what is beyond."""

    key = KEY

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def check(self, plan: Values) -> CheckResult | None:
        said = _said(plan["document"])
        if said is None:
            return None
        owner = owner_of(plan["values"], plan.get("entity_owner"), plan["principal"]["subject"])
        with self._platform.store.read() as conn:
            used, problem = _used(conn, said, plan["template"], owner)
        return CheckResult(KEY, TITLE, "failed" if problem else "passed", problem or used)


def owner_of(values: Values, bound: str | None, subject: str) -> str:
    """Whom a task counts for: the entity's owner, the answer `owner`, else who starts it."""
    given = values.get("owner")
    if bound is not None or not isinstance(given, str) or not given:
        return bound or subject
    try:
        return str(parse_ref(given, default_kind="group"))
    except InputError:  # another check says so
        return subject


def refuse_beyond(conn: Any, document: Values, template_ref: str, owner: str) -> None:
    """ConflictError when one more would be beyond the quota."""
    said = _said(document)
    if said is not None and (problem := _used(conn, said, template_ref, owner)[1]):
        raise ConflictError(problem, code="scaffolder.quota")


def _said(document: Values) -> Values | None:
    said = (document.get("spec") or {}).get("taxiway:quota")
    return said if isinstance(said, Mapping) else None


def _used(conn: Any, said: Values, template_ref: str, owner: str) -> tuple[str, str]:
    """(how much is used, what is wrong with one more)."""
    told = []
    if (most := said.get("running")) is not None:
        running = repository.count_running(conn, template_ref, owner)
        told.append(f"{running} of {most} tasks run")
        if running >= most:
            return "", f"{owner} has {running} of {most} tasks of this golden path running: wait until one has ended"
    if (most := said.get("services")) is not None:
        # What runs may become a service, so it counts as one.
        services = repository.count_services(conn, template_ref, owner)
        coming = repository.count_running(conn, template_ref, owner)
        told.append(f"{services + coming} of {most} services are used")
        if services + coming >= most:
            counted = f"{services} services{f' and {coming} tasks under way' if coming else ''}"
            return "", (
                f"{owner} has {counted} of this golden path, and may have {most}: decommission one, or ask "
                "the owner of the golden path for more"
            )
    return f"{owner}: {', '.join(told)}", ""
