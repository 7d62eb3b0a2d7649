"""`taxiway template`: lint, test and preview golden paths without a server, for their authors and their pipelines.

A throw-away platform in a scratch folder gives the actions and the dry run; it is the server's own code that judges.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from taxiway.cli.errors import CliError
from taxiway.cli.output import note
from taxiway.model.kinds import KINDS

if TYPE_CHECKING:
    from taxiway.core.context import Platform
    from taxiway.features.catalog.service.lint import Finding
    from taxiway.features.scaffolder.authoring.cases import Case
    from taxiway.features.scaffolder.authoring.suite import TemplateResult
    from taxiway.features.scaffolder.authoring.trying import Tried

app = App(name="template", help="Lint, test and preview golden paths without a server.")
FAILED = KINDS["input"].exit_code
MOST_MISSED = 30
MARKS = {True: "passed", False: "FAILED"}


@app.command
def lint(
    *paths: Path,
    output: Literal["human", "json", "sarif"] = "human",
    strict: bool = False,
    actions: Path | None = None,
) -> int:
    """Judge templates: form, steps, expressions, and the files that they fetch.

    Exit code 0: nothing wrong; 2: errors, or with --strict warnings too.

    Parameters
    ----------
    paths
        Templates, or folders with a template.yaml below; default is this folder.
    actions
        A server's list of actions (`taxiway api scaffolder.list_actions`), for those that are not installed here.
    """
    from taxiway.cli.lint import finding_line, sarif
    from taxiway.features.catalog.model import PROBLEM_CODES
    from taxiway.features.scaffolder.authoring.lint import RULES, lint_paths
    from taxiway.features.scaffolder.authoring.trying import known_actions

    chosen = paths or (Path(),)
    with _platform(chosen, actions) as platform:
        verdict = lint_paths(chosen, platform.services["scaffolder"].renderer, known_actions(platform))
    if output == "sarif":
        known = {**PROBLEM_CODES, "elsewhere": "a target lies outside of what is judged", **RULES}
        print(json.dumps(sarif("taxiway template lint", verdict.findings, known), indent=2))
    elif output == "json":
        found = [asdict(finding) for finding in verdict.findings]
        print(json.dumps({"templates": verdict.templates, "findings": found}, indent=2))
    else:
        for finding in verdict.findings:
            print(finding_line(finding))
        counts = ", ".join(f"{verdict.count(level)} {level}s" for level in ("error", "warning", "note"))
        note(f"{verdict.templates} templates: {counts}")
    sys.stdout.flush()
    return FAILED if verdict.count("error") + (verdict.count("warning") if strict else 0) else 0


@app.command(name="test")
def run_tests(
    *paths: Path,
    case: str | None = None,
    update: bool = False,
    minimum: float = 0.0,
    strict: bool = False,
    output: Literal["human", "json"] = "human",
    actions: Path | None = None,
) -> int:
    """Lint templates, try the cases in their template.test.yaml, and print which branches these take.

    Parameters
    ----------
    paths
        Templates, or folders with a template.yaml below; default is this folder.
    case
        Only the case of this name.
    update
        Make what comes out now the golden files.
    minimum
        Least percentage of branches that the cases must take.
    strict
        Let warnings of the lint fail it too.
    actions
        A server's list of actions, for those that are not installed here.
    """
    from taxiway.features.scaffolder.authoring.suite import run_suite, subjects_at

    results: list[TemplateResult] = []
    chosen = paths or (Path(),)
    with _platform(chosen, actions) as platform:
        for path in chosen:
            subjects, problems = subjects_at(platform, path)
            results += [run_suite(platform, one, problems, only=case, update=update) for one in subjects]
            results += [] if subjects else [_unreadable(path, problems)]
    if output == "json":
        print(json.dumps([_document(result) for result in results], indent=2))
    else:
        for result in results:
            _print(result)
    sys.stdout.flush()
    warnings = sum(one.level == "warning" for result in results for one in result.findings) if strict else 0
    below = any(result.coverage.percent < minimum for result in results)
    return FAILED if warnings or below or any(result.failed for result in results) else 0


@app.command
def preview(
    path: Path = Path(),
    *,
    case: str | None = None,
    values: str | None = None,
    into: Path | None = None,
    actions: Path | None = None,
    **answers: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Show the steps and files that a template makes of some answers: `--name orders --owner group:default/shop`.

    Parameters
    ----------
    path
        The template, or the folder that it is in.
    case
        Start from the answers of this case of its tests.
    values
        Answers as a JSON object; options win over it.
    into
        Write the files into this folder, which must be empty or new.
    actions
        A server's list of actions, for those that are not installed here.
    """
    from taxiway.features.scaffolder.authoring.judging import write_files
    from taxiway.features.scaffolder.authoring.suite import subjects_at
    from taxiway.features.scaffolder.authoring.trying import try_case

    if into is not None and into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise CliError(f"{into} is not an empty folder: name another one", FAILED)
    with _platform([path], actions) as platform:
        subjects, problems = subjects_at(platform, path)
        if len(subjects) != 1:
            details = [finding.message for finding in problems]
            raise CliError(f"{path} holds {len(subjects)} templates: name the file of one", FAILED, details)
        subject = subjects[0]
        chosen = _case(subject.file, case)
        given = {**chosen.values, **_parse(values), **_typed(subject.spec, answers)}
        tried = try_case(platform, subject, replace(chosen, values=given))
    if tried.error:
        raise CliError(tried.error, FAILED, list(tried.invalid))
    _show(tried)
    if into is not None:
        write_files(into, tried)
        note(f"wrote {len(tried.files)} files to {into}")
    return 0


@contextmanager
def _platform(paths: Sequence[Path], actions: Path | None) -> Iterator[Platform]:
    """A platform without a server, that may read the checkouts around `paths`."""
    import structlog

    from taxiway.api.platform import build_platform, close_platform
    from taxiway.core.settings import load_settings
    from taxiway.features.scaffolder.authoring.trying import add_actions

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    roots = sorted({str(_root(path.resolve())) for path in paths})
    listed = _listed(actions)
    with tempfile.TemporaryDirectory() as folder:
        platform = build_platform(load_settings({}, {"data": folder, "catalog": {"file_roots": roots}}))
        try:
            add_actions(platform, listed)
            yield platform
        finally:
            platform.services["scaffolder"].renderer.close()
            close_platform(platform)


def _root(path: Path) -> Path:
    folder = path if path.is_dir() else path.parent
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)


def _listed(actions: Path | None) -> list[dict[str, Any]]:
    if actions is None:
        return []
    try:
        found = json.loads(actions.read_text())
    except (OSError, ValueError) as error:
        raise CliError(f"{actions} cannot be read: {error}", FAILED) from error
    if not isinstance(found, list) or not all(isinstance(item, dict) and "id" in item for item in found):
        raise CliError(f"{actions} is no list of actions: write it by `taxiway api scaffolder.list_actions`", FAILED)
    return found


def _parse(values: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(values) if values else {}
    except ValueError as error:
        raise CliError(f"--values is not JSON: {error}", FAILED) from error
    if not isinstance(parsed, dict):
        raise CliError("--values must be a JSON object", FAILED)
    return parsed


def _typed(spec: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    from taxiway.cli.create import convert

    pages = spec.get("parameters") or []
    known: dict[str, Any] = {}
    for page in [pages] if isinstance(pages, Mapping) else pages:
        known |= page.get("properties") or {}
    return {key: convert(key, text, (known.get(key) or {}).get("type")) for key, text in answers.items()}


def _case(template: Path, name: str | None) -> Case:
    from taxiway.features.scaffolder.authoring.cases import Case, read_cases

    if name is None:
        return Case("preview")
    cases = read_cases(template)
    found = next((case for case in cases if name in (case.name, case.slug)), None)
    if found is None:
        names = ", ".join(case.name for case in cases) or "none"
        raise CliError(f"there is no case '{name}'; there are: {names}", FAILED)
    return found


def _unreadable(path: Path, problems: Sequence[Finding]) -> TemplateResult:
    from taxiway.features.scaffolder.authoring.coverage import Coverage
    from taxiway.features.scaffolder.authoring.suite import TemplateResult

    if not problems:
        raise CliError(f"{path} holds no Template", FAILED)
    return TemplateResult(str(path), str(path), problems, [], Coverage({}, 0))


def _print(result: TemplateResult) -> None:
    from taxiway.cli.lint import finding_line

    print(f"{result.name} ({result.path})")
    for finding in result.findings:
        if finding.level != "note":
            print(f"  {finding_line(finding)}")
    for one in result.cases:
        print(f"  {MARKS[not one.failures]}  {one.case.name}")
        for line in one.failures:
            print(f"      {line}")
    if not result.cases:
        print("  no cases: write template.test.yaml beside it")
    coverage = result.coverage
    more = f", {coverage.unmeasured} conditions in loops not measured" if coverage.unmeasured else ""
    print(f"  branches: {coverage.taken} of {coverage.all} taken ({coverage.percent:.0f} %){more}")
    missed = list(coverage.missed()) if result.cases else []
    for branch, way in missed[:MOST_MISSED]:
        told = f"this {branch.tag} is never {str(way).lower()}: {branch.test}"
        print(f"      {branch.path}:{branch.line}: {told}")
    if len(missed) > MOST_MISSED:
        print(f"      and {len(missed) - MOST_MISSED} more: --output json lists all")


def _document(result: TemplateResult) -> dict[str, Any]:
    missed = [{**asdict(branch), "way": way} for branch, way in result.coverage.missed()]
    return {
        "template": result.name,
        "path": result.path,
        "findings": [asdict(finding) for finding in result.findings],
        "cases": [{"name": one.case.name, "failures": list(one.failures)} for one in result.cases],
        "branches": {
            "taken": result.coverage.taken,
            "all": result.coverage.all,
            "unmeasured": result.coverage.unmeasured,
            "missed": missed,
        },
    }


def _show(tried: Tried) -> None:
    print("Steps")
    for step in tried.steps:
        mark = "- skipped" if step["skipped"] else "+"
        print(f"  {mark} {step['id']} ({step['action']})")
    print(f"\nFiles ({len(tried.files)})")
    for path, (content, executable) in sorted(tried.files.items()):
        print(f"  {path}{'*' if executable else ''} ({len(content)} bytes)")
    if tried.output:
        print("\nOutput")
        print(json.dumps(tried.output, indent=2, ensure_ascii=False))
