"""What authors ask of the server while they write: dry runs of what is sent, and what the lint says of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from factories.scaffolding import Desk, desk, entity

from .conftest import FILES, PUBLISH


@pytest.fixture(scope="module")
def at() -> Iterator[Desk]:
    with desk() as there:
        yield there


def test_a_dry_run_returns_files_and_never_leaves_the_workspace(at: Desk) -> None:
    template = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "t"},
        "spec": {"steps": [{"id": "f", "action": "fetch:template", "input": {"url": "./s", "values": {"n": "x"}}}]},
    }
    content = base64.b64encode(b"n=${{ values.n }}").decode()
    with at.client() as client:
        body = {"template": template, "directoryContents": [{"path": "s/a.txt", "base64Content": content}]}
        tried = client.post("/api/scaffolder/v2/dry-run", json=body)
        assert tried.status_code == 200, tried.text
        found = {f["path"]: base64.b64decode(f["base64Content"]) for f in tried.json()["directoryContents"]}
        assert found == {"a.txt": b"n=x"}
        body["directoryContents"] = [{"path": "../../escape", "base64Content": content}]
        assert client.post("/api/scaffolder/v2/dry-run", json=body).status_code == 400
        template["spec"]["steps"][0]["input"]["url"] = "../../../etc"
        for path, given in ((".", content), ("", content), ("a.txt", "é"), ("a.txt", "x")):
            body["directoryContents"] = [{"path": path, "base64Content": given}]
            assert client.post("/api/scaffolder/v2/dry-run", json=body).status_code in (400, 422), (path, given)
        body["directoryContents"] = []
        refused = client.post("/api/scaffolder/v2/dry-run", json=body)
        assert refused.status_code == 400
        assert "leaves the workspace" in refused.json()["error"]["message"]


def test_a_template_that_loops_or_expands_without_end_is_stopped(at: Desk) -> None:
    for source in ("{% for i in range(99999999) %}x{% endfor %}", "${{ 'x' | center(999999999) }}"):
        template = {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "kind": "Template",
            "metadata": {"name": "t"},
            "spec": {"steps": [{"id": "f", "action": "debug:log", "input": {"message": "a" + source}}]},
        }
        with at.client() as client:
            answer = client.post("/api/scaffolder/v2/dry-run", json={"template": template})
            assert answer.status_code in (400, 413), answer.text


def test_the_editor_opens_a_template_and_judges_what_is_sent_as_the_lint_does(at: Desk) -> None:
    written = yaml.safe_dump(entity("Template", "edited", {"type": "service", "owner": "makers", **PUBLISH}))
    at.template(PUBLISH, "edited", {**FILES, "logo.png": "\0png", "template.yaml": written})

    def sent(files: dict[str, str]) -> dict[str, Any]:
        listed = [{"path": p, "base64Content": base64.b64encode(t.encode()).decode()} for p, t in files.items()]
        return {"entry": "template.yaml", "files": listed}

    with at.client() as client, at.client("viewer", "user:default/eve") as viewer:
        place = "/api/scaffolder/v1/templates/default/edited/files"
        assert viewer.get(place).status_code == 403
        assert viewer.post("/api/scaffolder/v1/lint", json=sent({"template.yaml": ""})).status_code == 403
        opened = client.get(place).json()
        assert (opened["entry"], opened["is_editable"]) == ("template.yaml", False)
        assert opened["remedy"]
        texts = {file["path"]: file["text"] for file in opened["files"]}
        assert texts["logo.png"] is None
        files = {path: text for path, text in texts.items() if text is not None}
        good = client.post("/api/scaffolder/v1/lint", json=sent(files)).json()
        assert [one for one in good["findings"] if one["level"] == "error"] == []
        assert good["form"]["steps"][0]["schema"]["required"] == ["name", "owner"]
        assert good["template"]["spec"]["steps"][0]["id"] == "fetch"

        files["skeleton/a.txt"] = "line\n${{ values.nmae }}\n"
        files["template.yaml"] = files["template.yaml"].replace("./skeleton", "../../../../etc")
        found = client.post("/api/scaffolder/v1/lint", json=sent(files)).json()["findings"]
        assert [one["code"] for one in found if one["level"] == "error"] == ["missing-files"]
        assert "/tmp" not in str(found)
        files["template.yaml"] = texts["template.yaml"]
        found = client.post("/api/scaffolder/v1/lint", json=sent(files)).json()["findings"]
        wrong = next(one for one in found if one["code"] == "unknown-value")
        assert (wrong["path"], wrong["line"], wrong["remedy"]) == ("skeleton/a.txt", 2, "Did you mean 'name'?")

        for was, wrong_text in (("kind: Template", "kind: []"), ("./skeleton", "y" * 300), ("./skeleton", '"a\\0b"')):
            files["template.yaml"] = texts["template.yaml"].replace(was, wrong_text)
            odd = client.post("/api/scaffolder/v1/lint", json=sent(files))
            assert "error" in [one["level"] for one in odd.json()["findings"]]
        document = {**good["template"], "spec": {**good["template"]["spec"], "steps": True}}
        for template in (document, {**document, "spec": None}, {**document, "metadata": []}):
            tried = client.post("/api/scaffolder/v2/dry-run", json={"template": template})
            assert (tried.status_code, tried.json()["error"]["name"]) == (400, "InputError")

        files["template.yaml"] = "kind: Template\n  spec: ["
        broken = client.post("/api/scaffolder/v1/lint", json=sent(files)).json()
        assert (broken["form"], broken["findings"][0]["path"]) == (None, "template.yaml")
        assert broken["reason"]
        assert client.post("/api/scaffolder/v1/lint", json=sent({"x": ""})).status_code == 422
        for path in ("../x", ".git/config"):
            refused = client.post("/api/scaffolder/v1/lint", json=sent({"template.yaml": "", path: ""}))
            assert (refused.status_code, refused.json()["code"]) == (422, "scaffolder.bad_path")
