"""Numbers in filters are written as JavaScript writes them: that is what clients compare with."""

from __future__ import annotations

import pytest

from taxiway.features.catalog.scalars import text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6.0, "6"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-5, "0.00001"),
        (1e-7, "1e-7"),
        (1.5e-9, "1.5e-9"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e300, "1.25e+300"),
        (123456789.125, "123456789.125"),
        (7, "7"),
        (True, "true"),
        ("6.0", "6.0"),
    ],
)
def test_scalars_are_written_as_javascript_does(value: str | bool | int | float, text: str) -> None:
    assert text_of(value) == text
