"""The leaves of a JSON value by their pointers, and whether pointers that were named cover them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def leaves(value: Any, at: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from leaves(one, at + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from leaves(one, f"{at}/{index}")
    else:
        yield at


def covered(leaf: str, told: set[str]) -> bool:
    parts = leaf.split("/")
    return any("/".join(parts[:size]) in told for size in range(1, len(parts) + 1))
