"""Marks what was looked for in what was found, and cuts long texts to where it stands. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from taxiway.kit.words import fold

LONG = 300
BEFORE = 80
_WORD = re.compile(r"[^\W_]+")


def marked(text: str, words: Sequence[str], whole: Sequence[str], tags: tuple[str, str]) -> str | None:
    """`text` with `tags` around the words that begin with one of `words`, or are one of `whole`; None without any.
    Long texts are cut to a part around the first."""
    found = _found(text, words, whole)
    if not found:
        return None
    begin, end = 0, len(text)
    if len(text) > LONG:
        begin = _at_space(text, max(0, found[0][0] - BEFORE))
        end = _at_space(text, min(len(text), begin + LONG))
    parts, last = ["…"] if begin else [], begin
    for first, after in found:
        if first >= begin and after <= end:
            parts += [text[last:first], tags[0], text[first:after], tags[1]]
            last = after
    return "".join([*parts, text[last:end], "…" if end < len(text) else ""])


def excerpt(text: str) -> str:
    """The beginning of a text."""
    return text if len(text) <= LONG else text[: _at_space(text, LONG)] + "…"


def _found(text: str, words: Sequence[str], whole: Sequence[str]) -> list[tuple[int, int]]:
    begins, exact = tuple(fold(word) for word in words), {fold(word) for word in whole}
    found = []
    for match in _WORD.finditer(text):
        word = fold(match[0])
        start = next((len(one) for one in begins if word.startswith(one)), None)
        if word in exact:
            found.append(match.span())
        elif start is not None:
            found.append((match.start(), min(match.end(), match.start() + start)))
    return found


def _at_space(text: str, place: int) -> int:
    if place in (0, len(text)):
        return place
    space = text.find(" ", place, place + 40)
    return place if space < 0 else space + 1
