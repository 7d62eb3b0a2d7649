"""Mistakes planted into a template of the wild: `taxiway template test` names each; the template itself is clean."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.api.platform import build_platform, close_platform
from taxiway.cli.main import run
from taxiway.core.context import Platform
from taxiway.core.settings import load_settings
from taxiway.features.scaffolder.authoring.suite import run_suite, subjects_at
from taxiway.features.scaffolder.authoring.trying import add_actions

CASE = Path(__file__).parents[3] / "shared/oracles/backstage-templates/cases/redhat-developer--templates-github-tekton"
pytestmark = pytest.mark.skipif(not CASE.is_dir(), reason=f"no oracle data at {CASE}")
TEXT = {"type": "string"}
ACTIONS = [
    {"id": "roadiehq:utils:merge", "schema": {"input": {"type": "object"}, "output": {"type": "object"}}},
    {
        "id": "publish:github:pull-request",
        "schema": {
            "input": {
                "type": "object",
                "required": ["repoUrl", "branchName", "title", "description"],
                "properties": {
                    **dict.fromkeys(["repoUrl", "branchName", "title", "description", "sourcePath"], TEXT),
                    "draft": {"type": "boolean"},
                },
            },
            "output": {"type": "object", "properties": {"remoteUrl": TEXT, "targetBranchName": TEXT}},
        },
    },
]
END = "description: This PR was created by a Backstage scaffolder task to add Tekton to the project."
PLANTED = {
    "a misspelt parameter": ("${{ parameters.prBranch }}", "${{ parameters.prBrnach }}", "unknown-parameter"),
    "a missing action": ("action: fetch:template", "action: fetch:tempalte", "unknown-action"),
    "a wrong output name": (
        END,
        f"{END}\n\n  output:\n    links:\n      - url: ${{{{ steps.publishPR.output.remoteURL }}}}",
        "unknown-output",
    ),
    "a step that never runs": (
        "      action: publish:github:pull-request",
        "      if: ${{ parameters.imageRepository === 'docker.io' }}\n      action: publish:github:pull-request",
        "dead-branch",
    ),
    "an id that repeats": ("id: ciTemplate", "id: merge", "repeated-step"),
    "an unknown filter": ("${{ parameters.imageUrl }}", "${{ parameters.imageUrl | lowercase }}", "unknown-filter"),
    "a syntax error": ("${{ parameters.imageUrl }}", "${{ parameters.imageUrl || '' }}", "template-syntax"),
    "an answer that nothing uses": (
        "        namespace:\n          title: Namespace",
        "        replicas: {type: number}\n        namespace:\n          title: Namespace",
        "unused-parameter",
    ),
    "an input of the wrong type": (END, f"{END}\n        draft: maybe", "invalid-input"),
    "a missing folder": ("skeletons/tekton/", "skeletons/tekton-ci/", "missing-files"),
    "a type that there is not": (
        "title: Port\n          type: number",
        "title: Port\n          type: integr",
        "schema",
    ),
    "a required answer that is not asked for": ("        - imageUrl\n", "        - imageURL\n", "schema"),
    "a default that is no answer": ("default: quay.io", "default: quay.com", "schema"),
    "a step that has not run": (
        "path: ${{ parameters.catalogInfoPath }}",
        "path: ${{ parameters.catalogInfoPath }}${{ steps.publishPR.output.remoteUrl }}",
        "unknown-step",
    ),
    "a misspelt value": ("          imageBuilder: ${{", "          imageBulder: ${{", "unknown-value"),
}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    built = build_platform(load_settings({}, {"data": tmp_path_factory.mktemp("data")}), with_plugins=False)
    add_actions(built, ACTIONS)
    yield built
    built.services["scaffolder"].renderer.close()
    close_platform(built)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    shutil.copytree(CASE / "skeleton", root)
    (root / ".git").mkdir()
    file = root / "templates/github/tekton/template.yaml"
    file.parent.mkdir(parents=True)
    shutil.copy(CASE / "template.yaml", file)
    return file


def found(platform: Platform, template: Path) -> set[tuple[str, str]]:
    (subject,), problems = subjects_at(platform, template)
    return {(one.code, one.level) for one in run_suite(platform, subject, problems).findings}


def test_the_template_itself_has_no_mistake(platform: Platform, template: Path) -> None:
    assert {level for _, level in found(platform, template)} <= {"note"}


@pytest.mark.parametrize("mistake", PLANTED)
def test_each_planted_mistake_is_found(platform: Platform, template: Path, mistake: str) -> None:
    before, after, code = PLANTED[mistake]
    text = template.read_text()
    assert before in text
    template.write_text(text.replace(before, after, 1))
    assert code in {name for name, _ in found(platform, template)}


def test_the_command_fails_and_says_where(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions = template.parents[3] / "actions.json"
    actions.write_text(json.dumps(ACTIONS))
    template.write_text(template.read_text().replace("parameters.prBranch", "parameters.prBrnach"))
    assert run(["template", "test", str(template), "--actions", str(actions)]) == 2
    told = capsys.readouterr().out
    assert "template.yaml:110: error [unknown-parameter] no page asks for 'prBrnach'. Did you mean 'prBranch'?" in told
