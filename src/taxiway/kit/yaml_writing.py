"""Writes values as YAML the way people do: plain where that reads back as it is, quoted where not, text in blocks.

Pure. Called by `yaml_editing` for what is new in a document, and wherever a descriptor is written from scratch.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PLAIN = re.compile(r"[A-Za-z0-9_./$(][^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]*")
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_NUMBER_LIKE = re.compile(r"\.?[0-9][^g-zG-Z/]*|0[xob].*|[0-9]{4}-[0-9].*|\.(?:inf|nan)|\.\.\.", re.IGNORECASE)
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
"""What some reader of YAML takes for something else than text."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: columns a level adds, whether lists stand deeper than their key, and its line ends."""

    step: int = 2
    is_list_deeper: bool = True
    newline: str = "\n"


def write_document(value: Mapping[str, Any], layout: Layout | None = None) -> str:
    """A whole document, with a line end behind it."""
    layout = layout or Layout()
    return layout.newline.join(block_lines(value, 0, layout)) + layout.newline


def write_scalar(value: Any, style: str = "", *, in_flow: bool = False) -> str:
    """A scalar on one line, in the quotes of `style` where text allows it."""
    if not isinstance(value, str):
        return json.dumps(value)
    if style == '"' or _ODD.search(value) or "\n" in value or "\t" in value:
        return _double(value)
    if style != "'" and is_plain(value, in_flow=in_flow):
        return value
    return "'" + value.replace("'", "''") + "'"


def is_plain(value: str, *, in_flow: bool = False) -> bool:
    """Whether text reads back as that text without quotes, for readers of YAML 1.1 too."""
    if not _PLAIN.fullmatch(value) or value.endswith((" ", ":")) or ": " in value or " #" in value:
        return False
    if in_flow and any(sign in value for sign in ",[]{}"):
        return False
    return value.lower() not in _WORDS and not _NUMBER_LIKE.fullmatch(value)


def write_flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        inside = ", ".join(f"{write_scalar(key, in_flow=True)}: {write_flow(item)}" for key, item in value.items())
        return "{ " + inside + " }" if inside else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(write_flow(item) for item in value) + "]"
    return write_scalar(value, in_flow=True)


def block_lines(value: Any, indent: int, layout: Layout) -> list[str]:
    """The lines of a collection that is not empty, each behind `indent` spaces."""
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            lines += entry_lines(key, item, indent, layout)
        return lines
    for item in value:
        if isinstance(item, Mapping | list) and item:
            inner = block_lines(item, indent + 2, layout)
            lines += [f"{pad}- {inner[0].lstrip(' ')}", *inner[1:]]
        else:
            first, *rest = inline_lines(item, indent + 2, layout)
            lines += [f"{pad}- {first}", *rest]
    return lines


def entry_lines(key: str, value: Any, indent: int, layout: Layout) -> list[str]:
    """`key: value`, behind `indent` spaces."""
    head = " " * indent + write_scalar(key) + ":"
    if isinstance(value, Mapping | list) and value:
        is_flush = isinstance(value, list) and not layout.is_list_deeper
        return [head, *block_lines(value, indent + (0 if is_flush else layout.step), layout)]
    first, *rest = inline_lines(value, indent + layout.step, layout)
    return [f"{head} {first}", *rest]


def inline_lines(value: Any, indent: int, layout: Layout, style: str = "", width: int = 0) -> list[str]:
    """What stands behind `key: ` or `- `: a scalar or an empty collection, or the head of a block of text and its
    lines, `indent` spaces in. `width` is the longest line of text that is folded."""
    if isinstance(value, Mapping | list):
        return [write_flow(value)]
    if isinstance(value, str) and _is_block(value, style):
        return _block(value, indent, style, width)
    return [write_scalar(value, "" if style in ("|", ">") else style)]


def _is_block(value: str, style: str) -> bool:
    text = value.removesuffix("\n")
    if not text or text.endswith("\n") or text[0] in " \t\n" or _ODD.search(value) or "\r" in value:
        return False
    return style in ("|", ">") or (style == "" and "\n" in value)


def _block(value: str, indent: int, style: str, width: int) -> list[str]:
    text = value.removesuffix("\n")
    chomp = "" if value.endswith("\n") else "-"
    pad = " " * indent
    if style == ">" and "\n" not in text:
        may_wrap = width > 0 and text == " ".join(text.split(" ")) and "  " not in text and not text.endswith(" ")
        lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) if may_wrap else [text]
        return [f">{chomp}", *(pad + line for line in lines)]
    return [f"|{chomp}", *(pad + line if line else "" for line in text.split("\n"))]


def _double(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _ODD.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
