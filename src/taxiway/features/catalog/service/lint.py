"""Judges descriptor files without a server, by the reader and the judge that the server uses. The CLI calls it.

Targets outside the checkout are not read; a note says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from taxiway.features.catalog.kinds import shipped
from taxiway.features.catalog.model import TRUSTED_KINDS, Problem
from taxiway.features.catalog.service.apply import FIX, judge
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.read import read_target
from taxiway.features.catalog.sources.targets import Target
from taxiway.features.catalog.sources.trees import FileTree
from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin import SourcedEntity

Level = Literal["error", "warning", "note"]
NAMES = ("catalog-info.yaml", "catalog-info.yml")
SKIPPED = frozenset({".git", "node_modules", ".venv", "venv"})
ELSEWHERE = "lies outside of what is judged here: it was not read"
TRUST = "Have the platform team register the location with trust."


@dataclass(frozen=True)
class Finding:
    """One thing to tell: where (a path as the user would write it, and a line), what, and what to do."""

    level: Level
    code: str
    path: str
    line: int | None
    message: str
    remedy: str
    ref: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What was found in `documents` documents of `files` files."""

    findings: Sequence[Finding]
    documents: int
    files: int

    def count(self, level: Level) -> int:
        """How many findings of a level."""
        return sum(finding.level == level for finding in self.findings)


def judge_paths(paths: Sequence[Path]) -> Judgement:
    """Judge files, and the descriptors below folders, as one source. NotFoundError when there is nothing to judge."""
    items: list[Item] = []
    for path in paths:
        items += _read(path)
    unique = list({_identity(item): item for item in items}.values())
    judged = judge(unique, None, trusted=True, kinds=shipped(), source_id="")
    findings = [_finding(problem) for problem in judged.problems]
    entities = [item for item in unique if isinstance(item, SourcedEntity)]
    findings += [_trusting(item) for item in entities if str(item.document.get("kind")) in TRUSTED_KINDS]
    findings.sort(key=lambda found: (found.path, found.line or 0, found.code))
    return Judgement(findings, len(entities), len({item.location for item in unique}))


def _identity(item: Item) -> tuple[str, int | None, str]:
    # A file that two of the paths lead to is judged once.
    return item.location, item.line, "" if isinstance(item, SourcedEntity) else item.detail


def _read(path: Path) -> Iterator[Item]:
    if not path.exists():
        raise NotFoundError(f"there is no {path}: name a file, or a folder with descriptors", code="catalog.no_file")
    root = _root(path.resolve())
    files = _descriptors(path.resolve()) if path.is_dir() else [path.resolve()]
    if not files:
        raise NotFoundError(f"there is no {' or '.join(NAMES)} below {path}: name the file", code="catalog.no_file")

    def follow(kind: str, target: str) -> Target:
        inside = Path(target)
        if kind != "file" or not inside.is_absolute() or not inside.is_relative_to(root):
            raise InputError(f"'{target}' {ELSEWHERE}", code="catalog.not_followed")
        return Target(FileTree(root), inside.relative_to(root).as_posix())

    for file in files:
        yield from read_target(Target(FileTree(root), _literal(file.relative_to(root))), follow)


def _literal(path: Path) -> str:
    # A file's own name is no pattern, even when it holds the signs of one.
    text = path.as_posix()
    return text.replace("[", "[[]") if "[" in text else text


def _root(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _descriptors(folder: Path) -> list[Path]:
    found = [file for name in NAMES for file in folder.rglob(name)]
    return sorted(file for file in found if SKIPPED.isdisjoint(file.relative_to(folder).parts))


def _finding(problem: Problem) -> Finding:
    elsewhere = problem.code == "unreadable" and problem.detail.endswith(ELSEWHERE)
    level: Level = "note" if elsewhere else "error"
    # What is linted is at hand, and in no catalog yet.
    at_hand = "Correct it here." if problem.remedy == FIX else problem.remedy
    remedy = "Register it by itself." if elsewhere else at_hand
    code = "elsewhere" if elsewhere else problem.code
    return Finding(level, code, _shown(problem.location), problem.line, problem.detail, remedy, problem.ref)


def _trusting(item: SourcedEntity) -> Finding:
    message = f"{item.document['kind']} is taken only from locations that are registered with trust"
    return Finding("warning", "untrusted", _shown(item.location), item.line, message, TRUST)


def _shown(location: str) -> str:
    path = Path(location.removeprefix("file:"))
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else path.as_posix()
