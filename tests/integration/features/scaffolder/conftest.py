"""A served scaffolder with the real forge, secrets and worker, and templates on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from factories.served import Served, served
from taxiway.core.operations import Feature
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.model.run import ENDED, Run
from taxiway.plugin import SourcedEntity
from taxiway.worker.main import Worker

GROUP = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Group",
    "metadata": {"name": "makers"},
    "spec": {"type": "team", "children": []},
}
USER = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "User",
    "metadata": {"name": "dev"},
    "spec": {"memberOf": ["makers"]},
}
FORM = {
    "title": "What",
    "required": ["name", "owner"],
    "properties": {"name": {"type": "string", "pattern": "^[a-z-]+$"}, "owner": {"type": "string"}},
}
PUBLISH = {
    "parameters": FORM,
    "steps": [
        {
            "id": "fetch",
            "action": "fetch:template",
            "input": {"url": "./skeleton", "values": {"name": "${{ parameters.name }}"}},
        },
        {"id": "publish", "action": "publish:git", "input": {"name": "${{ parameters.name }}"}},
    ],
    "output": {"links": [{"title": "Repository", "url": "${{ steps.publish.output.remoteUrl }}"}]},
}
FILES = {
    "skeleton/${{ values.name }}.txt": "hello ${{ values.name }}\n",
    "skeleton/catalog-info.yaml": (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: '${{ values.name }}'}\n"
        "spec: {type: service, lifecycle: production, owner: makers}\n"
    ),
}
AddTemplate = Callable[..., str]


@pytest.fixture
def entry_points() -> list[Any]:
    from importlib.metadata import EntryPoint

    return [
        EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins") for name in ("git_local", "secrets_local")
    ]


@pytest.fixture
def features() -> list[Feature]:
    return [ACCESS, CATALOG, SCAFFOLDER]


@pytest.fixture
def server(tmp_path: Path, entry_points: list[Any], features: list[Feature]) -> Iterator[Served]:
    catalog = {"file_roots": [str(tmp_path / "templates")]}
    with served(tmp_path / "data", features=features, plugins=entry_points, catalog=catalog) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield running
        running.platform.stopping.set()
        worker.stop()


@pytest.fixture
def add_template(server: Served, tmp_path: Path) -> AddTemplate:
    """Writes a template and its files, puts it and two owners into the catalog, and returns its reference."""

    def add(spec: dict[str, Any], files: dict[str, str] | None = None, name: str = "path") -> str:
        root = tmp_path / "templates" / name
        for path, text in (files or {}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        document = {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "kind": "Template",
            "metadata": {"name": name},
            "spec": {"type": "service", "owner": "makers", **spec},
        }
        root.mkdir(parents=True, exist_ok=True)
        (root / "template.yaml").write_text(yaml.safe_dump(document))
        items = [SourcedEntity(entity, f"file:{root}/template.yaml") for entity in (document, GROUP, USER)]
        ctx = server.platform.system("test")
        server.platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, items, f"test-{name}", full=True))
        return f"template:default/{name}"

    return add


@pytest.fixture
def finished(server: Served) -> Callable[[str], Run]:
    """Waits until a run ends or needs a person, and returns it."""

    def wait(run_id: str) -> Run:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            run = server.platform.runs.get(run_id)
            if run.state in (*ENDED, "needs_attention"):
                return run
            time.sleep(0.02)
        raise AssertionError(f"the run is still {run.state}")

    return wait
