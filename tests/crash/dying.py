"""`taxiway …` that dies by SIGKILL around a commit: `dying.py PLAN ARGUMENTS…`, started by `machine.py`.

PLAN is a JSON file {"moments": [...] or null for every one, "hits": file}, read at each of them. A moment is
`<kind>.<step>.<state>.<side>`: the commit by which a step (or `run`) of a run of that kind gets that state, `before` it
or right `after` it. Two more are of a request with an Idempotency-Key: `key.commit.<side>` around the commit of its
operation, `key.keep.<side>` around that of its answer. Each moment kills once: those that did stand in the file `hits`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from taxiway.core.http import idempotency
from taxiway.core.runs import repository
from taxiway.core.store import postgres, sqlite, tables

KINDS = ("scaffold", "pipeline", "deploy")
STEP_STATES = ("running", "waiting", "succeeded")
RUN_STATES = ("running", "waiting", "succeeded", "failed")


class Death:
    """Knows which moments are wanted, and kills this process in the first that was not hit yet."""

    def __init__(self, plan: Path) -> None:
        self._plan, self._hits = plan, Path(json.loads(plan.read_text())["hits"])
        self._noted = threading.local()

    def note(self, tx: Any, run_id: str, step: str, state: str | None, states: tuple[str, ...]) -> None:
        """Remember that this transaction writes `state`."""
        names = getattr(self._noted, "names", None)
        if names is not None and state in states:
            kind = tx.conn.execute(select(tables.run.c.kind).where(tables.run.c.id == run_id)).scalar()
            if kind in KINDS:
                names.append(f"{kind}.{step}.{state}")

    def around(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """`write` of a store, with the kill before and behind its commit."""

        def watched(store: Any, work: Callable[[Any], Any]) -> Any:
            names: list[str] = []

            def inside(tx: Any) -> Any:
                names.clear()
                self._noted.names = names
                try:
                    result = work(tx)
                finally:
                    self._noted.names = None
                self.strike(names, "before")
                return result

            result = write(store, inside)
            self.strike(names, "after")
            return result

        return watched

    def strike(self, names: list[str], side: str) -> None:
        """Die when one of `names` is wanted on this side and was not hit yet."""
        moments = [f"{name}.{side}" for name in names]
        if not moments:
            return
        hit = set(self._hits.read_text().split()) if self._hits.exists() else set()
        wanted = json.loads(self._plan.read_text())["moments"]
        new = [name for name in moments if name not in hit and (wanted is None or name in wanted)]
        if new:
            with self._hits.open("a") as file:
                file.write(" ".join(new) + "\n")
            os.kill(os.getpid(), signal.SIGKILL)


def install(death: Death) -> None:
    """Put `death` around the commits of both stores."""
    set_step, set_run = repository.set_step, repository.set_run

    def noting_step(tx: Any, run_id: str, step_id: str, **values: Any) -> None:
        set_step(tx, run_id, step_id, **values)
        death.note(tx, run_id, step_id, values.get("state"), STEP_STATES)

    def noting_run(tx: Any, run_id: str, **values: Any) -> None:
        set_run(tx, run_id, **values)
        death.note(tx, run_id, "run", values.get("state"), RUN_STATES)

    repository.set_step, repository.set_run = noting_step, noting_run
    install_keys(death)
    for store in (sqlite.SqliteStore, postgres.PostgresStore):
        store.write = death.around(store.write)


def install_keys(death: Death) -> None:
    """Put `death` around the two commits of a request with a key."""
    join, keep = idempotency.Claim.join, idempotency.Answers.keep

    def joining(claim: Any, work: Callable[[Any], Any]) -> Callable[[Any], Any]:
        both = join(claim, work)

        def watched(tx: Any) -> Any:
            result = both(tx)
            if both is not work:
                tx.after_commit(lambda: death.strike(["key.commit"], "after"))
                death.strike(["key.commit"], "before")
            return result

        return watched

    def keeping(answers: Any, store: Any, claim: Any, kept: Any) -> None:
        death.strike(["key.keep"], "before")
        keep(answers, store, claim, kept)
        death.strike(["key.keep"], "after")

    idempotency.Claim.join = joining
    idempotency.Answers.keep = keeping


def main() -> None:
    from taxiway.cli.main import main as taxiway

    install(Death(Path(sys.argv.pop(1))))
    taxiway()


if __name__ == "__main__":
    main()
