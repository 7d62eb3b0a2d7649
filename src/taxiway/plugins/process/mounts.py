"""Volumes of a pod as real paths, and the resource driver for folders.

A process sees the file system of the machine, so nothing is mounted: whoever names a mount path in a variable or an
argument gets the real path (`pod`). Files of ConfigMaps are written to a folder named by their content, so a new
generation never changes what an older one reads.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from taxiway.model.errors import InputError, UnavailableError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import Identity, PluginContext, StepContext, canonical_json, daemons
from taxiway.plugins.process.bundle import Bundle

VOLUME = re.compile(r"vol-[0-9a-f]{24}")
MOST_FILES, MOST_FOLDERS, MOST_TOLD = 10_000, 10_000, 5
Json = Mapping[str, Any]


def volume_folder(root: Path, name: str, identity: Identity) -> Path:
    """A lasting folder for `name` below `root`, that belongs to the workloads' user."""
    root.mkdir(parents=True, exist_ok=True)
    root.chmod(0o711)
    folder = _folder(root, name)
    if not folder.exists():
        folder.mkdir(mode=0o700)
    daemons.give(folder, identity)
    return folder


def drop_volume(root: Path, name: str) -> None:
    """Remove the folder with all that is in it. Idempotent."""
    shutil.rmtree(_folder(root, name), ignore_errors=True)


def _folder(root: Path, name: str) -> Path:
    return root / ("vol-" + hashlib.sha256(name.encode()).hexdigest()[:24])


def files_in(folder: Path) -> Iterator[str]:
    """Relative paths of what lies in a volume, links as themselves; folders alone are nothing. OSError for what
    cannot be looked into."""

    def refuse(error: OSError) -> None:
        raise error

    for number, (place, folders, names) in enumerate(os.walk(folder, onerror=refuse) if folder.is_dir() else ()):
        if number == MOST_FOLDERS:
            raise OSError(errno.EFBIG, f"it has more than {MOST_FOLDERS} folders")
        folders.sort()
        linked = [name for name in folders if Path(place, name).is_symlink()]
        yield from (os.path.relpath(Path(place, name), folder) for name in sorted([*names, *linked]))


def claim_name(environment: str, name: str) -> str:
    """What the folder of a PersistentVolumeClaim is named after."""
    return f"claim/{environment}/{name}"


def mounts_of(bundle: Bundle, volumes: Path, written: Path, identity: Identity) -> dict[str, str]:
    """{mount path: real path}; makes what must be there. InputError for what a process cannot have."""
    sources = {one["name"]: one for one in bundle.pod.get("volumes") or ()}
    found: dict[str, str] = {}
    for mount in bundle.container.get("volumeMounts") or ():
        path, source = str(mount["mountPath"]).rstrip("/"), sources.get(mount["name"])
        if not path.startswith("/") or source is None:
            raise InputError(f"the mount {mount['mountPath']} of volume {mount['name']} is incomplete: correct it")
        if "configMap" in source:
            real = _config(bundle, source["configMap"], written)
        else:
            real = _volume(bundle, source, volumes, identity)
        inside = real / str(mount.get("subPath") or "")
        if ".." in Path(str(mount.get("subPath") or "")).parts:
            raise InputError(f"the subPath of the mount {path} leaves its volume: correct it")
        if "configMap" not in source and not inside.exists():
            raise InputError(f"the folder {mount['subPath']} is not in the volume at {path}: let the workload make it")
        found[path] = str(inside)
    return found


def _volume(bundle: Bundle, source: Json, volumes: Path, identity: Identity) -> Path:
    if "persistentVolumeClaim" in source:
        claim = str(source["persistentVolumeClaim"]["claimName"])
        return volume_folder(volumes, claim_name(bundle.environment, claim), identity)
    path = Path(str((source.get("hostPath") or {}).get("path", "")))
    if path.parent == volumes and VOLUME.fullmatch(path.name) and path.is_dir():
        return path
    kinds = ", ".join(sorted(set(source) - {"name"}))
    raise InputError(
        f"local processes cannot mount {kinds} ({source['name']}): take a secret as a variable, a folder from a "
        "resource of type volume"
    )


def _config(bundle: Bundle, source: Json, written: Path) -> Path:
    found = next((one for one in bundle.config_maps if one["metadata"]["name"] == source["name"]), None)
    if found is None:
        raise InputError(f"the ConfigMap {source['name']} is not there: add it to the environment's repository")
    texts = {key: str(text).encode() for key, text in (found.get("data") or {}).items()}
    texts |= {key: base64.b64decode(text) for key, text in (found.get("binaryData") or {}).items()}
    items = source.get("items") or [{"key": key, "path": key} for key in texts]
    known = canonical_json([items, source.get("defaultMode"), {key: value.hex() for key, value in texts.items()}])
    folder = written / hashlib.sha256(known.encode()).hexdigest()[:24]
    for item in items:
        target = folder / str(item["path"])
        if ".." in target.parts or item["key"] not in texts:
            raise InputError(
                f"the ConfigMap {source['name']} has no key {item['key']}, or its path is wrong: correct it"
            )
        if not target.exists():
            for one in (written, folder, target.parent):
                one.mkdir(parents=True, exist_ok=True)
                one.chmod(0o711)
            target.write_bytes(texts[item["key"]])
        # The workload is neither owner nor in the group, so what is not for everybody it could not read at all.
        mode = int(source.get("defaultMode") or 0o644)
        target.chmod(0o755 if mode & 0o111 else 0o644)
    return folder


class VolumeDriver:
    """The `InspectingDriver` `volume_local`: a folder per resource. Output `source` is a Kubernetes volume source."""

    key = "volume_local"

    def __init__(self, ctx: PluginContext, root: Path) -> None:
        self._ctx, self._root = ctx, root

    def provision(self, ctx: StepContext, request: ResourceRequest) -> ResourceResult:
        name = f"resource/{request.uid}"
        ctx.created("volume", request.uid, {})
        folder = volume_folder(self._root, name, self._ctx.identity("workloads"))
        source = {"hostPath": {"path": str(folder), "type": "Directory"}}
        return ResourceResult(outputs={"source": source}, inventory=[{"kind": "volume", "name": request.uid}])

    def destroy(self, ctx: StepContext, inventory: Sequence[Mapping[str, Any]]) -> None:
        for item in inventory:
            if item.get("kind") == "volume":
                drop_volume(self._root, f"resource/{item['name']}")

    def contents(self, inventory: Sequence[Mapping[str, Any]]) -> str | None:
        # A volume is made empty: every file in it came since.
        names = [f"resource/{item['name']}" for item in inventory if item.get("kind") == "volume"]
        found: list[str] = []
        for name in names:
            try:
                found += islice(files_in(_folder(self._root, name)), MOST_FILES - len(found))
            except OSError as error:
                raise UnavailableError(f"the volume cannot be looked into: {error.strerror}") from error
        if not found:
            return None
        more = f" and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
        return f"files: {', '.join(found[:MOST_TOLD])}{more}{' or still more' if len(found) == MOST_FILES else ''}"
