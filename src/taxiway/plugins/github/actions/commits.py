"""Trees and commits through GitHub's API."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from taxiway.model.workload import FileChange
from taxiway.plugin.forging.publishing import AUTHOR
from taxiway.plugin.git_objects import EXECUTABLE, FILE
from taxiway.plugins.github.actions.base import Repo, quoted

MOST_ENTRIES, MOST_CHARACTERS = 500, 3_000_000
"""What goes into one request for a tree; a larger one is made in steps, each on top of the last."""


def changed_tree(repo: Repo, home: Repo, base: str, changes: Mapping[str, FileChange]) -> tuple[str, bool]:
    """(tree, whether it differs) of `changes` on top of the commit `base` of `repo`, made in `home`.

    Only what differs is sent: texts within the request, anything else as a blob of its own.
    """
    tree = str(repo.read(f"git/commits/{base}")["tree"]["sha"])
    listed = repo.read(f"git/trees/{tree}?recursive=1")
    there = {one["path"]: (one["mode"], one["sha"]) for one in listed["tree"] if one["type"] == "blob"}
    is_whole = not listed["truncated"]
    made = tree
    for entries in _batches(_entries(repo, home, base, changes, there, is_whole)):
        made = str(home.send("POST", "git/trees", {"base_tree": made, "tree": entries}, idempotent=True)["sha"])
    return made, made != tree


def make_commit(home: Repo, tree: str, parent: str, message: str, author: tuple[str | None, str | None] | None) -> str:
    """A commit that no branch has. Without an author GitHub names whose credential it is, and signs an App's."""
    body: dict[str, Any] = {"message": message, "tree": tree, "parents": [parent]}
    if author is not None:
        body["author"] = {"name": author[0] or AUTHOR[0], "email": author[1] or AUTHOR[1]}
    return str(home.send("POST", "git/commits", body, idempotent=True)["sha"])


def _entries(
    repo: Repo,
    home: Repo,
    base: str,
    changes: Mapping[str, FileChange],
    there: Mapping[str, tuple[str, str]],
    is_whole: bool,
) -> Iterator[dict[str, Any]]:
    for path, change in changes.items():
        if change.content is None:
            if path in there or (not is_whole and _is_there(repo, base, path)):
                yield {"path": path, "mode": f"{FILE:o}", "type": "blob", "sha": None}
            continue
        mode = f"{EXECUTABLE if change.executable else FILE:o}"
        entry = {"path": path, "mode": mode, "type": "blob"}
        if there.get(path) == (mode, _blob_id(change.content)):
            continue
        try:
            yield {**entry, "content": change.content.decode()}
        except UnicodeDecodeError:
            blob = {"content": base64.b64encode(change.content).decode(), "encoding": "base64"}
            yield {**entry, "sha": home.send("POST", "git/blobs", blob, idempotent=True)["sha"]}


def _is_there(repo: Repo, base: str, path: str) -> bool:
    name = "/".join(quoted(part) for part in path.split("/"))
    return repo.find(f"contents/{name}?ref={base}") is not None


def _batches(entries: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += len(entry.get("content", "")) + len(entry["path"])
        if len(batch) >= MOST_ENTRIES or size >= MOST_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
