"""Brings a store to the revision of this code. Called once when a platform is assembled, before anything reads.

Alembic is imported only when the stored revision differs. Two processes that start together take turns: a lock file
beside a SQLite database, an advisory lock on PostgreSQL. A SQLite file is copied before it is changed.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect, make_url, text

from taxiway.model.errors import ConflictError

REVISIONS = ("0001_initial", "0002_idempotency")
"""The modules in `migrations/versions`, in order."""
HEAD = REVISIONS[-1].partition("_")[0]
"""The revision that this code needs."""
MIGRATIONS = Path(__file__).with_name("migrations")
ADVISORY_LOCK = 7_007_001


def migrate(url: str, data: Path) -> None:
    """Upgrade the store behind `url`. ConflictError when it was made by a newer Taxiway."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed)
    try:
        with engine.connect() as conn:
            if _revision(conn) == HEAD:
                return
        with _locked(url, data), engine.connect() as conn:
            if conn.dialect.name == "postgresql":
                conn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
            found = _revision(conn)
            if found != HEAD:
                _check_known(found)
                if found is None:
                    found = _create(conn)
                elif conn.dialect.name == "sqlite":
                    _copy(conn, data, found)
                if found != HEAD:
                    _upgrade(conn)
            conn.commit()
    finally:
        engine.dispose()


def _revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _check_known(found: str | None) -> None:
    if found is not None and found > HEAD:
        raise ConflictError(
            f"the database was made by a newer Taxiway (revision {found}, this one knows {HEAD}): upgrade Taxiway",
            code="store.newer",
        )


def _copy(conn: Connection, data: Path, found: str) -> None:
    target = data / "backup" / f"before-{HEAD}-from-{found}.db"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    conn.commit()
    conn.execute(text("VACUUM INTO :path"), {"path": str(target)})
    conn.commit()


def _create(conn: Connection) -> str:
    """Run every revision on an empty database, without Alembic's machinery for chains of them: a first start must not
    wait for it. Returns the last one."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    if conn.dialect.name == "sqlite":
        conn.commit()
        # The page size can be chosen only while the file is empty.
        conn.execute(text("PRAGMA page_size=8192"))
        conn.commit()
    context = MigrationContext.configure(conn)
    with Operations.context(context):
        for name in REVISIONS:
            import_module(f"taxiway.core.store.migrations.versions.{name}").upgrade()
    _stamp(conn, HEAD)
    conn.commit()
    return HEAD


def _stamp(conn: Connection, revision: str) -> None:
    conn.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
    conn.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})


def _upgrade(conn: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = conn
    command.upgrade(config, HEAD)


@contextmanager
def _locked(url: str, data: Path) -> Iterator[None]:
    if make_url(url).get_backend_name() != "sqlite":
        yield
        return
    data.mkdir(parents=True, exist_ok=True)
    with (data / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
