"""Renders the shipped golden path as `fetch:template` does, and commits it as the work tree that the engine gets."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import taxiway
from factories.host import step_context
from taxiway.features.scaffolder.actions.fetch import fetch_actions
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.plugin import Identity

SKELETON = Path(taxiway.__file__).parent / "library/golden-paths/python-service/skeleton"
VALUES = {
    "name": "order-history",
    "package": "order_history",
    "description": "Orders of the past",
    "owner": "group:default/payments",
    "ownerName": "payments",
    "system": "",
    "lifecycle": "experimental",
    "database": True,
}


def nowhere(*_: Any, **__: Any) -> Any:
    raise AssertionError("a skeleton beside the template comes from nowhere else")


def render(root: Path) -> Path:
    """The files of a new service, in `root`/workspace."""
    shutil.copytree(SKELETON, root / "template" / "skeleton")
    (root / "workspace").mkdir()
    renderer = Renderer(Identity(None, None))
    try:
        action = next(one for one in fetch_actions(lambda: renderer, nowhere) if one.key == "fetch:template")
        action.run(step_context(root / "workspace"), {"url": "./skeleton", "values": VALUES})
    finally:
        renderer.close()
    return root / "workspace"


def commit(folder: Path) -> str:
    """Commit everything in `folder` and return the SHA."""
    git = ["git", "-c", "user.name=Dev", "-c", "user.email=dev@acme.example", "-C", str(folder)]
    if not (folder / ".git").exists():
        subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for arguments in (["add", "-A"], ["commit", "-qm", "change"]):
        subprocess.run([*git, *arguments], check=True)
    return subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
