"""A served catalog with the real forge on disk, and documents for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.host import Host
from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.docs.contrib import FEATURE as DOCS
from taxiway.features.search.contrib import FEATURE as SEARCH
from taxiway.model.workload import FileChange
from taxiway.plugins.git_local.forge import LocalForge

Publish = Callable[..., str]


@pytest.fixture
def forge(tmp_path: Path) -> LocalForge:
    return LocalForge(Host(tmp_path / "forge").context, 100_000_000)


@contextmanager
def served_catalog(tmp_path: Path, forge: LocalForge, orphan_days: int = 7, **settings: Any) -> Iterator[Served]:
    """A served catalog that may read files below `tmp_path / "files"` and the repositories of `forge`."""
    roots = tmp_path / "files"
    roots.mkdir()
    catalog = {"file_roots": [str(roots)], "orphan_days": orphan_days}
    with served(tmp_path / "data", features=[ACCESS, CATALOG, DOCS, SEARCH], catalog=catalog, **settings) as running:
        running.platform.registry.add("forge", forge, "test")
        yield running


@pytest.fixture
def server(tmp_path: Path, forge: LocalForge) -> Iterator[Served]:
    with served_catalog(tmp_path, forge) as running:
        yield running


@pytest.fixture
def admin(server: Served) -> Iterator[httpx.Client]:
    with server.client(server.token()) as client:
        yield client


@pytest.fixture
def publish(forge: LocalForge) -> Publish:
    """Commits files to a repository, which is made when missing, and returns the commit."""

    def run(name: str, files: dict[str, str | bytes | None], owner: str | None = "group:default/checkout") -> str:
        forge.create_repository(name, description="", owner=owner, default_branch="main", request_key=name)
        changes: dict[str, Any] = {}
        for path, text in files.items():
            content = text.encode() if isinstance(text, str) else text
            changes[path] = FileChange(content)
        return forge.commit(name, "main", changes, message="m", author="user:default/t")

    return run


def component(name: str, owner: str = "checkout", extra: str = "", kind: str = "service") -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {name}
  description: The {name} of the shop
  tags: [python]
spec:
  type: {kind}
  lifecycle: production
  owner: {owner}
{extra}"""


ORGANISATION = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: acme}
spec: {type: organization, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: checkout}
spec: {type: team, parent: acme, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: bea}
spec: {memberOf: [checkout]}
"""
