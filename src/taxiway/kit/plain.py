"""Reads JSON and text of strangers, bounded as YAML is. Errors are ValueErrors that say what to do."""

from __future__ import annotations

from typing import Any

import orjson

from taxiway.kit.yaml12 import MAX_DEPTH


def read_json(content: bytes) -> Any:
    """The value of a JSON text. ValueError for what JSON has not (NaN), and for more than 100 levels."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if "depth limit" in str(error):
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from error
        raise ValueError(f"not valid JSON: {error}") from error
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for item in level
            if isinstance(item, list | dict)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return value
    raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def read_text(content: bytes) -> str:
    """The text of UTF-8, without its byte order mark. ValueError for other bytes and for NUL."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line}: not UTF-8: save the file in UTF-8") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise ValueError(f"line {line}: a NUL character: remove it")
    return text
