from __future__ import annotations

from pathlib import Path

from taxiway.api.openapi import render

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def test_the_committed_description_is_that_of_the_code() -> None:
    assert COMMITTED.read_text() == render(), "the API changed: run `make openapi`, look at the difference, commit it"
