"""The hosts on which golden paths may make repositories, and what a form asks for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from taxiway.core.registry import Registry
from taxiway.plugin import UrlReader

USUAL_PARTS = ("owner", "repo")


@dataclass(frozen=True)
class ForgeHost:
    """A host in the settings of a forge's plugin. `parts` are those of a `repoUrl` there."""

    host: str
    forge: str
    parts: Sequence[str]


def forge_hosts(registry: Registry) -> list[ForgeHost]:
    """Every host of every forge, by name."""
    found = []
    for reader in registry.all("url_reader", UrlReader):
        parts_of = getattr(reader, "repo_url_parts", None)
        found += [ForgeHost(host, reader.key, parts_of(host) if parts_of else USUAL_PARTS) for host in reader.hosts]
    return sorted(found, key=lambda one: one.host)
