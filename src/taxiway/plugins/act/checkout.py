"""Makes the work tree of a commit from a repository or a work tree of it, for a run to read."""

import os
import subprocess
from pathlib import Path

from .sandbox import RunnerError, open_for_reading

# The serving side is a process of its own that git starts without our settings; the folder may be another user's.
UPLOAD_PACK = "--upload-pack=git -c safe.directory=* -c core.hooksPath=/dev/null upload-pack"


def check_out(bare: Path, sha: str, ref: str, target: Path, timeout_seconds: float = 120.0) -> None:
    """Fills `target` (new) with the commit, one commit deep, its `.git` without any remote. Raises RunnerError.

    No hook, filter or setting of the host or of the repository is used.
    """
    branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "pushed"
    target.mkdir(parents=True)
    for arguments in (
        ["init", "--quiet", "--template=", f"--initial-branch={branch}"],
        ["fetch", "--quiet", "--depth=1", "--no-tags", UPLOAD_PACK, "--", bare.resolve().as_uri(), sha],
        ["checkout", "--quiet", "-B", branch, "FETCH_HEAD", "--"],
    ):
        _git(arguments, target, timeout_seconds)
    open_for_reading(target)


def _git(arguments: list[str], folder: Path, timeout_seconds: float) -> None:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    argv = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise RunnerError(
            f"Checking out took longer than {timeout_seconds:g} s. Is the repository very large?"
        ) from None
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace").strip()[-500:]
        raise RunnerError(f"The commit could not be checked out: {message}")
