"""Score's placeholders: `${metadata.a.b}` and `${resources.x.y}`, `$$` for a dollar sign, `\\.` for a dot in a key.

Pure. Secret values never pass here: a resolver returns a `SecretRef`, which stays a part of its own in the result.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError

PLACEHOLDER = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<path>[^}]*)\})")
ROOTS = ("metadata", "resources")


@dataclass(frozen=True)
class SecretRef:
    """A secret output: the resource's name in the workload, the output's name, and the reference to the value."""

    resource: str
    key: str
    reference: str


Part = str | SecretRef
Resolve = Callable[[Sequence[str]], Any]


def split_path(text: str) -> list[str]:
    """The elements of a placeholder's path; a backslash keeps the dot behind it."""
    return [part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", text)]


def references(value: Any) -> list[list[str]]:
    """The paths of all placeholders in the texts inside `value`, in order."""
    if isinstance(value, str):
        return [split_path(m["path"]) for m in PLACEHOLDER.finditer(value) if m["path"] is not None]
    if isinstance(value, Mapping):
        return [path for _, item in sorted(value.items()) for path in references(item)]
    if isinstance(value, list):
        return [path for item in value for path in references(item)]
    return []


def expand(text: str, resolve: Resolve) -> list[Part]:
    """`text` as parts: literal text joined, secret references apart. What is no text is inserted as JSON."""
    parts: list[Part] = []
    literal, position = "", 0
    for match in PLACEHOLDER.finditer(text):
        literal += text[position : match.start()]
        position = match.end()
        value = "$" if match["dollar"] else resolve(split_path(match["path"]))
        if isinstance(value, SecretRef):
            parts += [literal, value] if literal else [value]
            literal = ""
        else:
            literal += value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    literal += text[position:]
    return [*parts, literal] if literal or not parts else parts


def expand_text(text: str, resolve: Resolve) -> str:
    """Like `expand` where a secret must not stand. InputError names it."""
    parts = expand(text, resolve)
    for part in parts:
        if isinstance(part, SecretRef):
            raise InputError(
                f"the secret ${{resources.{part.resource}.{part.key}}} cannot stand here: use it in a variable of a "
                "container, or alone in a file",
                code="score.secret_place",
            )
    return "".join(str(part) for part in parts)


def expand_tree(value: Any, resolve: Resolve) -> Any:
    """Every text inside `value` expanded; a text that is one placeholder only keeps its type. No secrets allowed."""
    if isinstance(value, str):
        match = PLACEHOLDER.fullmatch(value)
        if match and match["path"] is not None:
            found = resolve(split_path(match["path"]))
            return expand_text(value, resolve) if isinstance(found, (str, SecretRef)) else found
        return expand_text(value, resolve)
    if isinstance(value, Mapping):
        return {key: expand_tree(item, resolve) for key, item in value.items()}
    if isinstance(value, list):
        return [expand_tree(item, resolve) for item in value]
    return value


def resolver(
    metadata: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]], whole: Mapping[str, str] | None = None
) -> Resolve:
    """Resolves against a workload's metadata and its resources' outputs (values or `SecretRef`).

    `whole` maps a resource's name to its identity, for places where a whole resource is meant (volume sources).
    """

    def resolve(path: Sequence[str]) -> Any:
        text = ".".join(path)
        if path[0] not in ROOTS:
            raise InputError(
                f"unknown reference root in '${{{text}}}': use $${{{text}}} for the literal text", code="score.root"
            )
        if len(path) < 2 or not all(path):
            raise InputError(f"'${{{text}}}' needs at least one more part", code="score.reference")
        if path[0] == "metadata":
            return _walk(metadata, path[1:], text)
        if path[1] not in outputs:
            raise InputError(f"'${{{text}}}': no resource '{path[1]}' is declared", code="score.reference")
        if len(path) == 2:
            if whole is None:
                raise InputError(f"'${{{text}}}': name an output of the resource '{path[1]}'", code="score.reference")
            return whole[path[1]]
        return _walk(outputs[path[1]], path[2:], text)

    return resolve


def _walk(value: Any, path: Sequence[str], text: str) -> Any:
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            there = ", ".join(sorted(str(k) for k in value)) if isinstance(value, Mapping) else "none"
            raise InputError(f"'${{{text}}}': there is no '{part}' (there are: {there})", code="score.reference")
        value = value[part]
    return value
