"""One served scaffolder for a whole file: templates and entities by the API's own ways, runs to their end."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx

from factories.served import Served, served
from taxiway.core.operations import Feature
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.model.run import ENDED, Run
from taxiway.plugin import SourcedEntity
from taxiway.worker.main import Worker

TASKS = "/api/scaffolder/v2/tasks"
FEATURES: Sequence[Feature] = (ACCESS, CATALOG, SCAFFOLDER)
DEV, PLUGINS = "user:default/dev", ("git_local", "secrets_local")


def entity(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A document; `apiVersion` is the one that its kind has."""
    versions = {"Template": "scaffolder.backstage.io/v1beta3", "Action": "taxiway.dev/v1"}
    version = versions.get(kind, "backstage.io/v1alpha1")
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, **metadata}, "spec": dict(spec)}


PEOPLE = (
    entity("Group", "makers", {"type": "team", "children": []}),
    entity("User", "dev", {"memberOf": ["makers"]}),
    entity("User", "max", {"memberOf": ["makers"]}),
)


@dataclass
class Desk:
    """The server, and the folder of its templates."""

    served: Served
    templates: Path

    def apply(self, *documents: Mapping[str, Any], source: str = "desk") -> list[str]:
        """Put entities into the catalog; what was refused, as text."""
        items = [SourcedEntity(document, f"file:{self.templates}/x/template.yaml") for document in documents]
        ctx = self.served.platform.system("test")
        store = self.served.platform.store
        done = store.write(lambda tx: catalog.apply_entities(tx, ctx, items, source, full=False))
        return [problem.detail for problem in done.problems]

    def client(self, role: str = "developer", subject: str = DEV) -> httpx.Client:
        return self.served.client(self.served.token(role, subject))

    def template(self, spec: Mapping[str, Any], name: str = "path", files: Mapping[str, str] = {}) -> str:
        """A template with its files; its reference."""
        root = self.templates / name
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        root.mkdir(exist_ok=True)
        document = entity("Template", name, {"type": "service", "owner": "makers", "output": {}, **spec})
        item = SourcedEntity(document, f"file:{root}/template.yaml")
        ctx = self.served.platform.system("test")
        store = self.served.platform.store
        store.write(lambda tx: catalog.apply_entities(tx, ctx, [item], f"template-{name}", full=True))
        return f"template:default/{name}"

    def post(self, template: str, role: str = "developer", subject: str = DEV, **body: Any) -> httpx.Response:
        with self.client(role, subject) as client:
            return client.post(TASKS, json={"templateRef": template, "values": {}, **body})

    def run(self, steps: Sequence[Mapping[str, Any]], role: str = "developer", **body: Any) -> Run:
        """The finished run of some steps."""
        made = self.post(self.template({"steps": list(steps)}), role, **body)
        assert made.status_code == 201, made.text
        return self.end(made.json()["id"])

    def end(self, run_id: str, *states: str) -> Run:
        """The run once it ended, needs a person, or is in one of `states`."""
        deadline = time.monotonic() + 20
        while (run := self.served.platform.runs.get(run_id)).state not in (*ENDED, "needs_attention", *states):
            assert time.monotonic() < deadline, f"the run is still {run.state}"
            time.sleep(0.01)
        return run

    def undo(self, run_id: str) -> Run:
        with self.client("platform") as client:
            asked = client.post(f"/api/runs/v1/runs/{run_id}/undo", json={})
            assert asked.status_code < 300, asked.text
        deadline = time.monotonic() + 20
        while (run := self.served.platform.runs.get(run_id)).state not in ("undone", "failed"):
            assert time.monotonic() < deadline, f"the run is still {run.state}"
            time.sleep(0.01)
        return run

    def log(self, run_id: str) -> str:
        return "\n".join(line.text for _, line in self.served.platform.runs.logs(run_id, step=None, after=0, limit=500))


@contextmanager
def desk(features: Sequence[Feature] = FEATURES, plugins: Sequence[str] = PLUGINS, **settings: Any) -> Iterator[Desk]:
    """Serve one, with a worker, in a folder that other users can pass through."""
    root = Path(tempfile.mkdtemp(prefix="taxiway-desk-"))
    root.chmod(0o711)
    (root / "templates").mkdir()
    points = [EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins") for name in plugins]
    roots = {"file_roots": [str(root / "templates")]}
    try:
        with served(root / "data", features=features, plugins=points, catalog=roots, **settings) as running:
            worker = Worker(running.platform, [])
            worker.start()
            there = Desk(running, root / "templates")
            there.apply(*PEOPLE, source="people")
            yield there
            running.platform.stopping.set()
            worker.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)
