"""Migrations: they make exactly the tables that the code knows, once, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url, text

import taxiway.api.features  # noqa: F401  (registers every table)
from taxiway.core.store import migrate as migrations
from taxiway.core.store.migrate import HEAD, REVISIONS, migrate
from taxiway.core.store.types import metadata
from taxiway.model.errors import ConflictError

OWN = {"alembic_version", "entity_fts", "search_fts", "entity_facet_list"}


def plain(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def differences(url: str) -> list[object]:
    """What the database at `url` has other than the code's tables."""
    engine = create_engine(plain(url))
    with engine.connect() as conn:
        context = MigrationContext.configure(
            conn,
            opts={
                "include_name": lambda name, kind, parents: kind != "table" or not str(name).startswith(tuple(OWN)),
                "include_object": lambda item, *_: item.info.get("dialect", engine.dialect.name) == engine.dialect.name,
            },
        )
        found = compare_metadata(context, metadata)
        for index in ("entity_fts", "search_fts"):
            assert conn.execute(text(f"select count(*) from {index}")).scalar_one() == 0
    engine.dispose()
    return list(found)


def test_migrating_makes_exactly_the_tables_of_the_code(empty_database_url: str, tmp_path: Path) -> None:
    migrate(empty_database_url, tmp_path)
    migrate(empty_database_url, tmp_path)
    assert differences(empty_database_url) == []


def test_a_database_of_the_first_revision_becomes_the_present_one(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(migrations, "REVISIONS", REVISIONS[:1])
        older.setattr(migrations, "HEAD", "0001")
        older.setattr(migrations, "SCHEMA", tmp_path / "schema.sql")
        with create_engine("sqlite://").connect() as conn:
            migrations.run_revisions(conn)
            migrations.SCHEMA.write_text(migrations.schema_of(conn))
        migrate(empty_database_url, tmp_path)
    migrate(empty_database_url, tmp_path)
    assert differences(empty_database_url) == []


def test_an_empty_file_gets_what_the_revisions_make() -> None:
    with create_engine("sqlite://").connect() as conn:
        migrations.run_revisions(conn)
        assert migrations.schema_of(conn) == migrations.SCHEMA.read_text(), "run `make schema` and commit the result"


def test_the_list_of_revisions_is_alembics_chain() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.MIGRATIONS))
    chain = [Path(item.path).stem for item in ScriptDirectory.from_config(config).walk_revisions()]
    assert chain[::-1] == list(REVISIONS)


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url, tmp_path)
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(text("update alembic_version set version_num = '9999'"))
    engine.dispose()
    with pytest.raises(ConflictError, match="newer Taxiway"):
        migrate(url, tmp_path)


def test_an_older_database_is_copied_before_it_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    engine = create_engine(url)
    with engine.begin() as conn:
        conn.execute(text("create table alembic_version (version_num varchar(32))"))
        conn.execute(text("insert into alembic_version values ('0000')"))
    engine.dispose()
    with pytest.raises(ConflictError, match="no Taxiway made"):
        migrate(url, tmp_path)
    assert not (tmp_path / "backup").exists()
    monkeypatch.setattr(migrations, "REVISIONS", ("0000_older", *REVISIONS))
    with pytest.raises(Exception, match="0000"):
        migrate(url, tmp_path)
    assert (tmp_path / "backup" / f"before-{HEAD}-from-0000.db").is_file()


def test_three_processes_that_start_together_all_succeed(empty_database_url: str, tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from taxiway.core.store.migrate import migrate;"
        "migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, empty_database_url, str(tmp_path)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in started:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error.decode()


def test_the_page_size_is_the_one_that_was_measured(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url, tmp_path)
    engine = create_engine(make_url(url))
    with engine.connect() as conn:
        assert conn.execute(text("pragma page_size")).scalar_one() == 8192
    engine.dispose()


def test_a_sqlite_file_is_its_owners_alone_a_new_one_and_one_that_was_open_to_all(tmp_path: Path) -> None:
    file = tmp_path / "new" / "taxiway.db"
    for _ in range(2):
        migrate(f"sqlite:///{file}", file.parent)
        assert file.stat().st_mode & 0o777 == 0o600
        file.chmod(0o644)
