"""Canonical JSON and its hash, so that equal values have equal digests on every machine."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Json = Any
"""A JSON value: dict with string keys, list, str, int, float, bool or None."""


def canonical_json(value: Json) -> str:
    """`value` as JSON with sorted keys and no spaces. Raises ValueError for NaN and infinities."""
    return _ENCODE(value)


_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def digest(value: Json) -> str:
    """`sha256:<hex>` of the canonical JSON of `value`."""
    return "sha256:" + hashlib.sha256(canonical_json(value).encode()).hexdigest()
