"""Tests of a template: its lint, its cases, and which branches they took. `taxiway template test` calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from taxiway.core.context import Platform
from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.cases import Case, read_cases
from taxiway.features.scaffolder.authoring.coverage import Coverage, measure
from taxiway.features.scaffolder.authoring.judging import judge, judge_golden
from taxiway.features.scaffolder.authoring.lint import lint
from taxiway.features.scaffolder.authoring.reading import Subject, find_templates, read_file
from taxiway.features.scaffolder.authoring.trying import Tried, known_actions, try_case
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.model.errors import NotFoundError


@dataclass(frozen=True)
class CaseResult:
    """How a case went: what failed, and what came of it."""

    case: Case
    failures: Sequence[str]
    tried: Tried


@dataclass(frozen=True)
class TemplateResult:
    """How a template's tests went."""

    path: str
    name: str
    findings: Sequence[Finding]
    cases: Sequence[CaseResult]
    coverage: Coverage

    @property
    def failed(self) -> int:
        """Failed cases and errors of the lint."""
        return sum(bool(one.failures) for one in self.cases) + sum(one.level == "error" for one in self.findings)


def subjects_at(platform: Platform, path: Path) -> tuple[list[Subject], list[Finding]]:
    """The templates at a path, and what the catalog has against their files."""
    scaffolder: Scaffolder = platform.services["scaffolder"]
    actions = known_actions(platform)
    subjects: list[Subject] = []
    findings: list[Finding] = []
    for file in find_templates(path):
        found, problems = read_file(file, scaffolder.renderer, actions)
        subjects += found
        findings += problems
    return subjects, findings


def run_suite(
    platform: Platform, subject: Subject, problems: Sequence[Finding], *, only: str | None = None, update: bool = False
) -> TemplateResult:
    """Lint a template, then try its cases. NotFoundError where `only` names none of them."""
    cases = read_cases(subject.file)
    chosen = [case for case in cases if only in (None, case.name, case.slug)]
    if only is not None and not chosen:
        names = ", ".join(case.name for case in cases) or "none"
        raise NotFoundError(
            f"there is no case '{only}' in {subject.shown}; there are: {names}", code="scaffolder.no_case"
        )
    results = [_tried(platform, subject, case, update=update) for case in chosen]
    findings = [*(one for one in problems if one.path == subject.shown), *lint(subject)]
    coverage = measure(subject, [result.tried for result in results])
    unique = sorted(dict.fromkeys(findings), key=lambda found: (found.path, found.line or 0, found.code))
    return TemplateResult(subject.shown, str(subject.document["metadata"]["name"]), unique, results, coverage)


def _tried(platform: Platform, subject: Subject, case: Case, *, update: bool) -> CaseResult:
    tried = try_case(platform, subject, case)
    golden = judge_golden(subject.file, case, tried, update=update)
    return CaseResult(case, [*judge(case, tried), *golden], tried)
