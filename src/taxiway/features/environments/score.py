"""Reads Score workload files (score.dev/v1b1): bounded YAML, legacy forms, the schema, and what the schema cannot say.

Called when a release is made and again when it is deployed. Pure: it reads no file but its own schema.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from taxiway.features.environments.scheduling import schedule_problems
from taxiway.features.environments.substitution import references
from taxiway.features.infrastructure.model import resource_key
from taxiway.kit import yaml12
from taxiway.kit.pointer import pointer
from taxiway.model.errors import FieldError, InputError

MAX_BYTES = 200_000
MAX_PROBLEMS = 20


@dataclass(frozen=True)
class ResourceSpec:
    """A resource as the workload declares it. `key` is Score's identity text: equal keys are one resource."""

    name: str
    type: str
    resource_class: str
    id: str | None
    params: Mapping[str, Any]
    key: str


@dataclass(frozen=True)
class Workload:
    """A valid Score document with its resources in the order in which they must be provisioned."""

    name: str
    document: Mapping[str, Any]
    resources: Sequence[ResourceSpec]

    @property
    def ports(self) -> dict[str, int]:
        """Service ports by name."""
        ports = (self.document.get("service") or {}).get("ports") or {}
        return {name: int(port["port"]) for name, port in ports.items()}


def score_hash(text: bytes) -> str:
    """`sha256:<hex>` of the file as it was committed."""
    return "sha256:" + hashlib.sha256(text).hexdigest()


def parse_score(text: bytes | str, where: str = "score.yaml") -> Workload:
    """The workload in a Score file. InputError names each place that is wrong and what to write there."""
    return read_document(_load(text, where), where)


def read_document(document: Any, where: str = "score.yaml") -> Workload:
    """The workload in a document that was parsed already."""
    if not isinstance(document, dict):
        raise InputError(f"{where} must be a mapping with apiVersion, metadata and containers", code="score.shape")
    document = upgrade(document)
    problems = [
        FieldError(pointer(error.instance_path), error.message[:300])
        for error, _ in zip(_validator().iter_errors(document), range(MAX_PROBLEMS), strict=False)
    ]
    if problems:
        said = "; ".join(f"{p.pointer or '/'}: {p.detail}" for p in problems[:3])
        raise InputError(f"{where} is not a valid Score file: {said}", code="score.invalid", errors=problems)
    name = str(document["metadata"]["name"])
    resources = [_resource(name, key, value) for key, value in (document.get("resources") or {}).items()]
    names = {r.name for r in resources}
    problems = [*_unknown_references(document, names), *_before_problems(document), *schedule_problems(document)]
    if problems:
        said = "; ".join(p.detail for p in problems[:3])
        raise InputError(f"{where}: {said}", code="score.invalid", errors=problems)
    return Workload(name, document, ordered(resources))


def upgrade(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with deprecated forms replaced, as the reference library does before it validates."""
    result = json.loads(json.dumps(document, default=str))
    containers = result.get("containers")
    for container in containers.values() if isinstance(containers, dict) else ():
        if not isinstance(container, dict):
            continue
        for field in ("files", "volumes"):
            if isinstance(container.get(field), list):
                container[field] = _as_map(container[field])
        volumes, files = container.get("volumes"), container.get("files")
        for volume in volumes.values() if isinstance(volumes, dict) else ():
            if isinstance(volume, dict) and "read_only" in volume:
                volume["readOnly"] = volume.pop("read_only")
        for file in files.values() if isinstance(files, dict) else ():
            if isinstance(file, dict) and isinstance(file.get("content"), list):
                file["content"] = "\n".join(str(line) for line in file["content"])
    return dict(result)


def ordered(resources: Sequence[ResourceSpec]) -> list[ResourceSpec]:
    """Dependencies first, sorted by name within a rank. InputError for a cycle and for conflicting definitions."""
    _refuse_conflicts(resources)
    by_name = {resource.name: resource for resource in resources}
    waits = {
        resource.name: {path[1] for path in references(resource.params) if path[0] == "resources" and len(path) > 1}
        for resource in resources
    }
    result: list[ResourceSpec] = []
    while waits:
        free = sorted(name for name, needs in waits.items() if not needs & waits.keys())
        if not free:
            raise InputError(
                f"the resources {', '.join(sorted(waits))} need each other in a circle: remove one of the references",
                code="score.cycle",
            )
        result += [by_name[name] for name in free]
        for name in free:
            del waits[name]
    return result


def _load(text: bytes | str, where: str) -> Any:
    try:
        return yaml12.load(text, max_bytes=MAX_BYTES)
    except yaml12.YamlError as error:
        raise InputError(f"{where} is not acceptable YAML: {error}", code="score.syntax") from error


@functools.cache
def _validator() -> Any:
    schema = json.loads(Path(__file__).with_name("score-v1b1.json").read_text())
    return jsonschema_rs.Draft202012Validator(schema)


def _as_map(items: Sequence[Any]) -> Any:
    """List form to map form; items without a target stay, so that the schema names them."""
    if not all(isinstance(item, dict) and "target" in item for item in items):
        return items
    return {item["target"]: {k: v for k, v in item.items() if k != "target"} for item in items}


def _resource(workload: str, name: str, value: Mapping[str, Any]) -> ResourceSpec:
    type_, class_, id_ = str(value["type"]), str(value.get("class") or "default"), value.get("id")
    params = value.get("params") or {}
    return ResourceSpec(name, type_, class_, id_, params, resource_key(type_, class_, id_, workload, name))


def _refuse_conflicts(resources: Sequence[ResourceSpec]) -> None:
    seen: dict[str, ResourceSpec] = {}
    for resource in resources:
        first = seen.setdefault(resource.key, resource)
        if first.params and resource.params and first.params != resource.params:
            raise InputError(
                f"the resources {first.name} and {resource.name} are one ({resource.key}) with different params: "
                "give both the same params or different ids",
                code="score.conflict",
            )


def _unknown_references(document: Mapping[str, Any], names: set[str]) -> list[FieldError]:
    problems = []
    for place, value in _expanded_places(document):
        for path in references(value):
            if path[0] not in ("metadata", "resources"):
                detail = f"'${{{'.'.join(path)}}}' starts with neither metadata nor resources: $${{…}} is the text"
                problems.append(FieldError(place, detail))
            elif path[0] == "resources" and (len(path) < 2 or path[1] not in names):
                detail = f"'${{{'.'.join(path)}}}' names a resource that the file does not declare"
                problems.append(FieldError(place, detail))
    return problems


def _expanded_places(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
    places: list[tuple[str, Any]] = []
    for name, container in document["containers"].items():
        base = ("containers", name)
        for key, value in (container.get("variables") or {}).items():
            places.append((pointer([*base, "variables", key]), value))
        for target, file in (container.get("files") or {}).items():
            if "content" in file and not file.get("noExpand"):
                places.append((pointer([*base, "files", target, "content"]), file["content"]))
        for target, volume in (container.get("volumes") or {}).items():
            places.append((pointer([*base, "volumes", target, "source"]), volume["source"]))
    for name, resource in (document.get("resources") or {}).items():
        places.append((pointer(["resources", name, "params"]), resource.get("params") or {}))
    return places


def _before_problems(document: Mapping[str, Any]) -> list[FieldError]:
    containers = document["containers"]
    waits = {name: set(container.get("before") or {}) for name, container in containers.items()}
    problems = [
        FieldError(pointer(["containers", name, "before", other]), f"'before' names no container: {other}")
        for name, others in waits.items()
        for other in sorted(others - set(containers))
    ]
    while not problems and waits:
        free = [name for name, others in waits.items() if not others & waits.keys()]
        if not free:
            return [FieldError("/containers", f"'before' runs in a circle among {', '.join(sorted(waits))}")]
        for name in free:
            del waits[name]
    return problems
