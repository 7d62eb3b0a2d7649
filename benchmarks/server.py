"""A real `taxiway up` on a data folder of its own, and what its processes use."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

READY_LINE = "Taxiway is ready: "
START_SECONDS = 60.0
TAXIWAY = (sys.executable, "-m", "taxiway.cli.main")


@dataclass(frozen=True)
class Server:
    """A running server: `ready_seconds` from its start to the first 200 of /readyz; `database` is PostgreSQL's URL."""

    process: subprocess.Popen[str]
    data: Path
    url: str
    ready_seconds: float
    database: str | None = None

    def stop(self) -> None:
        """End the server and everything that runs for its data folder."""
        run("down", "--data", str(self.data))
        self.process.wait(15)


def start(data: Path, roots: Path, database: str | None = None, **more: str) -> Server:
    """Start on `data` (made when missing) and any free port; `file:` locations below `roots` may be read. The store is
    the PostgreSQL database of that URL, where one is given; `more` are settings."""
    usual = {
        "TAXIWAY_CATALOG__FILE_ROOTS": json.dumps([str(roots)]),
        "TAXIWAY_LIMITS__REQUESTS_PER_MINUTE": "100000000",
        "TAXIWAY_TELEMETRY__LOG_LEVEL": "warning",
    }
    data.parent.mkdir(mode=0o755, exist_ok=True)
    if database is not None:
        _keep(data, database)
    begin = time.perf_counter()
    with (data.parent / "server.log").open("ab") as log:
        command = [*TAXIWAY, "up", "--data", str(data), "--port", "0"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **usual, **more}, text=True
        )
    assert process.stdout is not None
    url = next((line[len(READY_LINE) :].strip() for line in process.stdout if line.startswith(READY_LINE)), "")
    while process.poll() is None and time.perf_counter() - begin < START_SECONDS:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5):
                return Server(process, data, url, time.perf_counter() - begin, database)
        except OSError:
            time.sleep(0.01)
    process.kill()
    raise RuntimeError("the server did not become ready: " + (data.parent / "server.log").read_text()[-2000:])


def _keep(data: Path, database: str) -> None:
    # In the settings of the data folder, where the commands that are given it find it too.
    data.mkdir(exist_ok=True)
    settings = data / "taxiway.yaml"
    settings.touch(mode=0o600)
    settings.write_text(json.dumps({"database_url": database}))


def run(*arguments: str) -> str:
    """What a command of the CLI prints."""
    return subprocess.run([*TAXIWAY, *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


def token(server: Server) -> str:
    """A token of an administrator that outlives any benchmark."""
    made = run("tokens", "create", "bench", "--role", "admin", "--ttl", "24h", "--data", str(server.data))
    return made.split()[-1]


def processes(server: Server) -> list[int]:
    """The server, its descendants, and processes of their own session that name its data folder (the router)."""
    parents: dict[int, int] = {}
    found = {server.process.pid}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if str(server.data).encode() in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
        except OSError:
            continue
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)


def pss_mb(pids: list[int]) -> float:
    """Memory in MB with shared pages counted once."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    lines = (line for text in texts for line in text.splitlines() if line.startswith("Pss:"))
    return sum(int(line.split()[1]) for line in lines) / 1024


def cpu_seconds(pids: list[int]) -> float:
    """CPU of these processes and the children that they have reaped."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError):  # it has ended meanwhile, and its parent counts it
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
            ticks += sum(map(int, fields))
    return ticks / os.sysconf("SC_CLK_TCK")


def settle(server: Server) -> float:
    """Wait until the server has nothing left to do (under 10 % of a core), a minute at most; returns the seconds."""
    begin, used = time.perf_counter(), 2.0
    while used > 0.2 and time.perf_counter() - begin < 60:
        before = cpu_seconds(processes(server))
        time.sleep(2)
        used = cpu_seconds(processes(server)) - before
    return time.perf_counter() - begin - 2


def machine_busy_seconds() -> float:
    """CPU seconds that the whole machine has used since its start."""
    values = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf("SC_CLK_TCK")
