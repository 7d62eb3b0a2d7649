"""Reads YAML as YAML 1.2 does, bounded: PyYAML's C parser with the 1.2 core schema.

Duplicate keys are errors, aliases may not blow a document up, depth and size have limits. Input is untrusted; nothing
but dict, list, str, int, float, bool and None comes out.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, isfinite
from operator import is_
from typing import Any

import yaml

from taxiway.kit.pointer import pointer

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_NODES = 500_000
MERGE = "tag:yaml.org,2002:merge"
_STR, _MAP, _SEQ = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_BOOL, _INT, _FLOAT, _NULL = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
MAX_LINES = 20_000
MAX_POINTER = 1_000
SHALLOW = 48
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_ODD_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_DEEP_LINE = re.compile(r"^(?:[ \t]|[-?:](?=[ \t])|[!&]\S*+){24,}+", re.MULTILINE)
"""A line that begins with so many spaces, signs, tags and anchors that it may lie 24 levels deep."""
_SPECIAL = ("inf", "nan")


class YamlError(ValueError):
    """Text that is not acceptable YAML. `line` is 1-based, or None where the text as a whole is refused."""

    def __init__(self, detail: str, line: int | None = None) -> None:
        super().__init__(detail if line is None else f"line {line}: {detail}")
        self.detail = detail
        self.line = line


@dataclass(frozen=True)
class YamlDocument:
    """One document of a stream: its value, and the 1-based line on which it starts."""

    value: Any
    line: int


class _Loader(yaml.CSafeLoader):
    """The C parser with resolvers of the 1.2 core schema only."""

    yaml_implicit_resolvers: Any = {}

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        """The tag of a node that has none: called for every single one, so it does no more than that."""
        if kind is yaml.ScalarNode:
            if implicit[0]:
                for tag, pattern in _RESOLVERS.get(value[:1], ()):
                    if pattern.match(value):
                        return str(tag)
            return _STR
        return _SEQ if kind is yaml.SequenceNode else _MAP

    # Nothing is resolved by its path, but the parser says at every node where it is: to functions that cost nothing.
    descend_resolver: Any = is_
    ascend_resolver: Any = tuple


for _tag, _pattern, _first in (
    (_BOOL, r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (_INT, _INTEGER.pattern, "-+0123456789"),
    (_FLOAT, _DECIMAL.pattern + r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+0123456789."),
    (_NULL, r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (MERGE, r"<<", "<"),
):
    _Loader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})$"), list(_first))


_RESOLVERS: Mapping[Any, Any] = _Loader.yaml_implicit_resolvers


def load_all(text: str | bytes, *, max_bytes: int = MAX_BYTES) -> Iterator[YamlDocument]:
    """The documents of a stream, empty ones left out. Raises YamlError at the first fault, after the good ones."""
    source = _checked(text, max_bytes)
    loader = _Loader(source)
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                continue
            value = _Builder(source).build(node)
            if value is not None:
                yield YamlDocument(value, _line(node))
    except yaml.YAMLError as error:
        raise _syntax(error) from error
    finally:
        loader.dispose()


def load(text: str | bytes, *, max_bytes: int = MAX_BYTES) -> Any:
    """The value of exactly one document; None for an empty text. Raises YamlError."""
    documents = list(load_all(text, max_bytes=max_bytes))
    if len(documents) > 1:
        raise YamlError("more than one document where one is expected: remove the '---'", documents[1].line)
    return documents[0].value if documents else None


def line_of(text: str, document_line: int, path: str) -> int:
    """The line of a JSON Pointer inside the document that starts on `document_line`, or of its nearest parent. The
    text must be one that `load_all` has read; this costs what the document costs, however long the text is."""
    node = _node(_document_from(text, document_line))
    return document_line if node is None else _descend(node, path) + document_line - 1


def lines_of(text: str, document_line: int) -> dict[str, int]:
    """The line of every key and item, by JSON Pointer, of the document that starts on `document_line`; at most
    `MAX_LINES` of them, none longer than `MAX_POINTER`. The text must be one that `load_all` has read."""
    source, found = _document_from(text, document_line), dict[str, int]()
    _note_lines(source, _node(source), "", found)
    return {path: line + document_line - 1 for path, line in found.items()}


def _document_from(text: str, line: int) -> str:
    """A document's text, from the line on which its first node stands."""
    starts = _line_starts(text)
    if not 1 <= line <= len(starts):
        return ""
    start = starts[line - 1]
    end = _SEPARATOR.search(text, start + 1)
    return text[start : end.start() if end is not None else None]


@lru_cache(maxsize=1)
def _line_starts(text: str) -> Sequence[int]:
    # One file after another is asked for all of its faults.
    return array("L", (0, *(found.end() for found in _BREAK.finditer(text))))


def _node(source: str) -> Any:
    """The node of the first document; None when there is none on its first line."""
    loader = _Loader(source)
    try:
        node = loader.get_node() if loader.check_node() else None
    except yaml.YAMLError:
        return None
    finally:
        loader.dispose()
    return node if node is not None and _line(node) == 1 else None


def _note_lines(source: str, node: Any, path: str, found: dict[str, int]) -> None:
    if path.count("/") > MAX_DEPTH:
        return
    for key, line, item in _parts(source, node):
        if len(found) >= MAX_LINES:
            return
        below = path + pointer([key])
        if len(below) <= MAX_POINTER:
            found[below] = line
            _note_lines(source, item, below, found)


def _parts(source: str, node: Any) -> Iterator[tuple[str | int, int, Any]]:
    """What is in a collection: key or place, line, value."""
    if isinstance(node, yaml.MappingNode):
        yield from ((_key(source, key), _line(key), value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, _line(item), item) for index, item in enumerate(node.value))


def _descend(node: Any, path: str) -> int:
    line = int(node.start_mark.line) + 1
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if getattr(key, "value", None) == part), None)
            if found is None:
                break
            line, node = int(found[0].start_mark.line) + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdecimal() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = int(node.start_mark.line) + 1
        else:
            break
    return line


def _checked(text: str | bytes, max_bytes: int) -> str:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > max_bytes:
        raise YamlError(f"the text has {size} bytes, the limit is {max_bytes}: split it")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            raise YamlError("not UTF-8: save the file in UTF-8", line) from error
    if "\0" in text:
        raise YamlError("a NUL character: remove it", text[: text.index("\0")].count("\n") + 1)
    _check_depth(text)
    return text


def _check_depth(text: str) -> None:
    # The C composer recurses: depth is bounded on events before any node is made. Most texts cannot be that deep.
    is_plain = text.isascii() and "\r" not in text
    if (is_plain or _ODD_BREAK.search(text) is None) and all(map(_is_shallow, _SEPARATOR.split(text))):
        return
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise YamlError(f"nested deeper than {MAX_DEPTH} levels", _line(event))
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return  # reported with the good documents before it


def _is_shallow(document: str) -> bool:
    # Every flow collection costs a bracket; a block collection costs a sign at the head of its line or a space of
    # indentation, but for sequences, which may stand below their key without any.
    return document.count("[") + document.count("{") <= SHALLOW and _DEEP_LINE.search(document) is None


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _syntax(error: yaml.YAMLError) -> YamlError:
    found: Any = error
    mark: Any = getattr(found, "problem_mark", None) or getattr(found, "context_mark", None)
    detail = str(getattr(error, "problem", None) or error).strip()
    context = getattr(error, "context", None)
    line = None if mark is None else int(mark.line) + 1
    return YamlError(f"{context}: {detail}" if context else detail, line)


class _Builder:
    """Values from nodes. Every use of an alias counts as all that it stands for."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._count = 0
        self._open: set[int] = set()

    def build(self, node: Any) -> Any:
        self._count += 1
        if self._count > MAX_NODES:
            raise YamlError(f"more than {MAX_NODES} values once aliases are expanded", _line(node))
        kind = type(node)
        if kind is yaml.ScalarNode:
            return node.value if node.tag == _STR else _scalar(node)
        if id(node) in self._open:
            raise YamlError("an alias that contains itself", _line(node))
        self._open.add(id(node))
        try:
            if kind is yaml.SequenceNode:
                return [self.build(item) for item in node.value]
            return self._mapping(node)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        for key_node, value_node in node.value:
            if key_node.tag == MERGE:
                merged.extend(self._merged(value_node))
                continue
            key = _key(self._source, key_node)
            if key in result:
                raise YamlError(f"the key '{key}' stands twice in one mapping", _line(key_node))
            result[key] = self.build(value_node)
        for other in merged:
            for key, value in other.items():
                result.setdefault(key, value)
        return result

    def _merged(self, node: Any) -> list[dict[str, Any]]:
        value = self.build(node)
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(item, dict) for item in values):
            raise YamlError("'<<' takes a mapping or a list of mappings", _line(node))
        return values


def _key(source: str, node: Any) -> str:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    # `{{ x }}` as a bare key, as templates have it, reads as a mapping: it is kept as its source text.
    return source[node.start_mark.index : node.end_mark.index]


def _scalar(node: Any) -> Any:
    tag, text = node.tag, node.value
    if tag == _NULL:
        return None
    if tag == _BOOL:
        return text.lower() == "true"
    if tag == _INT:
        return _integer(text, node)
    if tag == _FLOAT:
        bare = text.lower().lstrip("+-").lstrip(".")
        number = inf if bare in _SPECIAL else float(text)
        if not isfinite(number):
            raise YamlError("infinity and not-a-number have no place in JSON: quote it", _line(node))
        return number
    return text


def _integer(text: str, node: Any) -> int | float:
    if len(text) > 300:
        raise YamlError("a number of more than 300 digits", _line(node))
    if text.startswith("0o"):
        return int(text[2:], 8)
    if text.startswith("0x"):
        return int(text[2:], 16)
    value = int(text)
    # JSON readers hold larger numbers as floating point.
    return value if -(2**63) <= value < 2**64 else float(text)
