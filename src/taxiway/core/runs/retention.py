"""Forgets the files of runs that ended long ago. A schedule of the worker calls it."""

from __future__ import annotations

import shutil

from sqlalchemy import select

from taxiway.core.runs.parts import Parts
from taxiway.core.store.tables import run
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.run import ENDED

NAME = "runs.workspaces"
EVERY_SECONDS = 3600
KEEP_SECONDS = 7 * 86_400


def remove_old_workspaces(parts: Parts) -> int:
    """Remove the workspaces of runs that ended more than 7 days ago, or that are not known; returns how many."""
    root, removed = parts.data / "runs", 0
    before = parts.clock.now() - KEEP_SECONDS * MICROSECONDS
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        with parts.store.read() as conn:
            row = conn.execute(select(run.c.state, run.c.ended_at).where(run.c.id == folder.name)).first()
        if row is None or (row.state in ENDED and row.ended_at < before):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed
