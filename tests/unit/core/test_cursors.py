"""Cursors as clients send them."""

from __future__ import annotations

import pytest

from taxiway.core.cursors import last_seen, position_of
from taxiway.kit.paging import encode_cursor
from taxiway.model.errors import InputError


def test_a_position_comes_back_and_no_cursor_is_the_first_page() -> None:
    assert position_of(encode_cursor(["a", 3]), str, int) == ["a", 3]
    assert last_seen(encode_cursor([3]), int) == 3
    assert position_of(None, str) == position_of("", str) == []
    assert last_seen(None, str) is None


@pytest.mark.parametrize("cursor", ["x!", "e30", *map(encode_cursor, ([], [3], ["a"], ["a", "3"], ["a", 3, 3]))])
def test_what_a_list_did_not_give_is_refused_with_what_to_do(cursor: str) -> None:
    with pytest.raises(InputError, match="leave it out for the first page") as refused:
        position_of(cursor, str, int)
    assert refused.value.code == "input.cursor"
