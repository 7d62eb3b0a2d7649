from __future__ import annotations

from pathlib import Path

from taxiway.api.openapi import INDEX, render, render_index

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def test_the_committed_description_is_that_of_the_code() -> None:
    assert COMMITTED.read_text() == render(), "the API changed: run `make openapi`, look at the difference, commit it"


def test_every_operation_has_its_twin_in_the_command_line() -> None:
    assert INDEX.read_text() == render_index(), "the API changed: run `make openapi` and commit the CLI's index"
