"""A named pipe that wakes who starts scheduled jobs, from any process. Standard library only: shims ring it."""

# The shim must not pay for pathlib.
# ruff: noqa: PTH110

from __future__ import annotations

import os


def open_bell(path: str) -> int:
    """The pipe for reading, made when it is missing. Open at both ends, so that it never reads as closed."""
    if not os.path.exists(path):
        os.mkfifo(path, 0o600)
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
