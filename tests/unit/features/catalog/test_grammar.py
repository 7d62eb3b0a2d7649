"""What a predicate that is too large is refused with."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.features.catalog.matching import Tests
from taxiway.features.catalog.repository.grammar import MAX_DEPTH, MAX_TERMS, read_predicate
from taxiway.model.errors import InputError


def _nested(times: int) -> dict[str, Any]:
    return {"$not": _nested(times - 1)} if times else {"kind": "api"}


def test_a_predicate_that_is_too_large_is_told_its_bounds() -> None:
    assert read_predicate(Tests(), _nested(MAX_DEPTH))({"kind": {"api"}})
    many = [{"metadata.name": str(number)} for number in range(MAX_TERMS + 1)]
    assert not read_predicate(Tests(), {"$any": many[1:]})({"metadata.name": {"0"}})
    for query, told in (
        (_nested(MAX_DEPTH + 1), "nested 20 times"),
        ({"$any": many}, "200 parts side by side, not 201"),
    ):
        with pytest.raises(InputError, match=told):
            read_predicate(Tests(), query)
