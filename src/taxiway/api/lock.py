"""One server per data folder: a lock on a file that also says where that server answers."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from taxiway.model.errors import ConflictError, UnavailableError

NAME = "taxiway.lock"


@contextmanager
def held_lock(data: Path) -> Iterator[int]:
    """Hold the folder's lock; yields its descriptor for `announce`.

    ConflictError while another server holds it, UnavailableError when the folder cannot be written.
    """
    try:
        data.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(data / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise UnavailableError(
            f"the data folder {data} cannot be written ({os.strerror(error.errno or 0)}): make it writable, or choose "
            "another folder with --data",
            code="settings.data_unwritable",
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            there = read_announcement(data)
            where = f" (process {there['pid']}, {there['url']})" if there else ""
            raise ConflictError(
                f"another Taxiway{where} serves the data folder {data}: stop it, or choose another folder with --data",
                code="settings.data_in_use",
            ) from error
        yield descriptor
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def announce(descriptor: int, url: str) -> None:
    """Write where this server answers, for commands that are given only the data folder."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, orjson.dumps({"pid": os.getpid(), "url": url}), 0)


def read_announcement(data: Path) -> dict[str, Any] | None:
    """`{pid, url}` of the server that was last seen on a data folder; None when there is none."""
    try:
        found: dict[str, Any] = orjson.loads((data / NAME).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found
