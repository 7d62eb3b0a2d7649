"""Cursors of lists can be forged: what no key of a list can be is refused before a store is asked."""

from __future__ import annotations

import base64

import pytest

from taxiway.kit.paging import decode_cursor, encode_cursor

FORGED = [
    *('["\\ud800"]', '["x", null]', "[true]", "[1e30]", "[1e400]", "[NaN]", "[9223372036854775808]"),
    *("[]", "{}", '[["x"]]', '[{"a": 1}]', "5", "", "[" * 5000, "\xff"),
]


@pytest.mark.parametrize("text", FORGED)
def test_forged_cursors_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        decode_cursor(base64.urlsafe_b64encode(text.encode("latin-1")).decode().rstrip("="))


@pytest.mark.parametrize("text", ["\u20ac", "a", "%"])
def test_other_texts_are_no_cursors(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a cursor|ASCII"):
        decode_cursor(text)


def test_our_own_are_read_back() -> None:
    for position in (["component:default/a", "push:x"], [1_700_000_000_000_000, "id"], [0], ["\u20ac\U0001f600"]):
        assert decode_cursor(encode_cursor(position)) == position
