"""The files that a template fetches: folders that are not there, and what is wrong inside of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from taxiway.features.catalog.service.lint import Finding, Level
from taxiway.features.scaffolder.actions.fetch import text_to_render, untemplated_names
from taxiway.features.scaffolder.authoring.branches import GENERIC, Domain
from taxiway.features.scaffolder.authoring.dead import WORDS, Domains, dead_conditions, domains
from taxiway.features.scaffolder.authoring.names import CALLS
from taxiway.features.scaffolder.authoring.reading import Outline, Subject, shown, suggestion
from taxiway.features.scaffolder.rendering.client import MARKS
from taxiway.model.errors import InputError
from taxiway.plugin.actions import workspace_files

RENDERED = ("fetch:template", "fetch:template:file")
FETCHED = (*RENDERED, "fetch:plain", "fetch:plain:file")
OPTIONS = ("trimBlocks", "lstripBlocks", "cookiecutterCompat")
PIPELINE = frozenset({"github", "secrets", "env", "matrix", "runner", "inputs", "needs", "vars", "job", "strategy"})
"""What expressions of GitHub's workflows begin with, which look the same."""
SOLE = re.compile(r"\$\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
Key = tuple[Path, bool]
"""A file, and whether it is its name."""


@dataclass(frozen=True)
class Fetch:
    """A step that fetches files of the template's own."""

    index: int
    step: Mapping[str, Any]
    source: Path
    files: Sequence[Path]

    @property
    def input(self) -> Mapping[str, Any]:
        return dict(self.step["input"])

    @property
    def root(self) -> str:
        """What the values are called in the files."""
        return "cookiecutter" if self.input.get("cookiecutterCompat") is True else "values"

    @property
    def options(self) -> dict[str, bool]:
        return {name: self.input.get(name) is True for name in OPTIONS}


def file_findings(subject: Subject) -> Iterator[Finding]:
    """Findings about every fetching step."""
    ways: dict[tuple[Key, int, str, str], set[bool]] = {}
    for fetch in fetches(subject):
        if isinstance(fetch, Finding):
            yield fetch
            continue
        yield from _patterns(subject, fetch)
        if fetch.step["action"] in RENDERED:
            yield from _rendered(subject, fetch, ways)
    # Files may be rendered by several steps: a branch is dead that none of them takes.
    for (key, line, tag, _), found in ways.items():
        if len(found) == 1:
            yield _dead(subject, key, line, tag, way=next(iter(found)))


def fetches(subject: Subject) -> Iterator[Fetch | Finding]:
    """Every step that fetches files of the template's own, or why it cannot."""
    for index, _, step in subject.steps:
        values = step.get("input")
        if step.get("action") not in FETCHED or not isinstance(values, Mapping):
            continue
        url = values.get("url")
        if not isinstance(url, str) or MARKS.search(url) or "://" in url:
            continue
        where = ("spec", "steps", index, "input")
        found = _fetch(subject, index, step, url)
        if found is None:
            kind = "file" if str(step["action"]).endswith(":file") else "folder"
            message = f"the checkout around the template has no {kind} '{url}'"
            remedy = "Add it, or correct the path."
            yield subject.finding("error", "missing-files", (*where, "url"), message, remedy)
        else:
            yield found


def _fetch(subject: Subject, index: int, step: Mapping[str, Any], url: str) -> Fetch | None:
    folder = subject.file.parent
    checkout = next((one for one in subject.file.parents if (one / ".git").exists()), folder)
    is_file = str(step["action"]).endswith(":file")
    try:
        source = (folder / url).resolve()
        if not source.is_relative_to(checkout) or not (source.is_file() if is_file else source.is_dir()):
            return None
    except (OSError, ValueError):  # no path can be so long, or hold a zero byte
        return None
    if is_file:
        return Fetch(index, step, source, [source])
    try:
        files = [path for _, path in workspace_files(source)]
    except InputError:
        files = []
    return Fetch(index, step, source, files)


def _patterns(subject: Subject, fetch: Fetch) -> Iterator[Finding]:
    names = [path.relative_to(fetch.source).as_posix() for path in fetch.files]
    for key in ("copyWithoutTemplating", "copyWithoutRender"):
        patterns = fetch.input.get(key)
        for number, pattern in enumerate(patterns if isinstance(patterns, list) else []):
            if not isinstance(pattern, str) or MARKS.search(pattern):
                continue
            if not untemplated_names(subject.renderer, names, [pattern]):
                where = ("spec", "steps", fetch.index, "input", key, number)
                remedy = "Correct the pattern, or remove it."
                yield subject.finding("warning", "unmatched-pattern", where, f"'{pattern}' names no file", remedy)


def outlines(subject: Subject, fetch: Fetch) -> dict[Key, Outline]:
    """What each rendered file, and each name, refers to."""
    values = fetch.input
    patterns = values.get("copyWithoutTemplating") or values.get("copyWithoutRender")
    usable = [one for one in patterns if isinstance(one, str)] if isinstance(patterns, list) else []
    extension = values.get("templateFileExtension") or ""
    extension = ".njk" if extension is True else extension
    texts: list[tuple[Key, str]] = []
    names = [path.relative_to(fetch.source).as_posix() if path != fetch.source else "" for path in fetch.files]
    untemplated = untemplated_names(subject.renderer, names, usable)
    for name, path in zip(names, fetch.files, strict=True):
        texts.append(((path, True), name))
        content = text_to_render(name, path, untemplated, str(extension))
        if content is not None:
            texts.append(((path, False), content))
    found = subject.renderer.outline([(text, fetch.options) for _, text in texts])
    return {key: outline for (key, _), outline in zip(texts, found, strict=True)}


def _rendered(subject: Subject, fetch: Fetch, ways: dict[tuple[Key, int, str, str], set[bool]]) -> Iterator[Finding]:
    found = outlines(subject, fetch)
    given = fetch.input.get("values")
    filters = [*subject.filters, "jsonify"] if fetch.root == "cookiecutter" else subject.filters
    is_open = isinstance(given, str) or (given is not None and not isinstance(given, Mapping))
    names = dict(given) if isinstance(given, Mapping) else {}
    used: set[str] = set()
    for key, outline in found.items():
        yield from _syntax(key, outline, filters)
        for one in outline.get("paths", []):
            path = one["path"]
            if path[0] != fetch.root:
                if path[0] not in CALLS:
                    yield _stray(key, one["line"], path, fetch)
            elif len(path) == 1:
                used |= set(names)
            elif path[1] not in names and not is_open:
                yield _missing(subject, key, one["line"], path[1], names)
            else:
                used.add(path[1])
    for name in names:
        if name not in used and fetch.files:
            where = ("spec", "steps", fetch.index, "input", "values", name)
            message = f"no file of {fetch.input['url']} uses the value '{name}'"
            yield subject.finding("note", "unused-value", where, message, "Use it, or do not pass it.")
    if not is_open:
        unknown = {path[1] for o in found.values() for p in o.get("paths", []) if len(path := p["path"]) > 1} - set(
            names
        )
        find = _value_domains(subject, fetch, names, unknown)
        for key, condition, way in dead_conditions(subject, found, find, fetch.options):
            ways.setdefault((key, condition["line"], condition["tag"], condition["test"]), set()).add(way)


def _finding(level: Level, code: str, key: Key, line: int | None, message: str, remedy: str) -> Finding:
    path, is_name = key
    return Finding(level, code, shown(path), 1 if is_name else line, message, remedy)


def _syntax(key: Key, outline: Outline, filters: Sequence[str]) -> Iterator[Finding]:
    error = outline.get("error")
    if error:
        remedy = "Correct it, or name the file in copyWithoutTemplating."
        yield _finding("error", "template-syntax", key, error["line"], error["message"], remedy)
    for used in outline.get("filters", []):
        if used["name"] not in filters:
            remedy = suggestion(used["name"], filters, "There are")
            message = f"there is no filter '{used['name']}'"
            yield _finding("error", "unknown-filter", key, used["line"], message, remedy)
    for used in outline.get("calls", []):
        if used["name"] not in CALLS:
            message = f"there is no function '{used['name']}'"
            remedy = suggestion(used["name"], CALLS, "There are")
            yield _finding("error", "unknown-function", key, used["line"], message, remedy)


def _stray(key: Key, line: int, path: Sequence[str], fetch: Fetch) -> Finding:
    name = ".".join(path)
    remedy = "Keep it with `{% raw %}`, or name the file in copyWithoutTemplating."
    if path[0] not in PIPELINE:
        remedy = f"Files see `{fetch.root}` only: pass it in the step's values, and write {fetch.root}.{path[-1]}."
    return _finding("error", "unknown-name", key, line, f"'{name}' is not known in files", remedy)


def _missing(subject: Subject, key: Key, line: int, name: str, names: Mapping[str, Any]) -> Finding:
    is_near = bool(get_close_matches(name, list(names), n=1, cutoff=0.7))
    is_own = key[0].is_relative_to(subject.file.parent)
    level: Level = "error" if is_near and is_own else "warning" if is_own else "note"
    message = f"the step passes no value '{name}': it renders as nothing"
    return _finding(level, "unknown-value", key, line, message, suggestion(name, names, "It passes"))


def _dead(subject: Subject, key: Key, line: int, tag: str, *, way: bool) -> Finding:
    message = f"the condition of this `{tag}` is {WORDS[way]} for every answer that the form can give"
    remedy = "Remove the condition." if way else "What it guards is never written: correct the condition, or remove it."
    level: Level = "warning" if way else "error"
    if not key[0].is_relative_to(subject.file.parent):
        level, remedy = "note", "Other templates may give other answers."
    return _finding(level, "dead-branch", key, line, message, remedy)


def _value_domains(subject: Subject, fetch: Fetch, names: Mapping[str, Any], unknown: set[str]) -> Domains:
    """What `values.x` may be in files: what the step passes, by the form's answers."""
    parameters = domains(subject)

    def find(path: Sequence[str]) -> Domain | None:
        if path[0] != fetch.root or len(path) < 2 or path[1] in unknown:
            return None
        if "each" in fetch.step or len(path) > 2:
            return GENERIC, False
        value = names[path[1]]
        if not isinstance(value, str):
            return ([value], True) if not isinstance(value, Mapping | list) else (GENERIC, False)
        sole = SOLE.fullmatch(value)
        if sole is not None:
            inner = sole.group(1).split(".")
            return parameters(inner) if inner[0] == "parameters" else (GENERIC, False)
        return (GENERIC, False) if MARKS.search(value) else ([value], True)

    return find
