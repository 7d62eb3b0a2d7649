"""`python -m benchmarks.catalog`: the catalog at 1,000, 10,000 and, when asked for, 250,000 entities, beside Backstage.

It asserts nothing: it measures with the peer's own script (`measure.py`, which needs `wrk` for request rows), prints a
table with the figures that are aimed at, and leaves judging to the reader. README.md in this folder says how.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import catalog_rows, measures, peer, postgres, server
from benchmarks.client import Api

HEAD = ("row", "Taxiway", "Backstage", "ratio", "aim")
RATES = {
    "by-name (500 random refs)": 3,
    "by-query kind=component,spec.type=service limit=20": 15,
    "entity-facets type+lifecycle+tags of components": 10,
    "deep cursor (90 %), limit=20": 10,
    "deep offset (90 %), limit=20": 50,
}
"""Rows of `measure.py query`, and how many times the peer's requests a second are aimed at with 16 connections."""


@dataclass(frozen=True)
class Aims:
    """What is aimed at, by number of entities; `share` of the multiples in `RATES`."""

    ingest: Mapping[int, str]
    push: Mapping[int, str]
    store: Mapping[int, str]
    search: str
    share: float


SQLITE = Aims(
    {1000: "0.5 s", 10_000: "4 s", 250_000: "180 s"},
    {250_000: "120 s"},
    {10_000: "45 MB", 250_000: "1,200 MB"},
    "50 ms",
    1,
)
POSTGRESQL = Aims({10_000: "10 s", 250_000: "240 s"}, {}, {10_000: "85 MB", 250_000: "2,100 MB"}, "150 ms", 1 / 3)
ROWS = ("push", "ingest", "idle", "queries", "search", "visible")
Row = tuple[str, str, str, str, str]


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, nargs="*", default=[1000, 10_000], help="250000 takes half an hour")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of each load")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of")
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=ROWS, help="what to measure; all by default")
    parser.add_argument("--idle", type=float, default=60, help="seconds over which idle CPU is read")
    parser.add_argument(
        "--database", help=f"the URL of a PostgreSQL whose role may make databases, or `{postgres.OWN}` to start one"
    )
    options = parser.parse_args()
    if not peer.FOLDER.is_dir():
        raise SystemExit(peer.ABSENT)
    folder = Path(tempfile.mkdtemp(prefix="taxiway-bench-"))
    folder.chmod(0o755)  # repository code runs as another user where this runs as root: it must be able to enter
    rows: list[Row] = []
    begin, busy = time.perf_counter(), server.machine_busy_seconds()
    try:
        with postgres.server(options.database) as options.database:
            empty = _idle_empty(folder / "empty", options) if "idle" in options.rows else 0.0
            for count in options.entities:
                if "push" in options.rows:
                    _pushed(rows, folder / f"{count}-pushed", count, options)
                if set(options.rows) != {"push"}:
                    _catalog(rows, folder / str(count), count, empty, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _print(rows)
    cores = (server.machine_busy_seconds() - busy) / (time.perf_counter() - begin)
    print(f"\n{os.cpu_count()} cores, of which {cores:.1f} were busy on average, with everything else on this machine.")
    print("Backstage's figures are recorded on another day, on a like machine, except where 'now' stands.")


def _print(rows: Sequence[Row]) -> None:
    widths = [max(len(row[i]) for row in (HEAD, *rows)) for i in range(len(HEAD))]
    for row in (HEAD, tuple("-" * width for width in widths), *rows):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")


def _add(rows: list[Row], what: str, ours: str, theirs: str = "-", ratio: str = "", aim: str = "") -> None:
    rows.append((what, ours, theirs, ratio, aim))
    print(f"  {what}: {ours} (Backstage {theirs}) {ratio}", file=sys.stderr, flush=True)


@contextmanager
def _running(folder: Path, options: argparse.Namespace) -> Iterator[server.Server]:
    with postgres.database(options.database) as url:
        running = server.start(folder / "data", folder, url)
        try:
            yield running
        finally:
            running.stop()


def _aims(options: argparse.Namespace) -> Aims:
    return SQLITE if options.database is None else POSTGRESQL


def _idle_empty(folder: Path, options: argparse.Namespace) -> float:
    with _running(folder, options) as running:
        server.settle(running)
        return _idle(running, options.idle)


def _idle(running: server.Server, seconds: float) -> float:
    pids = server.processes(running)
    before = server.cpu_seconds(pids)
    time.sleep(seconds)
    return 100 * (server.cpu_seconds(pids) - before) / seconds


def _pushed(rows: list[Row], folder: Path, count: int, options: argparse.Namespace) -> None:
    data, aims = folder / "entities", _aims(options).push
    measures.generate("generate_entities.py", data, "--count", str(count))
    with _running(folder, options) as running:
        seconds, created = catalog_rows.pushed(running, server.token(running), data)
        aim = f"<= {aims[count]}" if count in aims else ""
        _add(rows, f"{count:,} entities: pushed as NDJSON, {created:,} new", f"{seconds:.1f} s", aim=aim)
        used, resident = server.cpu_seconds(server.processes(running)), _resident_mb(running)
        _add(rows, f"{count:,} entities: pushed, since the start", f"{used:.1f} s CPU, RSS {resident:.0f} MB")


def _resident_mb(running: server.Server) -> float:
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in server.processes(running)]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("VmHWM")) / 1024


def _catalog(rows: list[Row], folder: Path, count: int, empty: float, options: argparse.Namespace) -> None:
    name, aims = f"{count:,} entities", _aims(options)
    data = folder / "entities"
    measures.generate("generate_entities.py", data, "--count", str(count))
    with _running(folder, options) as running:
        token = server.token(running)
        found = _measure(running, token, "ingest", "--data", str(data), "--poll", "0.05")
        ours, theirs = found["all_relations_s"], _recorded_ingest(count)
        used = found["processes"]["taxiway"]
        _add(rows, f"{name}: registered to all relations", f"{ours:.1f} s", theirs, "", f"<= {aims.ingest.get(count)}")
        _add(rows, f"{name}: wrong ones", str(found["wrong_entities"]), "0", "", "0")
        _add(rows, f"{name}: meanwhile", f"{used['cpu_s']:.1f} s CPU, RSS {used['rss_peak_mb']} MB", "-", "", "")
        _add(rows, f"{name}: then busy in the background", f"{server.settle(running):.0f} s")
        _add(rows, f"{name}: nothing changed, read again", _again(running, token), "-", "", "<= 10 s at 250,000")
        if count in aims.store:
            _add(rows, f"{name}: store", _store(running), _recorded_store(count), "", f"<= {aims.store[count]}")
        if "idle" in options.rows:
            more = _idle(running, options.idle) - empty
            _add(rows, f"{name}: idle, above an empty catalog", f"{more:.2f} %", "-", "", "<= 0.5 %")
        if "search" in options.rows:
            for kind, figures in catalog_rows.searches(running, token, data):
                _add(rows, f"{name}: {kind}", figures, aim=f"p95 <= {aims.search}" if "all" in kind else "")
        if "visible" in options.rows:
            for what, figures in catalog_rows.visible(running, token, folder):
                aim = "<= 0.2 s" if "file" in what else "<= 1 s"
                _add(rows, f"{name}: {what}", figures, aim=aim)
        if "queries" in options.rows:
            _rates(rows, name, count, aims.share, _queries(running, token, data, options))


def _measure(running: server.Server, token: str, what: str, *arguments: str) -> Any:
    base = [sys.executable, str(peer.FOLDER / "measure.py"), what, "--base-url", running.url, "--token", token]
    command = [*base, "--pid", f"taxiway={running.process.pid}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)


def _again(running: server.Server, token: str) -> str:
    api = Api(running.url, token)
    ref = next(row["data"]["entityRef"] for row in api.call("GET", f"{measures.CATALOG}/locations"))
    begin = time.perf_counter()
    api.call("POST", f"{measures.CATALOG}/refresh", {"entityRef": ref})
    return f"{time.perf_counter() - begin:.1f} s"


def _store(running: server.Server) -> str:
    return f"{catalog_rows.store_mb(running):,.0f} MB"


def _queries(running: server.Server, token: str, data: Path, options: argparse.Namespace) -> Any:
    if shutil.which("wrk") is None:
        print("wrk is not installed: the request rows are left out", file=sys.stderr)
        return {}
    arguments = ("--data", str(data), "--seconds", str(options.seconds), "--only", "|".join(RATES), "--search-path", "")
    rounds = [_measure(running, token, "query", *arguments)["wrk"] for _ in range(options.rounds)]
    return {
        row: {
            connections: {
                key: statistics.median(one[row][connections][key] for one in rounds) for key in ("rps", "p95_ms")
            }
            for connections in ("c1", "c16")
        }
        for row in RATES
    }


def _rates(rows: list[Row], name: str, count: int, share: float, found: Any) -> None:
    for row, figures in found.items():
        for connections, ours in figures.items():
            text = f"{ours['rps']:,.0f} rps, p95 {ours['p95_ms']:.1f} ms"
            if count > 10_000:
                _add(
                    rows, f"{name}: {row}, {connections}", text, "-", "", "p95 <= 50 ms" if connections == "c1" else ""
                )
                continue
            theirs = _recorded_rate(count, row, connections)
            ratio = "" if theirs is None else f"{ours['rps'] / theirs:.1f}x"
            aim = f">= {RATES[row] * share:.3g}x" if connections == "c16" and count == 10_000 else ""
            _add(
                rows, f"{name}: {row}, {connections}", text, "-" if theirs is None else f"{theirs:,.0f} rps", ratio, aim
            )


def _recorded(pattern: str) -> list[Any]:
    return [json.loads(path.read_text()) for path in sorted((peer.FOLDER / "reference").glob(pattern))]


def _recorded_rate(count: int, row: str, connections: str) -> float | None:
    for content in _recorded({1000: "query-1000.json", 10_000: "query-10000-main.json"}.get(count, "none")):
        return float(content["wrk"][row][connections]["rps"])
    return None


def _recorded_ingest(count: int) -> str:
    found = _recorded({1000: "ingest-1000.json", 10_000: "ingest-10000-final.json"}.get(count, "none"))
    return f"{found[0]['all_relations_s']:.1f} s" if found else "-"


def _recorded_store(count: int) -> str:
    found = _recorded(f"db-{count}.json")
    return f"{found[0]['catalog_mb']:,.0f} MB" if found else "-"


if __name__ == "__main__":
    main()
