"""GitHub's filter patterns for branches, tags and paths, matched in time linear in the name.

Patterns come from a repository, so they are run as a set of states instead of a backtracking regular expression.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_PATTERN = 1000


@dataclass(frozen=True)
class _Part:
    """`test` says whether a character fits; `repeat` is "1", "?", "+", "*", or "fork"/"folders" for a leading `**/`."""

    test: Callable[[str], bool]
    repeat: str


def matches(patterns: Sequence[str], name: str) -> bool:
    """The last pattern that matches decides; `!` excludes."""
    verdict = False
    for pattern in patterns:
        if pattern.startswith("!"):
            verdict = verdict and not pattern_matches(pattern[1:], name)
        elif pattern_matches(pattern, name):
            verdict = True
    return verdict


def pattern_matches(pattern: str, name: str) -> bool:
    """One pattern: `*` not across `/`, `**` across, `?` and `+` repeat the character before, `[]` is a class."""
    parts = _parts(pattern[:MAX_PATTERN])
    states = _reach({0}, parts)
    for char in name:
        states = _reach({after for state in states for after in _step(state, parts, char)}, parts)
        if not states:
            return False
    return len(parts) in states


def _step(state: int, parts: list[_Part], char: str) -> tuple[int, ...]:
    if state == len(parts):
        return ()
    part = parts[state]
    if part.repeat == "folders":
        return (state, state + 1) if char == "/" else (state,)
    if part.repeat == "fork" or not part.test(char):
        return ()
    return (state, state + 1) if part.repeat in "+*" else (state + 1,)


def _reach(states: set[int], parts: list[_Part]) -> set[int]:
    """The states reached without a character."""
    queue = list(states)
    while queue:
        state = queue.pop()
        repeat = parts[state].repeat if state < len(parts) else "1"
        after = {"?": (state + 1,), "*": (state + 1,), "fork": (state + 1, state + 2)}.get(repeat, ())
        queue += [new for new in after if new not in states]
        states.update(after)
    return states


def _parts(pattern: str) -> list[_Part]:
    parts: list[_Part] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if pattern.startswith("**/", index):
            parts += [_Part(_anything, "fork"), _Part(_anything, "folders")]
            index += 3
        elif pattern.startswith("**", index):
            parts.append(_Part(_anything, "*"))
            index += 2
        elif char == "*":
            parts.append(_Part(_not_slash, "*"))
            index += 1
        elif char in "?+" and parts and parts[-1].repeat == "1":
            parts[-1] = _Part(parts[-1].test, char)
            index += 1
        elif char == "[" and (end := pattern.find("]", index + 1)) > 0 and (test := _class(pattern[index : end + 1])):
            parts.append(_Part(test, "1"))
            index = end + 1
        else:
            index += char == "\\" and index + 1 < len(pattern)
            parts.append(_Part(_exactly(pattern[index]), "1"))
            index += 1
    return parts


def _anything(_char: str) -> bool:
    return True


def _not_slash(char: str) -> bool:
    return char != "/"


def _exactly(wanted: str) -> Callable[[str], bool]:
    return lambda char: char == wanted


def _class(text: str) -> Callable[[str], bool] | None:
    try:
        compiled = re.compile(text)
    except re.error:
        return None
    return lambda char: compiled.match(char) is not None
