"""The desired state in Git: one folder per service in the environment's repository, one file with all its objects.

The only module that knows the layout. Reading is bounded: these repositories can be pushed to by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from taxiway.features.delivery.render import DEPLOYMENT_LABEL, SERVICE_REF
from taxiway.kit import yaml12
from taxiway.kit.pointer import dig
from taxiway.model.errors import InputError

NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")
FILE = "manifests.yaml"
MAX_BYTES = 1_000_000
MAX_OBJECTS = 200
BRANCH = "main"


class _Dumper(yaml.SafeDumper):
    """Also quotes texts that YAML 1.2 reads as numbers and 1.1 does not, such as the commit 12345e6."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = "'" if NUMBER.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def path_of(service_key: str) -> str:
    """Where the objects of a service stand."""
    return f"{service_key}/{FILE}"


def key_of(path: str) -> str | None:
    """The service whose file this is, None for other files."""
    folder, _, name = path.rpartition("/")
    return folder if name == FILE and folder and "/" not in folder else None


def write(objects: Sequence[Mapping[str, Any]]) -> bytes:
    """The file for these objects. Equal objects give equal bytes."""
    options: dict[str, Any] = {"Dumper": _Dumper, "sort_keys": True, "allow_unicode": True}
    return "---\n".join(yaml.dump(dict(item), **options) for item in objects).encode()


def read(raw: bytes, where: str) -> list[dict[str, Any]]:
    """The objects in a file. InputError says what is wrong with it."""
    try:
        documents = [document.value for document in yaml12.load_all(raw, max_bytes=MAX_BYTES)]
    except yaml12.YamlError as error:
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
