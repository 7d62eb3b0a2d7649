"""Judges templates without a server: everything that can be known from their files and the actions that there are.

`taxiway template lint` calls it, and `taxiway template test` before any case is tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from taxiway.features.catalog.service.lint import Finding, Level
from taxiway.features.scaffolder.authoring.dead import dead_steps
from taxiway.features.scaffolder.authoring.files import file_findings
from taxiway.features.scaffolder.authoring.form import form_findings
from taxiway.features.scaffolder.authoring.names import name_findings, unused_findings
from taxiway.features.scaffolder.authoring.reading import Known, Subject, find_templates, read_file
from taxiway.features.scaffolder.authoring.steps import step_findings
from taxiway.features.scaffolder.rendering.client import Renderer

RULES: Mapping[str, str] = {
    "template-syntax": "the template engine cannot read an expression",
    "unknown-filter": "an expression uses a filter that there is not",
    "unknown-function": "an expression calls a function that there is not",
    "unknown-name": "an expression begins with a name that is not known there",
    "unknown-parameter": "an expression names an answer that the form does not ask for",
    "secret-parameter": "an expression reads a secret as a parameter",
    "unknown-secret": "a secret is used that is not asked for, or where secrets are not known",
    "unknown-step": "an expression names a step that there is not, or that has not run by then",
    "unknown-output": "an expression names an output that the step's action does not give",
    "each-outside": "`each` is used in a step that has none",
    "unknown-action": "a step's action is not installed",
    "prefixed-key": "a key with the prefix `taxiway:` is none, or its value is not usable",
    "repeated-step": "two steps have the same id",
    "invalid-input": "a step's input is refused by its action's schema",
    "unknown-input": "a step's input has a key that its action does not take",
    "dead-branch": "a condition comes out one way only, whatever is answered",
    "unused-parameter": "an answer is asked for and not used",
    "schema": "the form has a mistake in its JSON Schema",
    "missing-files": "a step fetches files that are not there",
    "unknown-value": "a file uses a value that its step does not pass",
    "unused-value": "a step passes a value that no file uses",
    "unmatched-pattern": "a pattern of files names none",
}


@dataclass(frozen=True)
class Verdict:
    """What was found in some templates."""

    findings: Sequence[Finding]
    templates: int

    def count(self, level: Level) -> int:
        """How many findings of a level."""
        return sum(finding.level == level for finding in self.findings)


def lint_paths(paths: Sequence[Path], renderer: Renderer, actions: Mapping[str, Known]) -> Verdict:
    """Judge the templates at some paths. NotFoundError where there is none."""
    findings: list[Finding] = []
    count = 0
    for file in dict.fromkeys(file.resolve() for path in paths for file in find_templates(path)):
        subjects, problems = read_file(file, renderer, actions)
        findings += problems
        for subject in subjects:
            findings += lint(subject)
        count += len(subjects)
    unique = list(dict.fromkeys(findings))
    unique.sort(key=lambda found: (found.path, found.line or 0, found.code))
    return Verdict(unique, count)


def lint(subject: Subject) -> list[Finding]:
    """What is wrong with a template."""
    found = [
        *form_findings(subject),
        *step_findings(subject),
        *name_findings(subject),
        *unused_findings(subject),
        *file_findings(subject),
    ]
    # A condition that names what there is not is never true: that is told once.
    unknown = {item.line for item in found if item.code.startswith("unknown-") and item.path == subject.shown}
    return found + [item for item in dead_steps(subject) if item.line not in unknown]
