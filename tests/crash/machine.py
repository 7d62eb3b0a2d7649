"""A `taxiway up` that is killed again and again, the job it works on, and a look into its store while it is down."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from acceptance.conftest import Server
from taxiway.core.store import tables
from taxiway.model.run import ENDED

DYING = Path(__file__).with_name("dying.py")
START_SECONDS = 60.0
ASK_SECONDS = 90.0
ACTOR = "user:default/alex.demo"
FORM = {"name": "parcels", "owner": "group:default/checkout", "description": "Tracks parcels"}
TEMPLATE = "template:default/python-service"


@dataclass
class Kill:
    """One death of a server: where it was hit, and how the run stood then."""

    moment: str
    state: str


@dataclass
class DyingServer(Server):
    """A server that keeps its port, and may be told to die around commits."""

    moments: Sequence[str] | None = ()
    """Moments of `dying.py` to die at, each once; None: every one."""
    port: int = 0
    kills: list[Kill] = field(default_factory=list)

    def launch(self) -> bool:
        """Start it. False when it died by SIGKILL before it was ready."""
        command = [sys.executable, str(DYING), str(self.plan()), "up", "--data", str(self.data)]
        command += ["--port", str(self.port), *self.arguments]
        with (self.data.parent / "server.log").open("ab") as log:
            environ = {**os.environ, **self.environ}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
                found = json.loads((self.data / "taxiway.lock").read_bytes())
                if (
                    found["pid"] == self.process.pid
                    and httpx.get(found["url"] + "/readyz", verify=False).status_code == 200
                ):
                    self.url = found["url"]
                    self.port = int(self.url.rsplit(":", 1)[1])
                    return True
            time.sleep(0.03)
        assert self.process.poll() == -signal.SIGKILL, f"the server did not start:\n{self.log()[-4000:]}"
        return False

    def start(self) -> None:
        """Start it until it stays."""
        while not self.launch():
            self.note_death()

    def down(self) -> None:
        """End everything that runs for the data folder, wherever its database is."""
        self.moments = ()
        if self.process is not None and self.process.poll() is None:
            self.stop()
        self.cli("down", "--data", str(self.data), check=False)

    def is_dead(self) -> bool:
        """Whether it died at one of its moments. AssertionError when it ended in any other way."""
        assert self.process is not None
        code = self.process.poll()
        assert code in (None, -signal.SIGKILL), f"the server ended with {code}:\n{self.log()[-4000:]}"
        return code is not None

    def note_death(self, moment: str | None = None, state: str = "") -> None:
        """Write down a kill; without a moment it is the last one that the server noted itself."""
        hits = self.hits()
        kill = Kill(moment or (hits[-1] if hits else "?"), state or "while it started")
        self.kills.append(kill)
        print(f"{len(self.kills):4}  {kill.moment:72}  {kill.state}", flush=True)

    def hits(self) -> list[str]:
        """The moments at which it died, one entry a death."""
        path = self.data.parent / "hits"
        return path.read_text().splitlines() if path.exists() else []

    def plan(self) -> Path:
        """Write down at which moments it is to die from now on."""
        path = self.data.parent / "plan.json"
        moments = None if self.moments is None else list(self.moments)
        part = path.with_name("plan.part")
        part.write_text(json.dumps({"moments": moments, "hits": str(self.data.parent / "hits")}))
        return part.replace(path)


class Look:
    """Reads the store of a data folder, whether a server runs on it or not."""

    def __init__(self, data: Path, url: str | None) -> None:
        target = url.replace("postgresql://", "postgresql+psycopg://", 1) if url else f"sqlite:///{data / 'taxiway.db'}"
        self._engine = create_engine(target, poolclass=NullPool)

    def rows(self, query: Any) -> list[Any]:
        """The rows of a query."""
        with self._engine.connect() as connection:
            return list(connection.execute(query).all())

    def run(self, run_id: str) -> Any:
        """The row of a run, or None while the database is busy recovering."""
        try:
            found = self.rows(select(tables.run).where(tables.run.c.id == run_id))
        except DBAPIError:
            return None
        return found[0] if found else None

    def where(self, run_id: str) -> str:
        """What is being done for a run and its children, such as `scaffold.deploy=waiting deploy.render=running`."""
        run, step = tables.run, tables.run_step
        busy = ("running", "waiting", "interrupted")
        query = select(run.c.kind, step.c.id, step.c.state).join_from(step, run, step.c.run_id == run.c.id)
        query = query.where(step.c.state.in_(busy)).order_by(run.c.id, step.c.index)
        try:
            found = self.rows(query)
        except DBAPIError:
            return "?"
        return " ".join(f"{kind}.{name}={state}" for kind, name, state in found) or "between steps"

    def open_runs(self) -> list[str]:
        """Runs that have not ended."""
        run = tables.run
        query = select(run.c.id, run.c.kind, run.c.state, run.c.waiting_for).where(run.c.state.notin_(list(ENDED)))
        return [f"{kind} {run_id}: {state} {waits or ''}" for run_id, kind, state, waits in self.rows(query)]


@dataclass
class Job:
    """The main job on one server: a run of the golden path, asked for once, brought to its end whatever dies."""

    server: DyingServer
    look: Look
    token: str
    run_id: str = ""
    template: str = TEMPLATE
    values: Any = field(default_factory=lambda: FORM)

    def ask(self, method: str, path: str, body: Any = None, key: str = "") -> Any:
        """One request, sent again under the same key while the server dies; its JSON. Where the answer was lost it is
        what the server says was made: a run."""
        deadline = time.monotonic() + ASK_SECONDS
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                with self.server.client(self.token) as client:
                    answer = client.request(method, path, json=body, headers=headers)
                if answer.status_code == 409 and "location" in answer.headers:
                    return self.ask("GET", answer.headers["location"])
                if answer.status_code < 500 and answer.headers.get("retry-after") is None:
                    assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
                    return answer.json()
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{method} {path}: {error}") from error
            assert time.monotonic() < deadline, f"{method} {path}: {answer.status_code} {answer.text}"
            self.revive()
            time.sleep(0.05)

    def begin(self) -> None:
        """Send the form."""
        body = {"templateRef": self.template, "values": self.values}
        self.run_id = self.ask("POST", "/api/scaffolder/v2/tasks", body, key="crash-main-job")["id"]

    def revive(self) -> None:
        """Start the server again if it died."""
        if self.server.is_dead():
            self.server.note_death(state=self.look.where(self.run_id))
            self.server.start()

    def state(self) -> str:
        """How the run stands."""
        row = self.look.run(self.run_id)
        return "?" if row is None else str(row.state)

    def kill(self, after_seconds: float) -> bool:
        """Kill the server after some time and start it again; False when the run ended before."""
        end = time.monotonic() + after_seconds
        while time.monotonic() < end:
            if self.state() in ENDED:
                return False
            time.sleep(0.02)
        self.server.kill()
        self.server.note_death(f"after {after_seconds:.2f} s", self.look.where(self.run_id))
        self.server.start()
        return True

    def settle(self, seconds: float = 240) -> list[str]:
        """Wait for the end. What failed for a reason is tried again; returns those reasons."""
        reasons: list[str] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.revive()
            row = self.look.run(self.run_id)
            if row is not None and row.state == "succeeded":
                return reasons
            if row is not None and row.state in ("failed", "needs_attention"):
                assert row.error, f"the run is {row.state} without a reason"
                reasons.append(f"{row.state}: {row.error}")
                assert len(reasons) < 4, f"the run does not come to its end: {reasons}"
                name = "retry" if row.state == "failed" else "resume"
                self.ask("POST", f"/api/runs/v1/runs/{self.run_id}/{name}", key=f"again-{len(reasons)}")
            time.sleep(0.1)
        where = self.look.where(self.run_id)
        raise AssertionError(f"the run does not end: {self.state()}, {where}\n{self.server.log()[-3000:]}")

    def quiet(self, seconds: float = 240) -> list[str]:
        """Wait until no run is open any more; those that are still open then."""
        deadline = time.monotonic() + seconds
        while (found := self.look.open_runs()) and time.monotonic() < deadline:
            self.revive()
            time.sleep(0.2)
        return found
