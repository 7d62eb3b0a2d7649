"""A folder with a pinned npm package of somebody else's in it, to run their client against us."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

OFFLINE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT", "E404", "E403", "ENOTCACHED")


KEPT = Path(__file__).parents[2] / ".cache" / "npm-clients"
"""What was installed stays, a folder for each lock file: npm takes six seconds each time."""


def npm_client(script: Path, folder: Path) -> Path:
    """A copy of `script`, with what its lock file names installed. Skips, with npm's reason, where the registry cannot
    be reached."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    shutil.copytree(script, folder)
    kept = KEPT / hashlib.sha256((script / "package-lock.json").read_bytes()).hexdigest()[:16] / "node_modules"
    if not kept.is_dir():
        _install(npm, folder)
        kept.parent.mkdir(parents=True, exist_ok=True)
        (folder / "node_modules").rename(kept)
    (folder / "node_modules").symlink_to(kept)
    return folder


def _install(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=0"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry did not answer within two minutes")
    if done.returncode != 0:
        if any(sign in done.stderr for sign in OFFLINE):
            pytest.skip("the npm registry cannot be reached: " + done.stderr.strip().splitlines()[-1][:200])
        pytest.fail(done.stderr)
