"""Where each value of an entity comes from: by API and by command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.overlays import V1, get, push, said, titleless
from factories.served import Served
from taxiway.cli.main import run


def _fields(client: httpx.Client, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    answer = client.get(f"{V1}/provenance/component/default/{name}")
    assert answer.status_code == 200, answer.text
    return {item["pointer"]: item for item in answer.json()["fields"]}, answer.json()


def test_every_value_tells_its_source_file_line_and_since_when(
    server: Served, admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register(
        "eleven", "# first\n---\n" + component("eleven", extra='  dependsOn: ["component:zeta", "component:alpha"]\n')
    )
    text = file.read_text().splitlines()
    push(admin, "scan", said("other"), said("eleven", title="Scan", tags=["pci"]))
    read(said("eleven", title="CMDB", spec={"lifecycle": "deprecated"}))
    fields, told = _fields(admin, "eleven")
    sources = {source["id"]: source for source in told["sources"]}
    assert [source["id"] for source in told["sources"]][:2] == ["source:cmdb", "push:scan"]
    [owner] = [source for source in told["sources"] if source["role"] == "owner"]
    assert (owner["name"], owner["location"], owner["line"], owner["lines"]) == (*[f"file:{file}"] * 2, 3, "read")
    for pointer, key in (("/spec/type", "type:"), ("/metadata/description", "description:"), ("/spec/owner", "owner:")):
        assert (fields[pointer]["source_id"], text[fields[pointer]["line"] - 1].split()[0]) == (owner["id"], key)
    assert text[fields["/spec/dependsOn/0"]["line"] - 1].strip() == 'dependsOn: ["component:zeta", "component:alpha"]'
    assert fields["/metadata/namespace"]["source_id"] is None, "the file does not say it"
    title = fields["/metadata/title"]
    assert (title["value"], title["source_id"], title["over"]) == (
        *("CMDB", "source:cmdb"),
        [{"source_id": "push:scan", "value": "Scan"}],
    )
    assert fields["/spec/lifecycle"]["over"] == [{"source_id": owner["id"], "value": "production"}]
    assert (fields["/metadata/tags/1"]["source_id"], fields["/metadata/tags/1"]["line"]) == ("push:scan", 2)
    assert (sources["push:scan"]["lines"], sources["source:cmdb"]["lines"]) == ("document", "unknown")
    assert "url_hosts" in sources["source:cmdb"]["lines_detail"]
    history = admin.get(f"{V1}/history/component/default/eleven").json()["items"]
    assert (title["since_at"], fields["/spec/type"]["since_at"]) == (history[0]["at"], history[-1]["at"])
    assert not any(field["at_least"] for field in fields.values())
    read()
    push(admin, "scan", complete=True)


def test_a_file_that_says_something_else_by_now_gives_no_wrong_line(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    file = register("twelve", component("twelve"))
    file.write_text("# later\n" + component("twelve", kind="website"))
    fields, _ = _fields(admin, "twelve")
    assert (fields["/spec/type"]["line"], fields["/metadata/name"]["line"]) == (None, 5)
    file.unlink()
    fields, told = _fields(admin, "twelve")
    assert (fields["/metadata/name"]["line"], told["sources"][0]["lines"]) == (None, "unknown")
    assert "cannot be read" in told["sources"][0]["lines_detail"]


def test_a_computed_property_tells_its_rule(admin: httpx.Client, register: Callable[[str, str], Path]) -> None:
    rule = {"name": "tier", "cel": "entity.spec.type + '!'"}
    extension = {
        "apiVersion": "taxiway.dev/v1",
        **said("x", kind="KindExtension", spec={"kind": "Component", "properties": [rule]}),
    }
    push(admin, "kinds", extension)
    register("thirteen", component("thirteen"))
    found = _fields(admin, "thirteen")[0]["/properties/tier"]
    assert found["rule"] == "entity.spec.type + '!'"
    push(admin, "kinds", complete=True)


def test_files_are_applied_to_an_overlay_by_command(
    server: Served,
    admin: httpx.Client,
    register: Callable[[str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", server.token())
    register("fourteen", component("fourteen"))
    file = tmp_path / "overrides.yaml"
    file.write_text("kind: Component\nmetadata: {name: fourteen, title: By hand}\n")
    assert run(["catalog", "apply", str(file), "--source", "scan", "--dry-run"]) == 0
    assert titleless(admin, "fourteen")
    assert run(["catalog", "apply", str(file), "--source", "scan"]) == 0
    assert get(admin, "fourteen")["metadata"]["title"] == "By hand"
    capsys.readouterr()
    assert run(["catalog", "provenance", "fourteen"]) == 0
    [title] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("metadata.title")]
    assert title.split()[1:5] == ["By", "hand", "push:scan", "push:scan:1"]
    assert run(["catalog", "overlays", "--ref", "fourteen"]) == 0
    assert "applied" in capsys.readouterr().out
    push(admin, "scan", complete=True)
