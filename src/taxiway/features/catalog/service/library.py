"""Takes in the data that ships with Taxiway, at start: golden paths, environments, recipes, the demo organisation.

The files' digest is compared first, so that a start with nothing new reads no YAML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import ApplyResult
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.service.apply import apply_entities, prune_source
from taxiway.features.catalog.sources.items import Item
from taxiway.features.catalog.sources.read import read_target
from taxiway.features.catalog.sources.targets import Target, library_root, open_target
from taxiway.features.catalog.sources.trees import FileTree

PARTS: Mapping[str, Sequence[str]] = {
    "library": ("golden-paths/*/template.yaml", "environments/*.yaml", "recipes/*.yaml"),
    "demo": ("demo/catalog-info.yaml",),
}
WATCHED = {"library": PARTS["library"], "demo": ("demo/*.yaml",)}


def load_library(platform: Platform) -> dict[str, ApplyResult]:
    """Make the catalog hold what ships, by source; an empty answer when nothing changed. Called at every start."""
    ctx = platform.system("library")
    results: dict[str, ApplyResult] = {}
    for source, patterns in PARTS.items():
        root = library_root()
        wanted = "" if source == "demo" and not platform.settings.demo else _digest(root, WATCHED[source])
        if _stored(platform, source) == wanted:
            continue
        items = _read(platform, root, patterns) if wanted else []
        results[source] = platform.store.write(partial(_apply, ctx=ctx, source=source, digest=wanted, items=items))
    return results


def _read(platform: Platform, root: Path, patterns: Sequence[str]) -> list[Item]:
    tree = FileTree(root)

    def opened(kind: str, target: str) -> Target:
        return open_target(platform, kind, target)

    return [item for pattern in patterns for item in read_target(Target(tree, pattern), opened)]


def _digest(root: Path, patterns: Sequence[str]) -> str:
    hasher = hashlib.sha256(str(root).encode())
    for pattern in patterns:
        for file in sorted(root.glob(pattern)):
            hasher.update(file.name.encode() + b"\0" + file.read_bytes())
    return hasher.hexdigest()


def _stored(platform: Platform, source: str) -> str:
    with platform.store.read() as conn:
        return rows.shipped_digest(conn, source)


def _apply(tx: Tx, *, ctx: OpContext, source: str, digest: str, items: Sequence[Item]) -> ApplyResult:
    rows.set_shipped_digest(tx.conn, source, digest)
    if not digest:
        return ApplyResult(deleted=prune_source(tx, ctx, source))
    return apply_entities(tx, ctx, items, source, full=True)
