"""Canonical JSON: what was hashed once is hashed to the same for ever."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from taxiway.kit.canonical import canonical_json

TEXTS = ("", "a", '\x00\x1f\x7f\u2028\b\f\n\r\t"\\/', "\u00fc\U0001f600", "\ud83d", "\uffff")
NUMBERS = (0, -1, 2**63 - 1, -(2**63), 2**64 - 1, 2**64, 10**40, 0.1, 1e16, -0.0, 1e-7, 5e-324)
OTHERS = (None, True, False)


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if depth < 4 and kind < 0.3:
        return {
            "".join(chance.choices("aB\u00fc\uffff\U0001f600", k=2)): _value(chance, depth + 1)
            for _ in range(chance.randrange(4))
        }
    if depth < 4 and kind < 0.5:
        return [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return chance.choice((*TEXTS, *NUMBERS, *OTHERS, (1, "x"), {1: "y"}))


def test_every_value_is_written_as_the_standard_library_writes_it() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        value = _value(chance)
        assert canonical_json(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": [1, float("-inf")]}])
def test_what_json_has_not_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)
