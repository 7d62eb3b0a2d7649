"""What a failure of the database means, in words for an operator, and whether it is over.

Called by the store. SQLite says "disk I/O error" for a file system that became read-only as for a broken disk, so the
folder is asked as well, by a small file. Nothing here repairs anything: whatever failed is tried again by its caller,
on the same connections, and works as soon as the disk does.
"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from sqlalchemy.exc import DBAPIError, OperationalError

from taxiway.model.errors import ConflictError, InputError, InternalError, TaxiwayError, UnavailableError

LOST_RACES = ("40001", "40P01")
"""PostgreSQL's states of a transaction that has to be run again: serialization failure, deadlock."""
FULL = "the disk of the data folder is full: free space, then try again"
READ_ONLY = "the database cannot be written (read-only file system?): make it writable, then try again"
UNKNOWN = (
    "the disk of the data folder does not take what is written (disk I/O error): see with `df`, `mount` and `dmesg` "
    "whether it is full, read-only or broken, put it right, then try again"
)
NUL = "a text holds a NUL character, which PostgreSQL cannot keep: take it out and send it again"
FOREIGN = "the database's file is no database: restore a backup of it, or choose another data folder"
OTHER_SCHEMA = (
    "the database lacks the tables of this version: use the Taxiway that made it, restore a backup, or choose another "
    "data folder"
)
MISSING = ("42P01", "42703")
"""PostgreSQL's states of a table and of a column that is not there."""
PROBE_BYTES = 65_536
_BY_NUMBER = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}


class DiskError(UnavailableError):
    """The database's disk is full, read-only or broken. Reading goes on."""


def explain(error: DBAPIError, folder: Path | None = None) -> TaxiwayError:
    """The domain error for a failure of the database itself. `folder` is SQLite's, which is asked when it matters."""
    text = str(error.orig)
    if "full" in text and "disk" in text:
        return DiskError(FULL, internal=text)
    if "readonly" in text or "read-only" in text:
        return DiskError(READ_ONLY, internal=text)
    if "disk I/O" in text or (folder is not None and "unable to open database" in text):
        return DiskError(UNKNOWN if folder is None else asked(folder), internal=text)
    if "not a database" in text:
        return ConflictError(FOREIGN, code="store.foreign", internal=text)
    if "no such table" in text or "no such column" in text or getattr(error.orig, "sqlstate", None) in MISSING:
        return ConflictError(OTHER_SCHEMA, code="store.schema", internal=text)
    if "locked" in text or "busy" in text:
        return UnavailableError("another process holds the database: try again in a few seconds", internal=text)
    if getattr(error.orig, "sqlstate", None) in LOST_RACES:
        return UnavailableError("other changes kept coming first: try again in a few seconds", internal=text)
    if "UNIQUE" in text or "unique constraint" in text:
        return ConflictError("that exists already", internal=text)
    if "NUL (0x00)" in text:
        return InputError(NUL, code="store.nul", internal=text)
    if isinstance(error, OperationalError):
        return UnavailableError("the database does not answer: see the log of the server", internal=text)
    return InternalError("the database refused a statement: see the log of the server", internal=text)


def asked(folder: Path) -> str:
    """What is wrong with the folder's disk, found out by writing a small file there."""
    path = folder / f".writable-{os.getpid()}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, b"\0" * PROBE_BYTES)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        return _BY_NUMBER.get(error.errno or 0, UNKNOWN)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
    return UNKNOWN


def first_cause(known: TaxiwayError | None, error: BaseException, folder: Path | None) -> TaxiwayError:
    """Why a whole transaction failed. SQLite ends it by itself when the disk fails, and what SQLAlchemy then stumbles
    over is not the cause."""
    if known is not None:
        return known
    if isinstance(error, DBAPIError):
        return explain(error, folder)
    return InternalError("the store failed: see the log of the server", internal=repr(error))
