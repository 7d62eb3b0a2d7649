"""Checks of commits: what pipelines and outside systems say of them. Reported by `delivery` and through the API."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.pulls import repository
from taxiway.features.pulls.model import CheckState, person
from taxiway.features.pulls.service.hosts import find_pull, forge, owner_of, repository_of
from taxiway.features.pulls.service.showing import check_shown
from taxiway.model.errors import InputError
from taxiway.model.event import EventDraft

REPORTED = "dev.taxiway.check.reported.v1"


def report_check(
    tx: Tx,
    repository_uid: str,
    commit: str,
    name: str,
    source: str,
    state: CheckState,
    *,
    detail: str = "",
    run_id: str | None = None,
    url: str | None = None,
) -> None:
    """Record how a check of a commit stands, in the transaction of what it is about. `source` keeps checks of one name
    apart: all of them must be green."""
    values = {"repository_uid": repository_uid, "commit": commit, "name": name, "source": source, "state": state}
    more = {"detail": detail[:2000], "run_id": run_id, "url": url, "updated_at": tx.now}
    repository.put_check(tx, {**values, **more})


def check_commit(
    ctx: OpContext, name: str, commit: str, check: str, state: CheckState, detail: str, url: str | None
) -> dict[str, Any]:
    """A check from outside, in the caller's name. InputError for a commit that is not there."""
    there = repository_of(ctx.platform, name)
    ctx.authorize("pulls.report", owner_of(there))
    if len(commit) != 40 or forge(ctx.platform).resolve(name, commit) != commit:
        raise InputError(f"{name} has no commit {commit[:40]}: name it by its full SHA", code="pulls.no_commit")
    source = f"api:{person(ctx.principal)}"

    def work(tx: Tx) -> dict[str, Any]:
        report_check(tx, there.uid, commit, check, source, state, detail=detail, url=url)
        data = {"repository": name, "commit": commit, "name": check, "state": state}
        ctx.emit(tx, EventDraft(REPORTED, f"repository:{name}", data, subject_uid=there.uid), owner=owner_of(there))
        found = repository.checks(tx.conn, there.uid, commit)
        return next(check_shown(item) for item in found if (item["name"], item["source"]) == (check, source))

    done: dict[str, Any] = ctx.platform.store.write(work)
    return done


def list_checks(ctx: OpContext, name: str, number: int) -> list[dict[str, Any]]:
    """Checks of the head of a pull request, by name."""
    row = find_pull(ctx, name, number)
    with ctx.platform.store.read() as conn:
        return [check_shown(item) for item in repository.checks(conn, row["repository_uid"], row["head_sha"])]
