"""A worker process for crash tests: `crash_worker.py DATA URL SEED`. Dies by SIGKILL at the SEED-th commit if SEED > 0.

Each step writes a line into `<data>/effects`; a step that ran twice leaves two lines.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from factories.platform import build_platform
from taxiway.core.runs import again
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.kit.processes import RUN_MARKER
from taxiway.model.errors import UnavailableError
from taxiway.worker.main import run_worker


class Effects(BaseHandler):
    def __init__(self, data: Path) -> None:
        self.data = data

    def execute(self, run: Any, step: Any, ctx: Any) -> StepResult:
        ctx.log(f"{step.id} by {os.getpid()}")
        ctx.created("line", step.id, {})
        if step.action == "slow":
            (self.data / "slow").write_text(str(os.getpid()))
            for _ in range(10 if step.attempt > 1 else 600):
                time.sleep(0.05)
        if step.action == "flaky":
            with (self.data / "tries").open("a") as file:
                file.write(f"{run.id}\n")
            if (self.data / "tries").read_text().split().count(run.id) < 3:
                raise UnavailableError("it does not answer")
        with (self.data / "effects").open("a") as file:
            file.write(f"{step.id}\n")
        if step.action == "early":
            marked = {RUN_MARKER: ctx.run_id, "PATH": os.environ["PATH"]}
            subprocess.Popen(["sleep", "100"], env=marked, start_new_session=True)
            (self.data / "early").touch()
            time.sleep(100)
        return StepResult({"pid": os.getpid()})

    def probe(self, run: Any, step: Any, ctx: Any) -> StepResult | None:
        done = (self.data / "effects").read_text().split()
        return StepResult({"found": True}) if step.id in done else None


def main() -> None:
    data, url, seed = Path(sys.argv[1]), sys.argv[2] or None, int(sys.argv[3])
    again.FIRST_SECONDS = 0.1
    platform = build_platform(data, url=url, fresh=False, step_retries=4)
    platform.runs.register("crash", Effects(data))
    if seed:
        die_at_commit(platform.store, seed)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    (data / f"ready-{os.getpid()}").touch()
    run_worker(platform, stop)
    platform.store.close()


def die_at_commit(store: Any, seed: int) -> None:
    """Count the engine's own transactions; at the seed-th die before it (odd) or right behind it (even)."""
    write, count = store.write, [0]

    def counted(work: Any) -> Any:
        if threading.current_thread().name.startswith("run-"):
            count[0] += 1
            if count[0] == (seed + 1) // 2:
                if seed % 2 == 0:
                    write(work)
                os.kill(os.getpid(), signal.SIGKILL)
        return write(work)

    store.write = counted


if __name__ == "__main__":
    main()
