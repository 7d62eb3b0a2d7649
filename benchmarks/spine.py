"""`python -m benchmarks.spine`: the first rows of Taxiway beside Backstage's; README.md in this folder says how.

It asserts nothing: it measures, prints a table, and leaves judging to the reader.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import measures, peer, server
from benchmarks.client import Api, p50_p95
from benchmarks.peer import Figure

HEAD = ("row", "Taxiway", "Backstage", "Backstage's figure from")
Rows = list[tuple[str, str, str, str]]


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="starts to take the median of")
    parser.add_argument("--idle", type=float, default=30, help="seconds of rest before memory is read")
    parser.add_argument("--cpu", type=float, default=20, help="seconds over which idle CPU is read")
    parser.add_argument("--runs", type=int, default=50, help="no-op runs")
    parser.add_argument("--tasks", type=int, default=20, help="tasks of fifty files")
    parser.add_argument("--seconds", type=float, default=4, help="seconds of each load")
    parser.add_argument("--entities", type=int, nargs="*", default=[1000, 10000])
    options = parser.parse_args()
    live = os.environ.get("BACKSTAGE_URL")
    theirs = Api(live, os.environ.get("BACKSTAGE_TOKEN")) if live else None
    folder = Path(tempfile.mkdtemp(prefix="taxiway-bench-"))
    folder.chmod(0o755)  # repository code runs as another user where this runs as root: it must be able to enter
    rows: Rows = []
    begin, busy = time.perf_counter(), server.machine_busy_seconds()
    try:
        _engine_room(rows, folder, theirs, options)
        for count in options.entities:
            _catalog(rows, folder / f"catalog-{count}", count, theirs, options.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    widths = [max(len(row[i]) for row in (HEAD, *rows)) for i in range(4)]
    for row in (HEAD, tuple("-" * width for width in widths), *rows):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |")
    cores = (server.machine_busy_seconds() - busy) / (time.perf_counter() - begin)
    print(f"\n{os.cpu_count()} cores, of which {cores:.1f} were busy on average, with everything else on this machine.")
    print("Backstage's figures are recorded on another day, on a like machine, except where 'this run' stands.")


def _add(rows: Rows, what: str, ours: str, theirs: Figure) -> None:
    rows.append((what, ours, *theirs))
    print(f"  {what}: {ours}", file=sys.stderr, flush=True)


def _engine_room(rows: Rows, folder: Path, theirs: Api | None, options: argparse.Namespace) -> None:
    fresh, again = [], []
    for number in range(options.starts):
        running = server.start(folder / f"start-{number}" / "data", folder)
        fresh.append(running.ready_seconds)
        running.stop()
        running = server.start(running.data, folder)
        again.append(running.ready_seconds)
        if number < options.starts - 1:
            running.stop()
    try:
        for what, pattern, found in (("empty", "start-sqlite.json", fresh), ("known", "start-warm-*.json", again)):
            ours = f"{statistics.median(found):.2f} s ({min(found):.2f} to {max(found):.2f})"
            known = peer.recorded(pattern, lambda content: float(content["ready_s"]), " s")
            _add(rows, f"start to ready, {what} data folder, median of {len(found)}", ours, known)
        _idle(rows, running, options)
        _scaffolder(rows, folder, Api(running.url, server.token(running)), theirs, options)
    finally:
        running.stop()


def _idle(rows: Rows, running: server.Server, options: argparse.Namespace) -> None:
    time.sleep(options.idle)
    pids = server.processes(running)
    ours = f"{server.pss_mb(pids):.0f} MB, processes: {len(pids)}"
    known = peer.recorded("idle-sqlite-empty.json", lambda content: content["processes"]["node"]["pss_end_mb"], " MB")
    _add(rows, f"PSS after {options.idle:.0f} s idle", ours, known)
    before = server.cpu_seconds(pids)
    time.sleep(options.cpu)
    ours = f"{100 * (server.cpu_seconds(pids) - before) / options.cpu:.1f} %"
    known = peer.recorded("idle-sqlite-empty.json", lambda content: content["processes"]["node"]["cpu_percent"], " %")
    _add(rows, f"idle CPU over {options.cpu:.0f} s, % of a core", ours, known)


def _scaffolder(rows: Rows, folder: Path, ours: Api, theirs: Api | None, options: argparse.Namespace) -> None:
    (folder / "noop").mkdir()
    (folder / "noop" / "template.yaml").write_text(measures.NOOP)
    unknown: Figure = ("-", "not recorded; BACKSTAGE_URL measures it")
    jobs = [("three no-op steps", "noop", "bench-noop", options.runs, 0.005, unknown)]
    if peer.FOLDER.is_dir():
        measures.generate("generate_template.py", folder / "files")
        known = peer.recorded(
            "scaffold.json", lambda found: "p50 {p50_ms}, p95 {p95_ms} ms".format(**found["sequential"])
        )
        jobs.append(("50-file task", "files", "bench-service", options.tasks, 0.02, known))
    for what, place, name, count, poll, figure in jobs:
        for api in (ours, theirs) if theirs else (ours,):
            measures.template(api, folder / place / "template.yaml", name)
            found = p50_p95(measures.tasks(api, name, count, poll))
            if api is ours:
                mine = found
            else:
                figure = (found, "this run")
        _add(rows, f"{what}, POST to completed, {count} runs, {1000 * poll:.0f} ms polls", mine, figure)


def _catalog(rows: Rows, folder: Path, count: int, theirs: Api | None, seconds: float) -> None:
    if not peer.FOLDER.is_dir():
        _add(rows, f"{count:,} entities", "-", ("-", peer.ABSENT))
        return
    measures.generate("generate_entities.py", folder / "entities", "--count", str(count))
    running = server.start(folder / "data", folder)
    try:
        ours = Api(running.url, server.token(running))
        pattern = "ingest-1000.json" if count == 1000 else "ingest-10000-final.json"
        known = peer.recorded(pattern, lambda content: content["all_visible_s"], " s")
        taken = measures.ingest(ours, folder / "entities", count)
        _add(rows, f"{count:,} entities: POST to all listed", f"{taken:.1f} s", known)
        rest = f"{server.settle(running):.0f} s"
        _add(rows, f"{count:,} entities: then busy in the background", rest, ("-", "not recorded"))
        live = {}
        if theirs is not None:
            measures.ingest(theirs, folder / "entities", count)
            live = {found[:2]: found[2] for found in measures.queries(theirs, folder / "entities", seconds)}
        for row, connections, found in measures.queries(ours, folder / "entities", seconds):
            figure = peer.query(count, row, connections)
            if (row, connections) in live:
                figure = (live[row, connections], "this run")
            _add(rows, f"{count:,} entities: {row}, {connections} conn.", found, figure)
    finally:
        running.stop()


if __name__ == "__main__":
    main()
