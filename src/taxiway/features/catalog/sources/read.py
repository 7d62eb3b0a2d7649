"""Reads the documents of a source: YAML, placeholders, and the targets of Location entities. Bounded in every way.

Nothing is raised for a fault in a source: it comes out as a SourceProblem, and the rest is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from posixpath import dirname, join
from typing import Any, Protocol

from taxiway.features.catalog.sources.items import Item, ReadEntity, ReadRecord
from taxiway.features.catalog.sources.memory import FileMemory
from taxiway.features.catalog.sources.targets import Target
from taxiway.features.catalog.sources.trees import Tree, inside, is_pattern
from taxiway.kit.plain import read_json, read_text
from taxiway.kit.yaml12 import YamlDocument, YamlError, load
from taxiway.kit.yaml_documents import documents_and_faults
from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.plugin import SourceProblem

MAX_FILES = 10_000
MAX_NESTING = 10
MAX_PLACEHOLDERS = 200
PLACEHOLDERS = ("$text", "$json", "$yaml", "$openapi", "$asyncapi")
ESCAPED = ("\\x24", "\\u0024", "\\U00000024")
"""How YAML can write the dollar sign otherwise."""
Parsed = Iterable[YamlDocument | YamlError | ReadRecord]
OpenTarget = Callable[[str, str], Target]


class Parser(Protocol):
    """Parses what files hold. Files are given to it before the first one's documents are taken, until it is full."""

    def is_full(self) -> bool:
        """Whether documents are to be taken before another file is begun."""
        ...

    def begin(self, content: bytes, location: str = "") -> Callable[[], Parsed]:
        """Begin with a file; what is returned waits for its documents and faults, in order. With a location, which is
        the file's, no document of it needs another file: they may be judged as well."""
        ...


class ParsedHere:
    """Parses each file when its documents are taken."""

    def is_full(self) -> bool:
        return True

    def begin(self, content: bytes, location: str = "") -> Callable[[], Parsed]:
        return lambda: documents_and_faults(content)


class TooMuchError(Exception):
    """A source has more bytes than its reader wants to parse."""


class ParsedWithin:
    """Has files parsed by another parser, but those that the first one leads to only when they do not have more than
    `limit` bytes together: else TooMuchError, before any of them is parsed."""

    def __init__(self, parser: Parser, limit: int) -> None:
        self._parser, self._left, self._begun = parser, limit, 0
        self._waiting: list[tuple[bytes, str, Future[Callable[[], Parsed]]]] = []

    def is_full(self) -> bool:
        return self._begun < 2

    def begin(self, content: bytes, location: str = "") -> Callable[[], Parsed]:
        self._begun += 1
        self._left -= len(content) if self._begun > 1 else 0
        if self._left < 0:
            raise TooMuchError
        asked: Future[Callable[[], Parsed]] = Future()
        self._waiting.append((content, location, asked))
        return partial(self._taken, asked)

    def _taken(self, asked: Future[Callable[[], Parsed]]) -> Parsed:
        for content, location, one in self._waiting:
            one.set_result(self._parser.begin(content, location))
        self._waiting = []
        return asked.result()()


@dataclass
class _Reading:
    """One run over a source: what was seen already, and how much may still be read."""

    open: OpenTarget
    memory: FileMemory | None = None
    parser: Parser = field(default_factory=ParsedHere)
    seen: set[str] = field(default_factory=set)
    files: int = 0


@dataclass(frozen=True)
class _Place:
    """A file to read: how many Locations led to it, and the problem that it is when it cannot be read."""

    tree: Tree
    path: str
    nesting: int = 0
    asked: SourceProblem | None = None
    optional: bool = False

    @cached_property
    def location(self) -> str:
        """The same text for all that is in the file."""
        return self.tree.location(self.path)


def read_target(
    target: Target, open_target: OpenTarget, memory: FileMemory | None = None, parser: Parser | None = None
) -> Iterator[Item]:
    """Every document of a location, those of the Locations in it included; not of files that `memory` knows to be
    unchanged."""
    reading = _Reading(open_target, memory, parser or ParsedHere())
    yield from _all(reading, _matching(_Place(target.tree, target.path)))


def _matching(place: _Place) -> Iterator[_Place | SourceProblem]:
    asked = place.asked
    try:
        paths = place.tree.match(place.path) if is_pattern(place.path) else [inside(place.path)]
    except TaxiwayError as error:
        yield SourceProblem(asked.location if asked else place.path, error.detail, asked.line if asked else None)
        return
    if not paths and not place.optional:
        location, line = (asked.location, asked.line) if asked else (place.location, None)
        yield SourceProblem(location, f"no file matches '{inside(place.path)}'", line)
    for one in paths:
        yield replace(place, path=one)


def _all(reading: _Reading, places: Iterable[_Place | SourceProblem]) -> Iterator[Item]:
    """What the files at `places` hold, in their order. Some of them are with the parser before it is their turn."""
    begun: deque[Iterator[Item]] = deque()
    for place in places:
        begun.append(iter([place]) if isinstance(place, SourceProblem) else _begin(reading, place))
        while begun and reading.parser.is_full():
            yield from begun.popleft()
    while begun:
        yield from begun.popleft()


def _begin(reading: _Reading, place: _Place) -> Iterator[Item]:
    tree, location, asked = place.tree, place.location, place.asked
    if location in reading.seen:
        return iter(())
    reading.seen.add(location)
    reading.files += 1
    if reading.files > MAX_FILES:
        return iter([SourceProblem(location, f"the source has more than {MAX_FILES} files: split it")])
    try:
        content = tree.read(place.path)
    except TaxiwayError as error:
        if place.optional and isinstance(error, NotFoundError):
            return iter(())
        return iter([SourceProblem(asked.location if asked else location, error.detail, asked.line if asked else None)])
    if reading.memory is not None and reading.memory.is_same(location, content):
        return iter(())
    text = content.decode("utf-8-sig", "replace")
    placeholders = _Placeholders(place.tree, place.path) if _may_have_placeholders(text) else None
    parsed = reading.parser.begin(content, location if placeholders is None else "")
    return _file(reading, place, content, text, placeholders, parsed)


def _file(
    reading: _Reading,
    place: _Place,
    content: bytes,
    text: str,
    placeholders: _Placeholders | None,
    parsed: Callable[[], Parsed],
) -> Iterator[Item]:
    location = place.location
    alone = placeholders is None
    for document in parsed():
        if isinstance(document, ReadRecord):
            yield document
            continue
        if isinstance(document, YamlError):
            alone = False
            yield SourceProblem(location, f"not valid YAML: {document.detail}", document.line)
            continue
        alone = alone and isinstance(document.value, dict) and document.value.get("kind") != "Location"
        yield from _document(reading, place, document, text, placeholders)
    if reading.memory is not None and alone:
        reading.memory.note(location, content)


def _document(
    reading: _Reading, place: _Place, document: YamlDocument, text: str, placeholders: _Placeholders | None
) -> Iterator[Item]:
    location, value, line = place.location, document.value, document.line
    if not isinstance(value, dict):
        yield SourceProblem(location, "the document is not a mapping: an entity has apiVersion, kind, metadata", line)
        return
    try:
        if placeholders is not None:
            value = replace(placeholders).resolve(value)
    except (TaxiwayError, YamlError, ValueError) as error:
        yield SourceProblem(location, f"a placeholder could not be read: {error}", line)
        return
    yield ReadEntity(value, location, line, text=text)
    if value.get("kind") == "Location" and isinstance(value.get("spec"), dict):
        yield from _all(reading, _targets(reading, place, value["spec"], line))


def _targets(reading: _Reading, place: _Place, spec: dict[str, Any], line: int) -> Iterator[_Place | SourceProblem]:
    """Where a Location leads to."""
    tree, path, location = place.tree, place.path, place.location
    targets = spec.get("targets") if isinstance(spec.get("targets"), list) else []
    if place.nesting >= MAX_NESTING:
        yield SourceProblem(location, f"locations lead to locations more than {MAX_NESTING} times", line)
        return
    optional = spec.get("presence") == "optional"
    for target in [spec.get("target"), *(targets or [])]:
        if not isinstance(target, str) or not target:
            continue
        below = _Place(tree, target, place.nesting + 1, SourceProblem(location, target, line), optional)
        if "://" not in target and not target.startswith(("/", "git:")):
            yield from _matching(replace(below, path=join(dirname(path), target)))
            continue
        kind = spec.get("type") or ("file" if target.startswith("/") else "url")
        try:
            found = reading.open(str(kind), target)
        except TaxiwayError as error:
            if not (optional and isinstance(error, NotFoundError)):
                yield SourceProblem(location, error.detail, line)
            continue
        yield from _matching(replace(below, tree=found.tree, path=found.path))


def _may_have_placeholders(text: str) -> bool:
    return ("$" in text and any(sign in text for sign in PLACEHOLDERS)) or (
        "\\" in text and any(sign in text for sign in ESCAPED)
    )


@dataclass
class _Placeholders:
    """Replaces `{$text: path}`, `{$json: path}` and `{$yaml: path}` by what the file in the same tree holds."""

    tree: Tree
    path: str
    count: int = 0

    def resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            key, target = next(iter(value.items()))
            if key in PLACEHOLDERS and isinstance(target, str):
                return self._read(key, target)
        return {key: self.resolve(item) for key, item in value.items()}

    def _read(self, key: str, target: str) -> Any:
        self.count += 1
        if self.count > MAX_PLACEHOLDERS:
            raise ValueError(f"more than {MAX_PLACEHOLDERS} placeholders in one document")
        content = self.tree.read(self._within(target))
        if key == "$json":
            return read_json(content)
        if key == "$yaml":
            return load(content)
        return read_text(content)

    def _within(self, target: str) -> str:
        if "://" not in target:
            return inside(join(dirname(self.path), target))
        base = self.tree.location("x").removeprefix("url:").removesuffix("x")
        if not target.startswith(base):
            raise ValueError(f"'{target}' is in another source: name a file of this one")
        return inside(target.removeprefix(base))
