"""Reads the documents of a source: YAML, placeholders, and the targets of Location entities. Bounded in every way.

Nothing is raised for a fault in a source: it comes out as a SourceProblem, and the rest is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from posixpath import dirname, join
from typing import Any

from taxiway.features.catalog.model import ReadEntity
from taxiway.features.catalog.sources.memory import FileMemory
from taxiway.features.catalog.sources.targets import Target
from taxiway.features.catalog.sources.trees import Tree, inside, is_pattern
from taxiway.kit.plain import read_json, read_text
from taxiway.kit.yaml12 import YamlDocument, YamlError, load
from taxiway.kit.yaml_documents import documents_and_faults
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import SourcedEntity, SourceProblem

MAX_FILES = 10_000
MAX_NESTING = 10
MAX_PLACEHOLDERS = 200
PLACEHOLDERS = ("$text", "$json", "$yaml", "$openapi", "$asyncapi")
ESCAPED = ("\\x24", "\\u0024", "\\U00000024")
"""How YAML can write the dollar sign otherwise."""
Item = SourcedEntity | SourceProblem
OpenTarget = Callable[[str, str], Target]


@dataclass
class _Reading:
    """One run over a source: what was seen already, and how much may still be read."""

    open: OpenTarget
    memory: FileMemory | None = None
    seen: set[str] = field(default_factory=set)
    files: int = 0


def read_target(target: Target, open_target: OpenTarget, memory: FileMemory | None = None) -> Iterator[Item]:
    """Every document of a location, those of the Locations in it included; not of files that `memory` knows to be
    unchanged."""
    yield from _paths(_Reading(open_target, memory), target.tree, target.path, 0, None)


def _paths(reading: _Reading, tree: Tree, path: str, nesting: int, asked: SourceProblem | None) -> Iterator[Item]:
    try:
        paths = tree.match(path) if is_pattern(path) else [inside(path)]
    except TaxiwayError as error:
        yield SourceProblem(asked.location if asked else path, error.detail, asked.line if asked else None)
        return
    for one in paths:
        yield from _file(reading, tree, one, nesting, asked)


def _file(reading: _Reading, tree: Tree, path: str, nesting: int, asked: SourceProblem | None) -> Iterator[Item]:
    location = tree.location(path)
    if location in reading.seen:
        return
    reading.seen.add(location)
    reading.files += 1
    if reading.files > MAX_FILES:
        yield SourceProblem(location, f"the source has more than {MAX_FILES} files: split it")
        return
    try:
        content = tree.read(path)
    except TaxiwayError as error:
        yield SourceProblem(asked.location if asked else location, error.detail, asked.line if asked else None)
        return
    if reading.memory is not None and reading.memory.is_same(location, content):
        return
    text = content.decode("utf-8-sig", "replace")
    placeholders = _Placeholders(tree, path) if _may_have_placeholders(text) else None
    alone = placeholders is None
    for document in documents_and_faults(content):
        if isinstance(document, YamlError):
            alone = False
            yield SourceProblem(location, f"not valid YAML: {document.detail}", document.line)
            continue
        alone = alone and isinstance(document.value, dict) and document.value.get("kind") != "Location"
        yield from _document(reading, tree, path, location, document, text, placeholders, nesting)
    if reading.memory is not None and alone:
        reading.memory.note(location, content)


def _document(
    reading: _Reading,
    tree: Tree,
    path: str,
    location: str,
    document: YamlDocument,
    text: str,
    placeholders: _Placeholders | None,
    nesting: int,
) -> Iterator[Item]:
    value, line = document.value, document.line
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
        yield from _follow(reading, tree, path, value["spec"], line, nesting)


def _follow(reading: _Reading, tree: Tree, path: str, spec: dict[str, Any], line: int, nesting: int) -> Iterator[Item]:
    targets = spec.get("targets") if isinstance(spec.get("targets"), list) else []
    location = tree.location(path)
    if nesting >= MAX_NESTING:
        yield SourceProblem(location, f"locations lead to locations more than {MAX_NESTING} times", line)
        return
    for target in [spec.get("target"), *(targets or [])]:
        if not isinstance(target, str) or not target:
            continue
        asked = SourceProblem(location, target, line)
        if "://" not in target and not target.startswith(("/", "git:")):
            yield from _optional(_paths(reading, tree, join(dirname(path), target), nesting + 1, asked), spec)
            continue
        kind = spec.get("type") or ("file" if target.startswith("/") else "url")
        try:
            found = reading.open(str(kind), target)
        except TaxiwayError as error:
            yield from _optional(iter([SourceProblem(location, error.detail, line)]), spec)
            continue
        yield from _optional(_paths(reading, found.tree, found.path, nesting + 1, asked), spec)


def _optional(items: Iterator[Item], spec: dict[str, Any]) -> Iterator[Item]:
    if spec.get("presence") != "optional":
        return items
    return (item for item in items if not (isinstance(item, SourceProblem) and "there is no " in item.detail))


def _may_have_placeholders(text: str) -> bool:
    return any(sign in text for sign in (*PLACEHOLDERS, *ESCAPED))


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
