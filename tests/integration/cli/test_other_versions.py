"""Commands beside a data folder that another version made, or none: `down` works, the others say what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from taxiway.cli.main import run
from taxiway.core.store.migrate import HEAD, migrate

CONFLICT = 6


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of this version."""
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir(mode=0o711)
    migrate(f"sqlite:///{data / 'taxiway.db'}", data)
    return data


def alter(data: Path, *statements: str) -> None:
    with sqlite3.connect(data / "taxiway.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def revision(data: Path) -> str:
    with sqlite3.connect(data / "taxiway.db") as connection:
        found = str(connection.execute("select version_num from alembic_version").fetchone()[0])
    connection.close()
    return found


@pytest.mark.parametrize("other", ["9999", "0001", "spike"])
def test_down_works_on_a_folder_of_any_version_and_leaves_it_alone(
    folder: Path, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(
        folder, f"update alembic_version set version_num = '{other}'", "drop table plugin_record", "drop table run_log"
    )
    assert run(["down", "--data", str(folder)]) == 0
    assert capsys.readouterr().err == "stopped\n"
    assert revision(folder) == other
    assert not (folder / "backup").exists()


def test_down_works_without_a_usable_database(folder: Path) -> None:
    (folder / "taxiway.db").write_bytes(b"this is no database at all" * 1000)
    assert run(["down", "--data", str(folder)]) == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [("9999", f"revision 9999, this one knows {HEAD}): upgrade Taxiway"), ("0000", "which no Taxiway made: restore")],
)
def test_other_commands_say_what_is_wrong_with_the_folder(
    folder: Path, other: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alter(folder, f"update alembic_version set version_num = '{other}'")
    for command in (["tokens", "create", "t"], ["audit", "verify"]):
        assert run([*command, "--data", str(folder)]) == CONFLICT
        assert said in capsys.readouterr().err
    assert not (folder / "backup").exists()


def test_a_file_that_is_no_database_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "taxiway.db").write_bytes(b"this is no database at all" * 1000)
    assert run(["audit", "verify", "--data", str(folder)]) == CONFLICT
    assert "is no database: restore a backup" in capsys.readouterr().err


def test_tables_that_are_missing_are_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(folder, "drop table event_personal")
    assert run(["audit", "verify", "--data", str(folder)]) == CONFLICT
    assert "the tables of this version" in capsys.readouterr().err
