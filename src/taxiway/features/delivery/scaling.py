"""How many copies of a service run: kept in the desired state itself, so that the next release keeps it too. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taxiway.kit.pointer import dig

REPLICAS = "taxiway.dev/replicas"
"""Annotation of a Deployment whose number of copies was asked for."""
MOST = 100


def replicas_of(objects: Sequence[Mapping[str, Any]]) -> int | None:
    """The number that was asked for, None where nobody did."""
    for item in objects:
        found = dig(item, "metadata", "annotations", REPLICAS) if item.get("kind") == "Deployment" else None
        if isinstance(found, str) and found.isdigit():
            return min(int(found), MOST)
    return None


def scaled(objects: Sequence[Mapping[str, Any]], replicas: int | None) -> list[Mapping[str, Any]]:
    """The objects with that many copies; as they are where none is asked for."""
    if replicas is None:
        return list(objects)
    return [_scaled(item, replicas) if item["kind"] == "Deployment" else item for item in objects]


def _scaled(item: Mapping[str, Any], replicas: int) -> dict[str, Any]:
    metadata = item["metadata"]
    annotations = {**(metadata.get("annotations") or {}), REPLICAS: str(replicas)}
    spec = {**item["spec"], "replicas": replicas}
    return {**item, "metadata": {**metadata, "annotations": annotations}, "spec": spec}
