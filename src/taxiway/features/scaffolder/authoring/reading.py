"""Reads templates from a checkout for their authors: the document, its text for lines, and what its texts refer to.

Nothing outside of the checkout is read. The catalog's own reader and judge are used, so that what is refused there is
refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from taxiway.features.catalog.service.lint import Finding, Level, judge_paths
from taxiway.features.scaffolder.extras import PREFIX
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.kit.pointer import pointer
from taxiway.kit.yaml12 import YamlError, line_of, load_all
from taxiway.model.errors import NotFoundError

NAMES = ("template.yaml", "template.yml")
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv"})
Outline = Mapping[str, Any]
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Text:
    """A text of a template that may hold expressions: where in the document, the step it belongs to (None: the output),
    and what it refers to."""

    path: tuple[str | int, ...]
    text: str
    step: int | None
    outline: Outline

    @property
    def pointer(self) -> str:
        return pointer(self.path)


@dataclass(frozen=True)
class Known:
    """What is known of an action: the schemas of its input and output."""

    input_schema: Values
    output_schema: Values


@dataclass(frozen=True)
class Subject:
    """A template under judgement. `actions` are those that there are; `shown` is its path as a user writes it."""

    file: Path
    shown: str
    source: str
    line: int
    document: Values
    actions: Mapping[str, Known]
    renderer: Renderer
    filters: Sequence[str] = field(default=())

    @property
    def spec(self) -> Values:
        found = self.document.get("spec")
        return found if isinstance(found, Mapping) else {}

    @cached_property
    def pages(self) -> list[tuple[tuple[str | int, ...], Values]]:
        """(path, schema) of every page of the form."""
        found = self.spec.get("parameters") or []
        if isinstance(found, Mapping):
            return [(("spec", "parameters"), found)]
        listed = found if isinstance(found, list) else []
        return [(("spec", "parameters", i), page) for i, page in enumerate(listed) if isinstance(page, Mapping)]

    @cached_property
    def steps(self) -> list[tuple[int, str, Values]]:
        """(index, id, step) of every step that is one."""
        found = self.spec.get("steps") or []
        listed = found if isinstance(found, list) else []
        return [(i, str(step.get("id") or f"step-{i + 1}"), step) for i, step in enumerate(listed) if _is_map(step)]

    @cached_property
    def texts(self) -> list[Text]:
        """Every text in which expressions are rendered, with what it refers to."""
        places = [
            *(
                (("spec", "steps", i, key, *path), text, i)
                for i, _, step in self.steps
                for key in ("if", "each", "input", *(name for name in step if str(name).startswith(PREFIX)))
                for path, text in _texts(step.get(key))
            ),
            *((("spec", "output", *path), text, None) for path, text in _texts(self.spec.get("output"))),
        ]
        outlines = self.renderer.outline([(text, {}) for _, text, _ in places])
        return [Text(path, text, i, one) for (path, text, i), one in zip(places, outlines, strict=True)]

    def finding(self, level: Level, code: str, where: Sequence[str | int] | str, message: str, remedy: str) -> Finding:
        """A finding at a place of the document, by its path or its pointer."""
        at = where if isinstance(where, str) else pointer(where)
        return Finding(level, code, self.shown, line_of(self.source, self.line, at), message, remedy)


def find_templates(path: Path) -> list[Path]:
    """The template files at `path`: itself, or those below a folder. NotFoundError when there is none."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError(f"there is no {path}: name a template, or a folder with one", code="scaffolder.no_file")
    found = [file for name in NAMES for file in path.rglob(name) if SKIPPED.isdisjoint(file.relative_to(path).parts)]
    if not found:
        raise NotFoundError(f"there is no {' or '.join(NAMES)} below {path}: name the file", code="scaffolder.no_file")
    return sorted(found)


def read_file(file: Path, renderer: Renderer, actions: Mapping[str, Known]) -> tuple[list[Subject], list[Finding]]:
    """The templates in a file, and what the catalog has against it."""
    findings = [item for item in judge_paths([file]).findings if item.code != "untrusted"]
    source = file.read_text(errors="replace")
    subjects = []
    filters = renderer.filters()
    try:
        for document in load_all(source):
            if _is_map(document.value) and document.value.get("kind") == "Template":
                subjects.append(
                    Subject(
                        file.resolve(), shown(file), source, document.line, document.value, actions, renderer, filters
                    )
                )
    except YamlError:
        pass  # among the findings already
    return subjects, findings


def shown(path: Path) -> str:
    """A path as the user would write it."""
    full, here = path.resolve(), Path.cwd()
    return full.relative_to(here).as_posix() if full.is_relative_to(here) else full.as_posix()


def suggestion(name: str, known: Sequence[str] | Mapping[str, Any], others: str) -> str:
    """A remedy for a name that is not known: the nearest one, else all of them."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    listed = ", ".join(sorted(known)[:12])
    return f"{others}: {listed}." if listed else f"{others}: none."


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _texts(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            for path, text in _texts(item):
                yield (key, *path), text
    elif isinstance(value, list):
        for index, item in enumerate(value):
            for path, text in _texts(item):
                yield (index, *path), text
