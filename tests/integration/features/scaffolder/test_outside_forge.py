"""A golden path whose repository is on a real Gitea: made, filled, registered in the catalog, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from factories.engines import Gitea
from factories.served import Served, served
from taxiway.core.operations import Feature
from taxiway.model.run import Run
from taxiway.worker.main import Worker

TASKS = "/api/scaffolder/v2/tasks"
SKELETON = (
    "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: '${{ values.name }}'}\n"
    "spec: {type: service, lifecycle: production, owner: makers}\n"
)


@pytest.fixture
def server(forge: Gitea, tmp_path: Path, features: list[Feature], monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("GITEA_TOKEN", forge.token)
    host = {"host": forge.url.partition("://")[2], "scheme": "http", "token": "env:GITEA_TOKEN"}
    plugins = [
        EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins")
        for name in ("git_local", "secrets_local", "gitea")
    ]
    catalog = {"file_roots": [str(tmp_path / "templates")]}
    settings = {"gitea": {"hosts": [host]}}
    with served(
        tmp_path / "data", features=features, plugins=plugins, plugin_settings=settings, catalog=catalog
    ) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield running
        running.platform.stopping.set()
        worker.stop()


def test_a_golden_path_makes_a_repository_on_gitea_and_undo_takes_it_back(
    server: Served, forge: Gitea, add_template: Callable[..., str], finished: Callable[[str], Run]
) -> None:
    url = f"{forge.url.partition('://')[2]}?repo=${{{{ parameters.name }}}}"
    values = {"name": "${{ parameters.name }}"}
    file = f"{forge.url}/ada/${{{{ parameters.name }}}}/src/branch/main/catalog-info.yaml"
    contents = {"repoContentsUrl": "${{ steps.publish.output.repoContentsUrl }}"}
    spec: dict[str, Any] = {
        "parameters": {"title": "What", "properties": {"name": {"type": "string"}}},
        "steps": [
            {"id": "fetch", "action": "fetch:template", "input": {"url": "./skeleton", "values": values}},
            {"id": "publish", "action": "publish:gitea", "input": {"repoUrl": url, "description": "A shop"}},
            {"id": "register", "action": "catalog:register", "input": contents},
            {"id": "again", "action": "fetch:plain:file", "input": {"url": file, "targetPath": "again.yaml"}},
            {"id": "read", "action": "roadiehq:utils:fs:parse", "input": {"path": "again.yaml", "parser": "yaml"}},
        ],
        "output": {
            "entityRef": "${{ steps.register.output.entityRef }}",
            "name": "${{ steps.read.output.content.metadata.name }}",
        },
    }
    ref = add_template(spec, {"skeleton/catalog-info.yaml": SKELETON})
    with server.client(server.token("admin", "user:default/dev")) as client, forge.client() as api:
        hosts = client.get("/api/scaffolder/v1/forges").json()["items"]
        assert hosts == [{"host": forge.url.partition("://")[2], "forge": "gitea", "parts": ["owner", "repo"]}]
        made = client.post(TASKS, json={"templateRef": ref, "values": {"name": "outside-shop"}})
        assert made.status_code == 201, made.text
        run = finished(made.json()["id"])
        assert run.state == "succeeded", run.error
        assert run.output == {"entityRef": "component:default/outside-shop", "name": "outside-shop"}
        assert api.get("/repos/ada/outside-shop").json()["empty"] is False
        found = client.get("/api/catalog/entities/by-name/component/default/outside-shop")
        assert found.json()["metadata"]["name"] == "outside-shop"
        assert client.post(f"/api/runs/v1/runs/{run.id}/undo").status_code == 202
        assert finished(run.id).state == "undone"
        assert api.get("/repos/ada/outside-shop").status_code == 404
        assert client.get(str(found.url)).status_code == 404
