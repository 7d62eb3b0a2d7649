"""Entities and their references, with Backstage's envelope and reference syntax.

Reference text is `[kind:][namespace/]name`; full references are lower-cased as Backstage's `stringifyEntityRef` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from taxiway.model.errors import InputError

DEFAULT_NAMESPACE = "default"
Document = Mapping[str, Any]
"""One entity document: apiVersion, kind, metadata, spec, and relations where they were computed."""


@dataclass(frozen=True, order=True)
class EntityRef:
    """The address of an entity. All three parts are lower case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}"


def parse_ref(
    text: str, *, default_kind: str | None = None, default_namespace: str | None = DEFAULT_NAMESPACE
) -> EntityRef:
    """The reference in `text`. Raises InputError when a part is missing and has no default."""
    kind, colon, rest = text.partition(":")
    if not colon:
        kind, rest = default_kind or "", text
    namespace, slash, name = rest.partition("/")
    if not slash:
        namespace, name = default_namespace or "", rest
    if not (kind and namespace and name) or ":" in rest or "/" in name:
        raise InputError(f"'{text}' is not an entity reference; write kind:namespace/name", code="catalog.bad_ref")
    return EntityRef(kind.lower(), namespace.lower(), name.lower())


def ref_of(document: Document) -> EntityRef:
    """The reference of an entity document that passed validation."""
    metadata = document["metadata"]
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    return EntityRef(str(document["kind"]).lower(), str(namespace).lower(), str(metadata["name"]).lower())
