"""`python -m benchmarks.catalog`: the catalog at 1,000, 10,000 and, when asked for, 250,000 entities, beside Backstage.

It asserts nothing: it measures with the peer's own script (`measure.py`, which needs `wrk` for request rows), prints a
table with the figures that are aimed at, and leaves judging to the reader. README.md in this folder says how.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import backstage, catalog_peer, catalog_rows, measures, peer, postgres, server
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
ALTERNATED = 10_000
"""Up to so many entities the systems take turns; a Backstage takes in more of them for hours."""
ROWS = ("push", "ingest", "idle", "queries", "search", "visible")
Row = tuple[str, str, str, str, str]


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entities", type=int, nargs="*", default=[1000, 10_000], help="250000 takes half an hour")
    parser.add_argument("--seconds", type=int, default=4, help="seconds of each load")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of, the systems in turn")
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
def _running(folder: Path, options: argparse.Namespace, name: str = "data") -> Iterator[server.Server]:
    with postgres.database(options.database) as url:
        # Packages that are fetched ahead of pipelines keep a processor busy for the first quarter of a minute.
        running = server.start(folder / name, folder, url, TAXIWAY_PLUGINS__ACT__PREFETCH="false")
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
    data, rounds = folder / "entities", options.rounds if count <= ALTERNATED else 1
    measures.generate("generate_entities.py", data, "--count", str(count))
    mine: list[Any] = []
    other: list[Any] = []
    for number in range(rounds):
        is_last = number == rounds - 1
        with _running(folder, options, f"data-{number}") as running:
            token = server.token(running)
            server.settle(running)
            mine.append(_measure(running, token, "ingest", *_ingest(data)))
            if is_last:
                _ingested(rows, count, mine, options)
                _alone(rows, folder, count, empty, running, token, options)
            with backstage.running() if count <= ALTERNATED else nullcontext() as theirs:
                if theirs is not None:
                    other.append(_asked(theirs.url, theirs.token, "ingest", *_ingest(data)))
                if is_last and "queries" in options.rows:
                    _queries(rows, data, count, (running, token), theirs, options)
    if other:
        text = catalog_peer.seconds(other)
        _add(
            rows, f"{count:,} entities: registered to all relations, in turn", catalog_peer.seconds(mine), f"{text} now"
        )


def _ingest(data: Path) -> tuple[str, ...]:
    return "--data", str(data), "--poll", "0.05"


def _ingested(rows: list[Row], count: int, found: Sequence[Any], options: argparse.Namespace) -> None:
    name, aim = f"{count:,} entities", f"<= {_aims(options).ingest.get(count)}"
    known, used = catalog_peer.recorded_ingest(count), found[-1]["processes"]["taxiway"]
    _add(rows, f"{name}: registered to all relations", catalog_peer.seconds(found), known, "", aim)
    _add(rows, f"{name}: wrong ones", str(sum(one["wrong_entities"] for one in found)), "0", "", "0")
    _add(rows, f"{name}: meanwhile", f"{used['cpu_s']:.1f} s CPU, RSS {used['rss_peak_mb']} MB", "-", "", "")


def _alone(
    rows: list[Row],
    folder: Path,
    count: int,
    empty: float,
    running: server.Server,
    token: str,
    options: argparse.Namespace,
) -> None:
    """What the peer is not asked for."""
    name, aims, data = f"{count:,} entities", _aims(options), folder / "entities"
    _add(rows, f"{name}: then busy in the background", f"{server.settle(running):.0f} s")
    _add(rows, f"{name}: nothing changed, read again", _again(running, token), "-", "", "<= 10 s at 250,000")
    if count in aims.store:
        known = catalog_peer.recorded_store(count)
        _add(rows, f"{name}: store", _store(running), known, "", f"<= {aims.store[count]}")
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


def _measure(running: server.Server, token: str, what: str, *arguments: str) -> Any:
    return _asked(running.url, token, what, "--pid", f"taxiway={running.process.pid}", *arguments)


def _asked(url: str, token: str, what: str, *arguments: str) -> Any:
    command = [sys.executable, str(peer.FOLDER / "measure.py"), what, "--base-url", url, "--token", token, *arguments]
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


def _queries(
    rows: list[Row],
    data: Path,
    count: int,
    ours: tuple[server.Server, str],
    theirs: backstage.Backstage | None,
    options: argparse.Namespace,
) -> None:
    if shutil.which("wrk") is None:
        print("wrk is not installed: the request rows are left out", file=sys.stderr)
        return
    arguments = ("--data", str(data), "--seconds", str(options.seconds), "--only", "|".join(RATES), "--search-path", "")
    mine: list[Any] = []
    other: list[Any] = []
    for _ in range(options.rounds):
        mine.append(_measure(*ours, "query", *arguments))
        if theirs is not None:
            other.append(_asked(theirs.url, theirs.token, "query", *arguments))
    walks = [f"{catalog_peer.walk(found):.2f} s" if found else "-" for found in (mine, other)]
    _add(rows, f"{count:,} entities: all of them, 100 a page by cursor", *walks)
    known = catalog_peer.rates(RATES, [one["wrk"] for one in other], count)
    for (row, connections), found in catalog_peer.medians(RATES, [one["wrk"] for one in mine]).items():
        text, figure = f"{found['rps']:,.0f} rps, p95 {found['p95_ms']:.1f} ms", known.get((row, connections))
        aim = f">= {RATES[row] * _aims(options).share:.3g}x" if (connections, count) == ("c16", 10_000) else ""
        if count > ALTERNATED:
            aim = "p95 <= 50 ms" if connections == "c1" else ""
        ratio = "" if figure is None else f"{found['rps'] / figure[0]:.1f}x"
        _add(rows, f"{count:,} entities: {row}, {connections}", text, "-" if figure is None else figure[1], ratio, aim)


if __name__ == "__main__":
    main()
