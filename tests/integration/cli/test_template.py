"""Lint, test and preview of golden paths by the command, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import taxiway
from taxiway.cli.main import run

TEMPLATE = """\
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: letter}
spec:
  type: service
  owner: group:default/writers
  parameters:
    - required: [name]
      properties:
        name: {type: string, minLength: 1}
        polite: {type: boolean, default: true}
        tone: {type: string, enum: [warm, cool], default: warm}
  steps:
    - id: fetch
      action: fetch:template
      input:
        url: ./skeleton
        values: {name: '${{ parameters.name }}', polite: '${{ parameters.polite }}'}
    - id: log
      if: ${{ parameters.tone === 'warm' }}
      action: debug:log
      input: {message: 'Dear ${{ parameters.name }}'}
"""
CASES = """\
cases:
  - name: polite
    parameters: {name: Ada}
    golden: true
    expect:
      steps: {fetch: run, log: run}
      inputs: {log: {message: Dear Ada}}
      files:
        letter.txt: {contains: [Dear Ada], lacks: Hey}
        script.sh: {executable: true}
  - name: nobody
    parameters: {name: ''}
    expect: {invalid: [name]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "skeleton").mkdir()
    letter = "{% if values.polite %}Dear {% else %}Hey {% endif %}${{ values.name }}\n"
    (tmp_path / "skeleton/letter.txt").write_text(letter)
    (tmp_path / "skeleton/script.sh").write_text("#!/bin/sh\n")
    (tmp_path / "skeleton/script.sh").chmod(0o755)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "template.test.yaml").write_text(CASES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_cases_golden_files_and_the_branches_that_no_case_takes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["template", "test"]) == 2
    assert "there are no golden files at polite: run with --update" in capsys.readouterr().out
    assert run(["template", "test", "--update", "--minimum", "50"]) == 0
    told = capsys.readouterr().out
    assert "branches: 2 of 4 taken (50 %)" in told
    assert "template.yaml:20: this step if is never false" in told
    assert 'skeleton/letter.txt:1: this if is never false: values["polite"]' in told
    assert (folder / "template.golden/polite/letter.txt").read_text() == "Dear Ada\n"

    (folder / "skeleton/letter.txt").write_text("Hey ${{ values.name }}{% if not values.polite %}{% endif %}\n")
    assert run(["template", "test", "--case", "polite", "--output", "json"]) == 2
    (result,) = json.loads(capsys.readouterr().out)
    failures = result["cases"][0]["failures"]
    assert "letter.txt: contains 'Hey'" in failures
    assert [line for line in failures if line.startswith(("-D", "+H"))] == ["-Dear Ada", "+Hey Ada"]


def test_the_golden_paths_that_ship_pass_their_own_tests(capsys: pytest.CaptureFixture[str]) -> None:
    library = Path(taxiway.__file__).parent / "library" / "golden-paths"
    assert run(["template", "test", str(library)]) == 0
    assert "python-service" in capsys.readouterr().out


def test_a_case_file_with_an_unknown_key_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "template.test.yaml").write_text("cases: [{name: x, expects: {}}]")
    assert run(["template", "test"]) == 2
    assert "template.test.yaml is not usable: /cases/0" in capsys.readouterr().err


def test_files_outside_of_the_checkout_are_not_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".git").mkdir()
    outside = folder.with_name(f"{folder.name}-outside")
    outside.mkdir()
    (outside / "secret.txt").write_text("${{ values.planted }}")
    template = folder / "template.yaml"
    template.write_text(template.read_text().replace("url: ./skeleton", f"url: ../{outside.name}"))
    assert run(["template", "lint"]) == 2
    told = capsys.readouterr().out
    assert f"the checkout around the template has no folder '../{outside.name}'" in told
    assert "planted" not in told


def test_cases_whose_golden_files_would_be_in_one_folder_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "template.test.yaml").write_text("cases: [{name: a b, golden: true}, {name: a-b, golden: true}]")
    assert run(["template", "test", "--update"]) == 2
    assert "two cases are named 'a-b', or their golden files" in capsys.readouterr().err


def test_preview_writes_what_a_template_makes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    assert run(["template", "preview", "--name", "Bob", "--polite", "no", "--into", str(out)]) == 0
    assert "+ fetch (fetch:template)" in capsys.readouterr().out
    assert (out / "letter.txt").read_text() == "Hey Bob\n"
    assert run(["template", "preview", "--name", "Bob", "--into", str(out)]) == 2


def test_lint_names_file_line_and_remedy_and_writes_sarif(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = yaml.safe_load(TEMPLATE)
    document["spec"]["steps"][1]["if"] = "${{ parameters.tone === 'hot' }}"
    document["spec"]["steps"][1]["input"]["message"] = "${{ parameters.nmae }}"
    (folder / "template.yaml").write_text(yaml.safe_dump(document))
    (folder / "skeleton/letter.txt").write_text(
        "${{ values.nam | shout }}{% if values.polite == 'yes' %}x{% endif %}\n"
    )
    assert run(["template", "lint", "--output", "sarif"]) == 2
    (log,) = json.loads(capsys.readouterr().out)["runs"]
    assert {item["ruleId"] for item in log["results"]} == {
        "dead-branch", "unknown-parameter", "unknown-value", "unknown-filter", "unused-value",
    }  # fmt: skip
    places = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in log["results"]}
    assert places == {"template.yaml", "skeleton/letter.txt"}
