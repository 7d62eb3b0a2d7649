"""`taxiway catalog lint`: descriptors judged offline, for people, for programs, and for code scanning (SARIF 2.1.0)."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from taxiway import __version__
from taxiway.cli.output import note
from taxiway.features.catalog.model import PROBLEM_CODES
from taxiway.features.catalog.service.lint import Finding, judge_paths
from taxiway.model.kinds import KINDS

RULES = {**PROBLEM_CODES, "elsewhere": "a target lies outside of what is judged"}


def lint(*paths: Path, output: Literal["human", "json", "sarif"] = "human", strict: bool = False) -> int:
    """Judge descriptor files, or the catalog-info.yaml files below folders, without a server.

    The judge is the server's. Exit code 0: nothing wrong; 2: errors, or with --strict warnings too.
    """
    judgement = judge_paths(paths or (Path(),))
    if output == "sarif":
        print(json.dumps(sarif("taxiway catalog lint", judgement.findings, RULES), indent=2))
    elif output == "json":
        found = [asdict(finding) for finding in judgement.findings]
        print(json.dumps({"documents": judgement.documents, "files": judgement.files, "findings": found}, indent=2))
    else:
        for finding in judgement.findings:
            print(finding_line(finding))
        counts = ", ".join(f"{judgement.count(level)} {level}s" for level in ("error", "warning", "note"))
        note(f"{judgement.documents} documents in {judgement.files} files: {counts}")
    sys.stdout.flush()
    failed = judgement.count("error") + (judgement.count("warning") if strict else 0)
    return KINDS["input"].exit_code if failed else 0


def sarif(tool: str, findings: Sequence[Finding], known: Mapping[str, str]) -> dict[str, Any]:
    """Findings as a SARIF log of a tool; `known` has what each code means."""
    used = sorted({finding.code for finding in findings})
    rules = [{"id": code, "shortDescription": {"text": known[code]}} for code in used]
    driver = {"name": tool, "semanticVersion": __version__, "rules": rules}
    results = [_result(finding, used.index(finding.code)) for finding in findings]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _result(finding: Finding, rule: int) -> dict[str, Any]:
    region = {} if finding.line is None else {"region": {"startLine": finding.line}}
    place = {"artifactLocation": {"uri": Path(finding.path).as_posix()}, **region}
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": f"{finding.message}. {finding.remedy}"},
        "locations": [{"physicalLocation": place}],
    }


def finding_line(finding: Finding) -> str:
    """A finding for people."""
    where = finding.path if finding.line is None else f"{finding.path}:{finding.line}"
    return f"{where}: {finding.level} [{finding.code}] {finding.message}. {finding.remedy}"
