"""References as Backstage reads them, which is laxer than names are: `[kind:][namespace/]name`, first separators split.

Relations may point to what does not exist, so nothing here asks the store.
"""

from __future__ import annotations

from typing import Any

from taxiway.model.entity import DEFAULT_NAMESPACE, Document
from taxiway.model.errors import InputError


def read_ref(
    text: Any, default_kind: str | None = None, default_namespace: str = DEFAULT_NAMESPACE
) -> tuple[str, str, str]:
    """(kind, namespace, name) of a reference, case kept. InputError when a part is empty or the kind is missing."""
    if not isinstance(text, str):
        raise InputError(f"{text!r} is not an entity reference: write kind:namespace/name", code="catalog.bad_ref")
    colon, slash = text.find(":"), text.find("/")
    if slash != -1 and colon > slash:
        colon = -1
    kind = text[:colon] if colon != -1 else default_kind
    rest = text[colon + 1 :]
    namespace, separator, name = rest.partition("/")
    if not separator:
        namespace, name = default_namespace, rest
    if kind is None:
        raise InputError(
            f"'{text}' lacks a kind: write component:{text.strip('/') or 'name'}, or another kind",
            code="catalog.bad_ref",
        )
    if not kind or not namespace or not name:
        raise InputError(f"'{text}' is not an entity reference: write [kind:][namespace/]name", code="catalog.bad_ref")
    return kind, namespace, name


def full_ref(text: Any, default_kind: str | None = None, default_namespace: str = DEFAULT_NAMESPACE) -> str:
    """The full, lower-case reference in `text`."""
    kind, namespace, name = read_ref(text, default_kind, default_namespace)
    return f"{kind}:{namespace}/{name}".lower()


def owner_of(document: Document) -> str | None:
    """The full, lower-case reference of `spec.owner` (kind group when unsaid), or None."""
    spec = document.get("spec")
    owner = spec.get("owner") if isinstance(spec, dict) else None
    return _optional(owner, "group", document)


def system_of(document: Document) -> str | None:
    """The full, lower-case reference of `spec.system`, or None."""
    spec = document.get("spec")
    system = spec.get("system") if isinstance(spec, dict) else None
    return _optional(system, "system", document)


def _optional(value: Any, kind: str, document: Document) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return full_ref(value, kind, document["metadata"].get("namespace") or DEFAULT_NAMESPACE)
    except InputError:
        return None
