"""Reads CODEOWNERS: who owns which path. Pure; the file comes from a repository, so lines and patterns are bounded.

Syntax as GitHub reads it: gitignore's patterns without `!` and `[…]`, the last line that matches wins, a line without
owners leaves its paths without any. `@alex` is user:default/alex, `@acme/checkout` is group:default/checkout; a mail
address is nobody that Taxiway knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
MAX_BYTES, MAX_LINES, MAX_PATTERN, MAX_DEEP = 3_000_000, 5_000, 300, 3


@dataclass(frozen=True)
class OwnerLine:
    """One line: paths that `test` matches belong to `owners` (entity references; None for one that is not known)."""

    pattern: str
    test: re.Pattern[str]
    owners: tuple[str | None, ...]


def parse_codeowners(text: str) -> list[OwnerLine]:
    """The lines that say something. A pattern that cannot be read matches nothing, as on GitHub."""
    lines = []
    for line in text.splitlines()[:MAX_LINES]:
        words = re.split(r"(?<!\\)\s+", line.split(" #")[0].strip())
        if not words[0] or words[0].startswith("#"):
            continue
        test = _compiled(words[0])
        if test is not None:
            lines.append(OwnerLine(words[0], test, tuple(_owner(word) for word in words[1:])))
    return lines


def owners_of(lines: Sequence[OwnerLine], path: str) -> tuple[str | None, ...]:
    """Who owns a path; nobody when no line matches."""
    return next((line.owners for line in reversed(lines) if line.test.match(path)), ())


def missing_owners(
    lines: Sequence[OwnerLine], paths: Sequence[str], approvers: Mapping[str, frozenset[str]]
) -> dict[str, list[str]]:
    """Paths that have owners of whom none has approved, and these owners. `approvers` maps a reviewer to the
    references that speak through them: themselves and their groups."""
    speaking = frozenset().union(*approvers.values()) if approvers else frozenset()
    missing = {}
    for path in paths:
        owners = owners_of(lines, path)
        if owners and not speaking.intersection(owner for owner in owners if owner):
            missing[path] = [owner for owner in owners if owner]
    return missing


def _owner(word: str) -> str | None:
    match = re.fullmatch(r"@(?:([\w.-]+)/)?([\w.-]+)", word)
    if match is None:
        return None
    return f"group:default/{match[2].lower()}" if match[1] else f"user:default/{match[2].lower()}"


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern as a regular expression that takes time linear in the path, but for at most three `**`."""
    if len(pattern) > MAX_PATTERN or pattern.startswith("!") or "[" in pattern or pattern.count("**") > MAX_DEEP:
        return None
    pattern = pattern.replace("\\ ", " ").replace("\\#", "#")
    is_folder = pattern.endswith("/")
    body = pattern.strip("/")
    if not body:
        return re.compile(r"")  # `/`: everything
    is_anchored = pattern.startswith("/") or "/" in body
    segments = body.split("/")
    text = "" if is_anchored else "(?:.*/)?"
    for number, segment in enumerate(segments):
        is_last = number == len(segments) - 1
        if segment == "**":
            text += ".*" if is_last else "(?:.*/)?"
        else:
            text += _segment(segment) + ("" if is_last else "/")
    if segments[-1] == "*" and is_anchored:  # `docs/*`: files right in the folder
        return re.compile(text + r"\Z")
    return re.compile(text + ("/" if is_folder else r"(?:/|\Z)"))


def _segment(segment: str) -> str:
    """One segment: what stands behind a `*` is taken where it comes first, and that choice is final."""
    first, *rest = segment.split("*")
    text = _plain(first)
    for number, part in enumerate(rest):
        if number == len(rest) - 1:
            text += "[^/]*" + _plain(part)
        elif part:
            text += f"(?>[^/]*?{_plain(part)})"
    return text


def _plain(part: str) -> str:
    return "".join("[^/]" if char == "?" else re.escape(char) for char in part)
