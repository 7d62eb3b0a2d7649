"""JSON Pointer (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def pointer(parts: Iterable[str | int]) -> str:
    """The pointer text for a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at `path` inside nested mappings and lists, or `default` where it ends early."""
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return default
    return value
