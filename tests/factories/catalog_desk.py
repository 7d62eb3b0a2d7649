"""A catalog over the built-in forge with pull requests, subscribers at work, and people who own repositories there."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from factories.served import served
from integration.features.pulls.conftest import Desk
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.docs.contrib import FEATURE as DOCS
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.worker.main import Worker

EDITS = "/api/catalog/v1/edits"
INFO = """# The shop
apiVersion: backstage.io/v1alpha1
kind: Component   # one of two
metadata:
  name: NAME
  description: 'Takes orders'
  tags: [java, "shop"]
spec:
  type:   service
  lifecycle: experimental # for now
  owner: group:default/shop
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: NAME-api}
spec:
  type: openapi
  lifecycle: production
  owner: group:default/guards
  definition:
    $text: ./openapi.yaml
"""


class CatalogDesk(Desk):
    """`ann` and `bob` are of group:default/shop, `guard` of group:default/guards, `boss` runs the platform."""

    def registered(self, text: str = INFO, **files: str) -> str:
        """A repository of the shop with a registered catalog-info.yaml; its name, which NAME in the text becomes."""
        name = self.make({"a": "1\n"})
        self.commit(
            name, "main", {"catalog-info.yaml": text.replace("NAME", name), "openapi.yaml": "openapi: 3.1.0\n", **files}
        )
        answer = self.boss.post("/api/catalog/locations", json={"type": "git", "target": f"{name}//catalog-info.yaml"})
        assert answer.status_code == 201, answer.text
        return name

    def text(self, name: str, branch: str = "main", path: str = "catalog-info.yaml") -> str:
        content = self.forge.read_file(name, f"refs/heads/{branch}", path)
        return "" if content is None else str(content.decode())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogDesk]:
    plugins = [EntryPoint("git_local", "taxiway.plugins.git_local:PLUGIN", "taxiway.plugins")]
    features = [ACCESS, PULLS, CATALOG, DOCS]
    with served(tmp_path_factory.mktemp("data"), features=features, plugins=plugins) as running:
        worker = Worker(running.platform, [])
        worker.start()
        yield CatalogDesk(running)
        running.platform.stopping.set()
        worker.stop()
