"""The objects that the destination was given, one file each: DIR/<environment>/<digest of the key>.json.

The only memory of what should run. Written by `apply` and `prune`, read by every process that keeps workloads. It holds
manifests, which name secrets by reference only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError
from taxiway.model.workload import ObjectKey, object_key
from taxiway.plugins.process import files

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
Json = Mapping[str, Any]


def checked_name(name: str) -> str:
    """A name that may become part of a path. InputError otherwise."""
    if not LABEL.fullmatch(name):
        raise InputError(f"'{name}' is no name for a process workload: use small letters, digits and '-', 63 at most")
    return name


def put(folder: Path, environment: str, manifest: Json) -> None:
    """Keep the manifest; nothing is written when the same one is there."""
    path = _path(folder, environment, object_key(manifest))
    manifest = normal(manifest)
    if files.read_json(str(path)) == manifest:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    files.write_json(str(path), manifest)


def normal(manifest: Json) -> Json:
    """The manifest as it comes back from disk: YAML knows dates, JSON does not."""
    found: Json = json.loads(json.dumps(manifest, default=str))
    return found


def drop(folder: Path, environment: str, key: ObjectKey) -> None:
    """Forget it. Idempotent."""
    path = _path(folder, environment, key)
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def get(folder: Path, environment: str, key: ObjectKey) -> Json | None:
    """The manifest with this key, or None."""
    value = files.read_json(str(_path(folder, environment, key)))
    return value if isinstance(value, dict) else None


def objects(folder: Path, environment: str) -> Sequence[Json]:
    """All manifests of the environment, in a stable order."""
    found = (files.read_json(str(path)) for path in sorted((folder / environment).glob("*.json")))
    return [one for one in found if isinstance(one, dict)]


def environments(folder: Path) -> Sequence[str]:
    """The environments that have objects."""
    return sorted(path.name for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []


def _path(folder: Path, environment: str, key: ObjectKey) -> Path:
    text = json.dumps([key.api_version, key.kind, key.namespace, key.name])
    return folder / checked_name(environment) / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
