"""What `taxiway doctor` says about a data folder: whether a start on it would succeed, and what to do when not.

It only reads: the database is opened read-only, and nothing of a server that may be running is touched.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from taxiway.cli.client import running_url

Check = tuple[str, bool, str, str]
"""Name, whether it is well, what was found, and the remedy."""
READ_SECONDS = 10.0
RESTORE = "put it back from a backup (docs/how-to/back-up.md)"


def folder_checks(data: Path) -> Iterator[Check]:
    """Checks of the data folder, of its settings, database and keys. One that is not there yet is well."""
    problem = _unusable(data)
    if problem is not None:
        yield "data folder", False, f"{data} cannot be used", problem
        return
    yield "data folder", True, str(data) if data.exists() else "not there yet: the first start makes it", ""
    url, check = _settings(data)
    yield check
    if not data.exists():
        return
    yield "server", True, running_url(data) or "none is running", ""
    database, keys = data / "taxiway.db", data / "keys" / "secrets_local"
    if url is not None:
        yield _served_database(url)
    elif database.exists():
        yield _database(database)
    if keys.exists() or (url is None and database.exists()):
        yield _keys(keys)


def _unusable(data: Path) -> str | None:
    """Why a server could not work in the folder, with the remedy."""
    place = data
    while not place.exists():
        if place.is_symlink():
            return f"{place} is a link that leads nowhere: remove it, or make its target"
        place = place.parent
    if not place.is_dir():
        return f"{place} is a file: remove it, or choose another folder with --data"
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        return f"{place} cannot be written by this user: change its owner or mode, or run as the user that owns it"
    if os.statvfs(place).f_flag & os.ST_RDONLY:
        return f"{place} is on a file system that is mounted read-only: mount it for writing"
    return None


def _settings(data: Path) -> tuple[str | None, Check]:
    """The database's URL where the settings name one, and how the settings are."""
    from taxiway.core.settings import load_settings, process_environ
    from taxiway.model.errors import TaxiwayError

    try:
        loaded = load_settings(process_environ(), {"data": data})
    except TaxiwayError as error:
        details = "; ".join(f"{item.pointer}: {item.detail}" for item in error.errors)
        remedy = "correct taxiway.yaml, or the variable that is named"
        return None, ("settings", False, " ".join((details or error.detail).split()), remedy)
    url = loaded.settings.store_url() if loaded.settings.database_url is not None else None
    return url, ("settings", True, f"{loaded.settings.host}:{loaded.settings.port}", "")


def _served_database(url: str) -> Check:
    from taxiway.core.store.database import open_store
    from taxiway.kit.clock import SystemClock
    from taxiway.model.errors import TaxiwayError

    try:
        store = open_store(url, SystemClock())
        with store.read() as conn:
            conn.exec_driver_sql("SELECT 1")
        store.close()
    except TaxiwayError:
        return "database", False, "PostgreSQL does not answer", "start the database server, or correct database_url"
    return "database", True, "PostgreSQL answers", ""


def _database(path: Path) -> Check:
    from taxiway.core.store.migrate import HEAD

    deadline = time.monotonic() + READ_SECONDS
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as file:
            file.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
            revision = _revision(file)
            if revision is not None and revision > HEAD:
                return "database", False, f"made by a newer Taxiway (revision {revision})", "upgrade Taxiway"
            return _judged(file, f"revision {revision or 'none'}")
    except sqlite3.Error as error:
        return "database", False, f"{path.name}: {error}", RESTORE


def _judged(file: sqlite3.Connection, found: str) -> Check:
    try:
        (answer,) = file.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        return "database", True, f"{found}; too large to be read in {READ_SECONDS:.0f} s, so not read to its end", ""
    if answer != "ok":
        return "database", False, f"damaged: {answer.splitlines()[-1]}", RESTORE
    return "database", True, f"{found}, read to its end", ""


def _revision(file: sqlite3.Connection) -> str | None:
    if not file.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = file.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def _keys(folder: Path) -> Check:
    """A start makes new keys where there are none, and secrets of the old ones would stay closed for ever."""
    keys = sorted(folder.glob("*.key"))
    remedy = f"put {folder} back from a backup: without the keys no secret in the database can be read"
    try:
        current = (folder / "current").read_text().strip()
    except OSError:
        return "keys of secrets", False, "missing", remedy
    if current not in {path.stem for path in keys}:
        return "keys of secrets", False, f"the key {current} is missing", remedy
    opened = [path.name for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if opened:
        return "keys of secrets", False, f"others can read {', '.join(opened)}", f"chmod 600 {folder}/*.key"
    return "keys of secrets", True, f"{len(keys)} there", ""
