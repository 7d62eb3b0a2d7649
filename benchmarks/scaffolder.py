"""`python -m benchmarks.scaffolder`: dry runs and tasks of a template of 50 files, beside Backstage.

It asserts nothing: it measures with the peer's own script (`measure.py scaffold`), both systems in turn where there is
a Backstage, prints a table with the figures that are aimed at, and leaves judging to the reader. README.md says how.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import backstage, measures, peer, server
from benchmarks.client import Api

Found = Mapping[str, Any]
ROWS: Mapping[str, tuple[Callable[[Found], float], str, str]] = {
    "one task, POST to completed, p50": (lambda found: found["sequential"]["p50_ms"] / 1000, "s", "0.1 s"),
    "20 tasks at once, until the last": (lambda found: found["at_once"]["wall_s"], "s", "1.5 s"),
    "dry run, p50": (lambda found: found["dry_run"]["p50_ms"], "ms", "60 ms"),
    "three no-op steps, POST to completed, p50": (lambda found: found["noop_ms"], "ms", "50 ms"),
    "meanwhile, CPU of everything on this machine": (lambda found: found["busy_s"], "s", ""),
}
RECORDED = tuple(ROWS)[:3]
NOOPS = 20
POLL_SECONDS = 0.005


def main() -> None:
    """Measure, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds to take the median of, the systems in turn")
    options = parser.parse_args()
    if not peer.FOLDER.is_dir():
        raise SystemExit(peer.ABSENT)
    folder = Path(tempfile.mkdtemp(prefix="taxiway-bench-"))
    folder.chmod(0o755)  # repository code runs as another user where this runs as root: it must be able to enter
    measures.generate("generate_template.py", folder / "template")
    (folder / "noop").mkdir()
    (folder / "noop" / "template.yaml").write_text(measures.NOOP)  # it brings the owner that the tasks name
    mine: list[Found] = []
    other: list[Found] = []
    running = server.start(folder / "data", folder)
    try:
        token = server.token(running)
        with backstage.running() as theirs:
            server.settle(running)  # what a first start prepares in the background is measured elsewhere
            for _ in range(options.rounds):
                mine.append(_scaffold(running.url, token, folder))
                if theirs is not None:
                    other.append(_scaffold(theirs.url, theirs.token, folder))
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("| row | Taxiway | aim | Backstage | Backstage's figure from |")
    print("|---|---|---|---|---|")
    for row, (read, unit, aim) in ROWS.items():
        figure, source = "-", "not recorded"
        if other:
            figure, source = _median(other, read, unit), "this run"
        elif row in RECORDED:
            figure, source = peer.recorded("scaffold.json", lambda found, read=read: f"{read(found):.2f}", f" {unit}")
        print(f"| {row} | {_median(mine, read, unit)} | {aim} | {figure} | {source} |")
    bad = [found["sequential"]["statuses"] for found in mine if set(found["sequential"]["statuses"]) != {"completed"}]
    print(f"\n{options.rounds} rounds, medians; tasks that did not complete: {bad or 'none'}")


def _scaffold(url: str, token: str, folder: Path) -> Found:
    api, busy = Api(url, token), server.machine_busy_seconds()
    measures.template(api, folder / "noop" / "template.yaml", "bench-noop")
    command = [sys.executable, str(peer.FOLDER / "measure.py"), "scaffold", "--base-url", url, "--token", token]
    done = subprocess.run(
        [*command, "--template", str(folder / "template")], capture_output=True, text=True, timeout=900
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    noop = statistics.median(measures.tasks(api, "bench-noop", NOOPS, POLL_SECONDS))
    busy = server.machine_busy_seconds() - busy
    return {**json.loads(done.stdout), "noop_ms": 1000 * noop, "busy_s": busy}


def _median(found: Sequence[Found], read: Callable[[Found], float], unit: str) -> str:
    return f"{statistics.median(map(read, found)):.2f} {unit}"


if __name__ == "__main__":
    main()
