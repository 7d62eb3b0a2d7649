"""Cursors can be forged: what ours could not hold is refused, whatever it is."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from taxiway.features.catalog.repository.query import Query, decode, encode
from taxiway.features.catalog.service.past import decode_cursor
from taxiway.model.errors import InputError

FORGED: list[tuple[str, Any]] = [
    *(("filters", wrong) for wrong in (None, 5, "x", {}, [1], [None])),
    *(("term", wrong) for wrong in (None, 5, [], {})),
    *(("term_fields", wrong) for wrong in (None, "x", [1])),
    *(("sort", wrong) for wrong in (5, [], {"a": 1})),
    *(("position", wrong) for wrong in (5, "ab", [], ["a"], {})),
    *(("total", wrong) for wrong in ("x", 1.5, [])),
    *(("backwards", wrong) for wrong in (None, "x", 1)),
]


def cursor(value: Any) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(("key", "wrong"), FORGED)
def test_forged_cursors_are_refused(key: str, wrong: Any) -> None:
    with pytest.raises(InputError):
        decode(cursor({"filters": [], key: wrong}))
    with pytest.raises(InputError):
        decode_cursor(cursor({"asOf": 1, "offset": 0, "query": {"filters": [], key: wrong}}))


@pytest.mark.parametrize("value", [None, 5, "x", [], {}, [[]]])
def test_other_values_are_no_cursors(value: Any) -> None:
    with pytest.raises(InputError):
        decode(cursor(value))
    with pytest.raises(InputError):
        decode_cursor(cursor({"asOf": value, "offset": value, "query": value}))


def test_a_cursor_that_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {}
    for _ in range(500):
        deep = {"$not": deep}
    with pytest.raises(InputError):
        decode(cursor({"filters": [], "predicate": deep}))
    with pytest.raises(InputError):
        decode_cursor(cursor({"asOf": 1, "offset": 0, "query": {"filters": [], "predicate": deep}}))


def test_our_own_cursors_are_read_back() -> None:
    query = Query(["kind=x"], {"a": {"$in": [1]}}, "t", ["f"], "metadata.name", True, True, (None, "r"), 7)
    assert decode(encode(query)) == query
