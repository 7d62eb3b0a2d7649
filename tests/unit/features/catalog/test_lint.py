"""`taxiway catalog lint`: the server's judge on files, its three outputs and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from factories.catalog import ORGANISATION, component
from taxiway.cli.main import run

BROKEN = component("carts").replace("type: service", "type: 3")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "services").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_good_files_pass(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    api = "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: a}\n"
    api += "spec: {type: openapi, lifecycle: production, owner: x, definition: {$text: ../openapi.json}}\n"
    (checkout / "openapi.json").write_text("{}")
    (checkout / "services" / "catalog-info.yaml").write_text(component("orders") + "---\n" + api)
    assert run(["catalog", "lint"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "2 documents in 1 files: 0 errors, 0 warnings, 0 notes\n")


def test_faults_are_told_with_file_line_and_remedy(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "catalog-info.yaml").write_text(component("orders") + "---\n" + BROKEN)
    (checkout / "services" / "catalog-info.yml").write_text("\n" + component("orders") + "---\nkind: [\n")
    assert run(["catalog", "lint", "."]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("catalog-info.yaml:19: error [invalid] /spec/type: 3 is not of type")
    assert lines[0].endswith("Correct it here.")
    assert lines[1].startswith(
        "services/catalog-info.yml:2: error [duplicate] component:default/orders is described twice"
    )
    assert "services/catalog-info.yml:14: error [unreadable] not valid YAML" in lines[2]


def test_locations_are_followed_within_the_checkout_only(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = "['./services/*.yaml', 'https://example.com/x.yaml', './missing.yaml', '/etc/passwd']"
    root = (
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\n" + f"spec: {{targets: {targets}}}\n"
    )
    (checkout / "root.yaml").write_text(root)
    (checkout / "services" / "a.yaml").write_text(BROKEN)
    assert run(["catalog", "lint", "root.yaml"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert sum("error [invalid] /spec/type" in line for line in lines) == 1
    assert sum("note [elsewhere]" in line for line in lines) == 2
    assert sum("error [unreadable]" in line and "missing.yaml" in line for line in lines) == 1


def test_kinds_that_need_trust_are_warnings(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "org.yaml").write_text(ORGANISATION)
    assert run(["catalog", "lint", "org.yaml"]) == 0
    assert run(["catalog", "lint", "org.yaml", "--strict"]) == 2
    assert capsys.readouterr().out.count("warning [untrusted]") == 6


def test_sarif_and_json_are_for_programs(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (checkout / "catalog-info.yaml").write_text(BROKEN)
    assert run(["catalog", "lint", "--output", "sarif"]) == 2
    log = json.loads(capsys.readouterr().out)
    (result,) = log["runs"][0]["results"]
    assert (log["version"], result["ruleId"], result["level"]) == ("2.1.0", "invalid", "error")
    place = result["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "catalog-info.yaml"}, "region": {"startLine": 8}}
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == "invalid"
    assert run(["catalog", "lint", "--output", "json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["documents"], found["files"], found["findings"][0]["line"]) == (1, 1, 8)


def test_nothing_to_judge_is_an_error(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalog", "lint", "services"]) == 5
    assert "catalog-info.yaml" in capsys.readouterr().err
    assert run(["catalog", "lint", "nowhere"]) == 5
    (checkout / "node_modules").mkdir()
    (checkout / "node_modules" / "catalog-info.yaml").write_text("[")
    assert run(["catalog", "lint"]) == 5
