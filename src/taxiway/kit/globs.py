"""Globs over paths and branches: `*`, `?` and `[…]` stay within a segment, `**` is any number of segments or none.

A pattern may come from anybody: matching costs at most the segments of both, multiplied, and the standard library's
patterns for one segment go back over nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

ANY = "**"
_SEVERAL = re.compile(r"\*{2,}")


def matches(path: str, pattern: str) -> bool:
    """Whether a path matches. Two asterisks that are only part of a segment are one."""
    wanted = [one if one == ANY else _SEVERAL.sub("*", one) for one in pattern.split("/")]
    places = {0}
    for segment in path.split("/"):
        places = _skipping(wanted, places)
        places = {
            place if wanted[place] == ANY else place + 1
            for place in places
            if place < len(wanted) and (wanted[place] == ANY or fnmatchcase(segment, wanted[place]))
        }
        if not places:
            return False
    return len(wanted) in _skipping(wanted, places)


def _skipping(wanted: Sequence[str], places: set[int]) -> set[int]:
    """`places`, and those behind each `**` that stands for nothing."""
    found = set(places)
    for place in sorted(places):
        while place < len(wanted) and wanted[place] == ANY:
            place += 1
            found.add(place)
    return found
