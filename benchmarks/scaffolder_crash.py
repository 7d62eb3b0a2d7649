"""`python -m benchmarks.scaffolder_crash`: `kill -9` around every kind of commit of a golden path of twelve steps.

It runs `tests/crash/main.py --twelve`, which asserts: its exit code is 1 when something was lost, doubled or untrue, or
when undo left something behind. On SQLite, or on the PostgreSQL server that `--url` names.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "tests" / "crash" / "main.py"


def main() -> int:
    """Kill, and tell whether everything was as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100, help="kills in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="postgresql://user:password@host:port/database, whose user may create databases")
    options = parser.parse_args()
    where = ["--url", options.url] if options.url else ["--database", "sqlite"]
    command = [sys.executable, str(SCRIPT), "--twelve", "--rounds", str(options.rounds), "--seed", str(options.seed)]
    return subprocess.run([*command, *where], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
