from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXECUTABLE = Path(sys.executable).with_name("lint-imports")


def test_every_import_contract_holds() -> None:
    done = subprocess.run([EXECUTABLE, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


def test_the_help_needs_no_server_libraries() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'uvicorn', 'pydantic'}"
    code = f"import sys, taxiway.cli.main; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
