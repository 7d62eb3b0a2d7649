"""The versions of a golden path that can be rendered here: the newest, those of other services, and those in git."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.core.context import OpContext
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.model import Version
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.snapshot import snapshot
from taxiway.features.scaffolder.upgrades import aim_of
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import Forge

MOST = 20
COMMITS = 100


def versions_of(ctx: OpContext, scaffolder: Scaffolder, ref: str) -> list[Version]:
    """At most `MOST`, each once, the newest first."""
    found: dict[str, Version] = {}
    for version in _all(ctx, scaffolder, ref):
        found.setdefault(version.name, version)
        if len(found) == MOST:
            break
    return list(found.values())


def _all(ctx: OpContext, scaffolder: Scaffolder, ref: str) -> Iterator[Version]:
    aim = aim_of(scaffolder, ref)
    yield Version(aim.template.document, aim.pinned, {})
    with ctx.platform.store.read() as conn:
        yield from repository.versions_of(conn, ref, MOST)
    if aim.template.location.startswith("git:"):
        yield from _in_git(ctx, ref, aim.template.location)


def _in_git(ctx: OpContext, ref: str, location: str) -> Iterator[Version]:
    """The commits of the template's own repository at which it was another one."""
    name, _, path = location.removeprefix("git:").partition("//")
    forge = ctx.platform.registry.get("forge", "git_local", Forge)
    there = forge.get_repository(name)
    for commit in forge.log(name, there.default_branch, COMMITS) if there else ():
        content = forge.read_file(name, commit["sha"], path)
        try:
            documents = [document.value for document in load_all(content)] if content else []
            for document in documents:
                if _is_it(document, ref):
                    yield Version(document, snapshot(ctx.platform, location, document, commit["sha"]), {})
        except (YamlError, TaxiwayError):
            continue  # It was no template at that commit.


def _is_it(document: object, ref: str) -> bool:
    if not isinstance(document, dict) or document.get("kind") != "Template":
        return False
    metadata = document.get("metadata")
    return isinstance(metadata, dict) and str(metadata.get("name", "")).lower() == ref.rpartition("/")[2]
