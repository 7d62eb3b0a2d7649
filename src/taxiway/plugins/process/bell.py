"""A named pipe that wakes who starts scheduled jobs, from any process. Standard library only: shims ring it."""

# The shim must not pay for pathlib.
# ruff: noqa: PTH108

from __future__ import annotations

import os
import stat


def open_bell(path: str) -> int:
    """The pipe for reading, made when it is missing. Open at both ends, so that it never reads as closed."""
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        if not stat.S_ISFIFO(os.lstat(path).st_mode):
            # A copy of the data folder may have made a plain file of it, which always has something to read.
            os.unlink(path)
            return open_bell(path)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def ring(path: str) -> None:
    """Wake whoever listens at the pipe; nothing happens when nobody does."""
    try:
        bell = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(bell, b"!")
    except OSError:
        return
    finally:
        os.close(bell)
