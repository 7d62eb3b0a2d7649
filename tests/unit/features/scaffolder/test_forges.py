"""Which hosts golden paths may make repositories on, and what a form asks for each."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from taxiway.core.registry import Registry
from taxiway.features.scaffolder.forges import forge_hosts
from taxiway.plugin.testing.host import memory_host

TOKEN = {"token": "env:NOT_SET"}
HOSTS: dict[str, list[dict[str, Any]]] = {
    "azure": [TOKEN],
    "bitbucket": [TOKEN, {**TOKEN, "host": "own.example.com"}],
    "gitlab": [{**TOKEN, "host": "git.example.com"}],
}


def test_each_host_has_the_parts_that_its_forge_names_a_repository_by(tmp_path: Path) -> None:
    registry = Registry()
    for name, hosts in HOSTS.items():
        plugin = import_module(f"taxiway.plugins.{name}").PLUGIN
        context = memory_host(tmp_path, name, plugin.settings.model_validate({"hosts": hosts})).context
        for point, value in plugin.contribute(context):
            if point == "url_reader":
                registry.add(point, value, name)
    assert [(one.host, one.forge, list(one.parts)) for one in forge_hosts(registry)] == [
        ("bitbucket.org", "bitbucket", ["workspace", "project", "repo"]),
        ("dev.azure.com", "azure", ["organization", "project", "repo"]),
        ("git.example.com", "gitlab", ["owner", "repo"]),
        ("own.example.com", "bitbucket", ["project", "repo"]),
    ]
