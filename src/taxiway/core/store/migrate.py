"""Brings a store to the revision of this code. Called once when a platform is assembled, before anything reads.

An empty SQLite file gets `migrations/schema.sql`, which is what the revisions make (`make golden` writes it, a test
compares it), because a first start must not wait for Alembic: it is imported only for other changes. Two processes that
start together take turns: a lock file beside a SQLite database, an advisory lock on PostgreSQL. A SQLite file is copied
before it is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text
from sqlalchemy.exc import DatabaseError

from taxiway.core.store.trouble import explain
from taxiway.model.errors import ConflictError

REVISIONS = (
    "0001_initial",
    "0002_idempotency",
    "0003_catalog_history",
    "0004_catalog_index",
    "0005_pulls",
    "0006_catalog_files",
    "0007_scaffolder_service",
    "0008_search",
    "0009_catalog_packed",
    "0010_catalog_sources",
    "0011_onboarding",
    "0012_kinds",
    "0013_webhooks",
    "0014_saved_views",
    "0015_overlays",
    "0016_scaffolder_drafts",
    "0017_scaffolder_wizards",
    "0018_approvals",
    "0019_postgres_size",
    "0020_sessions_elsewhere",
    "0021_postgres_words",
    "0022_end_session_endpoint",
)
"""The modules in `migrations/versions`, in order."""
HEAD = REVISIONS[-1].partition("_")[0]
"""The revision that this code needs."""
MIGRATIONS = Path(__file__).with_name("migrations")
SCHEMA = MIGRATIONS / "schema.sql"
ADVISORY_LOCK = 7_007_001


def migrate(url: str, data: Path) -> None:
    """Upgrade the store behind `url`. ConflictError when it was made by a newer Taxiway, or by none."""
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        keep_private(Path(parsed.database))
    engine = create_engine(parsed)
    try:
        _migrate(engine, url, data)
    except DatabaseError as error:
        raise explain(error) from error
    finally:
        engine.dispose()


def keep_private(database: Path) -> None:
    """Make a SQLite file, and what lies beside it, its owner's alone: repository code passes through its folder."""
    if not database.exists():
        os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
        with contextlib.suppress(OSError):  # it is not there, not ours, or on a disk that is read only now
            if path.stat().st_mode & 0o077:
                path.chmod(0o600)


def _migrate(engine: Engine, url: str, data: Path) -> None:
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


def _revision(conn: Connection) -> str | None:
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _check_known(found: str | None) -> None:
    if found is None or found in {name.partition("_")[0] for name in REVISIONS}:
        return
    if found > HEAD:
        raise ConflictError(
            f"the database was made by a newer Taxiway (revision {found}, this one knows {HEAD}): upgrade Taxiway",
            code="store.newer",
        )
    raise ConflictError(
        f"the database has the revision {found}, which no Taxiway made: restore a backup of it, or choose another "
        "database or data folder",
        code="store.foreign",
    )


def _copy(conn: Connection, data: Path, found: str) -> None:
    target = data / "backup" / f"before-{HEAD}-from-{found}.db"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o700)
    target.unlink(missing_ok=True)
    conn.commit()
    conn.execute(text("VACUUM INTO :path"), {"path": str(target)})
    conn.commit()


def _create(conn: Connection) -> str:
    """Make the tables in an empty database. Returns the revision."""
    if conn.dialect.name == "sqlite":
        conn.commit()
        driver = conn.connection.driver_connection
        assert driver is not None
        # The page size can be chosen only while the file is empty.
        driver.executescript(f"PRAGMA page_size=8192; BEGIN; {SCHEMA.read_text()} COMMIT;")
    else:
        run_revisions(conn)
    _stamp(conn, HEAD)
    conn.commit()
    return HEAD


def run_revisions(conn: Connection) -> None:
    """Run all of `REVISIONS` on an empty database, without Alembic's machinery for chains of them."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    with Operations.context(MigrationContext.configure(conn)):
        for name in REVISIONS:
            import_module(f"taxiway.core.store.migrations.versions.{name}").upgrade()


def schema_of(conn: Connection) -> str:
    """The statements that make the tables and indexes of a SQLite database, in the order in which they were made."""
    query = """
        SELECT sql FROM sqlite_master
        WHERE sql IS NOT NULL AND name <> 'alembic_version' AND substr(name, 1, 7) <> 'sqlite_'
          AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
        ORDER BY rowid
    """
    found = conn.execute(text(query))
    return "".join(f"{statement.strip()};\n" for statement in found.scalars())


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
