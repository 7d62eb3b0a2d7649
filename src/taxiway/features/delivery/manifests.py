"""The desired state in Git: one folder per service in the environment's repository, one file with all its objects.

The only module that knows the layout. Reading is bounded: these repositories can be pushed to by hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from taxiway.features.delivery.render import DEPLOYMENT_LABEL, SERVICE_REF
from taxiway.kit.pointer import dig
from taxiway.model.errors import InputError

FILE = "manifests.yaml"
MAX_BYTES = 1_000_000
MAX_OBJECTS = 200
BRANCH = "main"


def path_of(service_key: str) -> str:
    """Where the objects of a service stand."""
    return f"{service_key}/{FILE}"


def key_of(path: str) -> str | None:
    """The service whose file this is, None for other files."""
    folder, _, name = path.rpartition("/")
    return folder if name == FILE and folder and "/" not in folder else None


def write(objects: Sequence[Mapping[str, Any]]) -> bytes:
    """The file for these objects. Equal objects give equal bytes."""
    return "---\n".join(yaml.safe_dump(dict(item), sort_keys=True, allow_unicode=True) for item in objects).encode()


def read(raw: bytes, where: str) -> list[dict[str, Any]]:
    """The objects in a file. InputError says what is wrong with it."""
    if len(raw) > MAX_BYTES:
        raise InputError(f"{where} is larger than {MAX_BYTES} bytes: split the service")
    try:
        for token in yaml.scan(raw, Loader=yaml.CSafeLoader):
            if isinstance(token, yaml.AliasToken):
                raise InputError(f"{where}: YAML aliases are not read: write the value out")
        documents = [item for item in yaml.load_all(raw, Loader=yaml.CSafeLoader) if item is not None]
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid YAML: {error}") from error
    if len(documents) > MAX_OBJECTS:
        raise InputError(f"{where} has more than {MAX_OBJECTS} objects: split the service")
    for index, item in enumerate(documents):
        named = isinstance(item, dict) and isinstance(item.get("metadata"), dict) and item["metadata"].get("name")
        if not (named and isinstance(item.get("apiVersion"), str) and isinstance(item.get("kind"), str)):
            raise InputError(f"{where}: document {index + 1} needs apiVersion, kind and metadata.name")
    return documents


def deployment_of(objects: Sequence[Mapping[str, Any]]) -> str | None:
    """The id of the deployment that wrote these objects."""
    for item in objects:
        found = dig(item, "metadata", "labels", DEPLOYMENT_LABEL)
        if found:
            return str(found)
    return None


def service_of(objects: Sequence[Mapping[str, Any]]) -> str | None:
    """The reference of the service that these objects belong to."""
    for item in objects:
        found = dig(item, "metadata", "annotations", SERVICE_REF)
        if found:
            return str(found)
    return None
