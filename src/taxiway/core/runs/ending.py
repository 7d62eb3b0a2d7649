"""How a run ends, in one transaction: its output, its event, and the parents that wait for it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from typing import Any

from taxiway.core.runs import repository
from taxiway.core.runs.parts import STEERED, WORK, Parts
from taxiway.core.runs.rows import plain, principal_of
from taxiway.core.store.database import Tx
from taxiway.core.store.tables import run as run_table
from taxiway.model.event import EventDraft
from taxiway.model.run import ENDED, Run, RunState

ENDED_EVENT = "dev.taxiway.run.ended.v1"
FREE: Mapping[str, Any] = {"executor": None, "intent": None, "waiting_for": None, "wake_at": None}


def end_run(tx: Tx, parts: Parts, run: Run, state: RunState, error: str | None, *, finish: bool = True) -> None:
    """Write the end of a run that the caller has locked. `run` is as it stands in this transaction."""
    handler = parts.handlers.get(run.kind)
    output: Mapping[str, Any] = {}
    if finish and handler is not None:
        output = plain(handler.finish(tx, run, state), "the output of the run")
    repository.set_run(tx, run.id, state=state, error=error, output=output, ended_at=tx.now, **FREE)
    if repository.wake_waiting(tx, f"run:{run.id}"):
        tx.after_commit(lambda: parts.signals.notify(WORK))
    creator = tx.conn.execute(
        run_table.select().with_only_columns(run_table.c.principal).where(run_table.c.id == run.id)
    )
    draft = EventDraft(ENDED_EVENT, f"run:{run.id}", {"kind": run.kind, "state": state, "title": run.title})
    parts.events.append(tx, principal_of(creator.scalar_one()), draft, owner=run.owner)
    tx.after_commit(lambda: parts.signals.notify(f"run:{run.id}"))


def cancel_in(tx: Tx, parts: Parts, run_id: str) -> Run:
    """Cancel a run in whatever state it is; nothing happens when it ended. Returns it as it stood before."""
    run = repository.load_for_update(tx, run_id)
    if run.state in ENDED or run.state in ("cancelling", "undoing"):
        return run
    if run.state == "running":
        repository.set_run(tx, run_id, state="cancelling")
        tx.after_commit(lambda: parts.signals.notify(STEERED))
        tx.after_commit(lambda: parts.signals.notify(f"run:{run_id}"))
        return run
    for step in run.steps:
        if step.state in ("waiting", "interrupted"):
            repository.set_step(tx, run_id, step.id, state="cancelled", ended_at=tx.now)
    end_run(tx, parts, repository.load(tx.conn, run_id), "cancelled", None)
    return run


def cancel_tree(tx: Tx, parts: Parts, run_id: str) -> Run:
    """Cancel a run and its living descendants."""
    for child in repository.descendants(tx.conn, run_id):
        cancel_in(tx, parts, child)
    return cancel_in(tx, parts, run_id)


def remove_workspace(parts: Parts, run_id: str) -> None:
    """Forget the files of a run."""
    shutil.rmtree(parts.workspace(run_id).parent, ignore_errors=True)
