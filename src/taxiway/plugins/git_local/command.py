"""Runs the git program with an environment of its own: no user or system configuration, no prompts, no hooks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from taxiway.model.errors import UnavailableError

GIT_SECONDS = 60


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every git process."""
    return {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def run_git(arguments: Sequence[str], folder: Path) -> str:
    """Run git in `folder` and return its output. UnavailableError with git's own words when it fails."""
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments],
            cwd=folder,
            env=git_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_SECONDS,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise UnavailableError("the program 'git' is not on PATH: install git, then try again") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"git {arguments[0]} took longer than {GIT_SECONDS} s: try again") from error
    if done.returncode:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise UnavailableError(f"git {arguments[0]} failed: {message[-1] if message else done.returncode}")
    return done.stdout.decode(errors="replace")
