"""A real Backstage beside us in the same run: one that is there already, or one that the peer's own script starts."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer import FOLDER

SECONDS = 900
TOKEN = "bench-static-token-0123456789"  # the script's own, for a backend on loopback


@dataclass(frozen=True)
class Backstage:
    """Where it answers, and with which token."""

    url: str
    token: str


@contextmanager
def running() -> Iterator[Backstage | None]:
    """The Backstage of BACKSTAGE_URL; else, where BACKSTAGE_BENCH names the peer's folder, one on empty databases that
    ends behind it (what is installed for it stays in BENCH_HOME); else None."""
    if url := os.environ.get("BACKSTAGE_URL"):
        yield Backstage(url, os.environ.get("BACKSTAGE_TOKEN", ""))
    elif "BACKSTAGE_BENCH" not in os.environ:
        yield None
    else:
        home = Path(os.environ.get("BENCH_HOME", Path(tempfile.gettempdir(), "bench-backstage")))
        environ = {"BENCH_HOME": str(home), "BENCH_PORT": "7107", "BENCH_TOKEN": TOKEN, **os.environ, "FRESH": "1"}
        if not (home / "app" / "node_modules").exists():
            _script(environ, "install")
        try:
            _script(environ, "up", "quiet")
            yield Backstage(f"http://127.0.0.1:{environ['BENCH_PORT']}", environ["BENCH_TOKEN"])
        finally:
            if (home / "backend.pid").exists():
                _script(environ, "down")
            _script(environ, "pg-stop")


def _script(environ: dict[str, str], *arguments: str) -> None:
    log = Path(environ["BENCH_HOME"], "run.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        command = ["bash", str(FOLDER / "run.sh"), *arguments]
        done = subprocess.run(command, env=environ, stdout=output, stderr=output, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"run.sh {' '.join(arguments)} failed: {log.read_text(errors='replace')[-2000:]}")
