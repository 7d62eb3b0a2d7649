"""Judges an entity document as Backstage's catalog does: envelope, formats, kind, references.

Pure: called by ingestion, by `validate-entity` and by tests. Every fault is named at once, each with its pointer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from taxiway.features.catalog.kind_faults import kind_faults
from taxiway.features.catalog.kinds import META, Kind, Kinds, shipped
from taxiway.features.catalog.refs import full_ref
from taxiway.kit.pointer import pointer
from taxiway.model.entity import DEFAULT_NAMESPACE
from taxiway.model.errors import FieldError, InputError

NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
LABEL = re.compile(r"[a-z0-9]+(-+[a-z0-9]+)*")
KIND = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
SUFFIX = re.compile(r"[a-zA-Z0-9]{1,63}")
TAG = re.compile(r"[a-z0-9:+#]+(-[a-z0-9:+#]+)*")
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):(.*)", re.DOTALL)
HOST_BREAKERS = re.compile(r"[\s<>^|%\\\"`{}]")
ROOTS = frozenset({"apiVersion", "kind", "metadata", "spec"})
MAX_ERRORS = 20


def validate(document: Any, kinds: Kinds | None = None) -> frozenset[tuple[str, str]]:
    """The relations (type, target ref) that a valid document states. InputError names every fault.

    `kinds` are those that the catalog takes; without them, the ones that ship with Taxiway."""
    kinds = kinds or shipped()
    errors = list(_envelope(document))
    if not errors:
        errors = list(_kind(document, kinds))
    relations: set[tuple[str, str]] = set()
    if not errors:
        relations, errors = _relations(document, kinds.by_name[document["kind"]])
    if errors:
        first = "; ".join(f"{error.pointer or 'the document'}: {error.detail}" for error in errors[:3])
        raise InputError(f"not a valid entity: {first}", code="catalog.invalid_entity", errors=errors[:MAX_ERRORS])
    return frozenset(relations)


def _envelope(document: Any) -> Iterator[FieldError]:
    if not isinstance(document, Mapping):
        yield FieldError("", "an entity is a mapping with apiVersion, kind, metadata and spec")
        return
    for key in document:
        if key not in ROOTS:
            yield FieldError(
                pointer([str(key)]), "unknown field: only apiVersion, kind, metadata and spec may stand here"
            )
    yield from _version_and_kind(document)
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        yield FieldError("/metadata", "must be a mapping with at least a name")
    else:
        yield from _metadata(metadata)
    if "spec" in document and not isinstance(document["spec"], Mapping):
        yield FieldError("/spec", "must be a mapping")


def _version_and_kind(document: Mapping[str, Any]) -> Iterator[FieldError]:
    version, kind = document.get("apiVersion"), document.get("kind")
    if not isinstance(version, str) or not is_api_version(version):
        yield FieldError("/apiVersion", "must be a version such as backstage.io/v1alpha1")
    if not isinstance(kind, str) or len(kind) > 63 or not KIND.fullmatch(kind):
        yield FieldError("/kind", "must be letters and digits, at most 63, beginning with a letter")


def _metadata(metadata: Mapping[str, Any]) -> Iterator[FieldError]:
    if not is_name(metadata.get("name")):
        yield FieldError(
            "/metadata/name", "must be 1 to 63 letters, digits, '-', '_' and '.', with no sign at the ends"
        )
    if "namespace" in metadata and not is_namespace(metadata["namespace"]):
        yield FieldError("/metadata/namespace", "must be 1 to 63 lower-case letters, digits and '-' between them")
    for key in ("uid", "etag", "title"):
        if key in metadata and not (isinstance(metadata[key], str) and metadata[key]):
            yield FieldError(f"/metadata/{key}", "must be text that is not empty")
    if "description" in metadata and not isinstance(metadata["description"], str):
        yield FieldError("/metadata/description", "must be text")
    yield from _pairs(metadata, "labels", is_label_value, "must be text of at most 63 characters, formed like a name")
    yield from _pairs(metadata, "annotations", lambda value: isinstance(value, str), "must be text: put it in quotes")
    yield from _tags(metadata)
    yield from _links(metadata)


def _pairs(metadata: Mapping[str, Any], key: str, valid: Any, remedy: str) -> Iterator[FieldError]:
    if key not in metadata:
        return
    values = metadata[key]
    if not isinstance(values, Mapping):
        yield FieldError(f"/metadata/{key}", "must be a mapping")
        return
    for name, value in values.items():
        if not is_label_key(name):
            at = pointer(["metadata", key, str(name)])
            yield FieldError(at, "the key must be [domain/]name, the domain in lower case")
        if not valid(value):
            yield FieldError(pointer(["metadata", key, str(name)]), remedy)


def _tags(metadata: Mapping[str, Any]) -> Iterator[FieldError]:
    tags = metadata.get("tags", [])
    if not isinstance(tags, list):
        yield FieldError("/metadata/tags", "must be a list")
        return
    for index, tag in enumerate(tags):
        if not isinstance(tag, str) or not 1 <= len(tag) <= 63 or not TAG.fullmatch(tag):
            yield FieldError(
                f"/metadata/tags/{index}", "must be 1 to 63 of a-z, 0-9, ':', '+', '#', with single '-' between"
            )


def _links(metadata: Mapping[str, Any]) -> Iterator[FieldError]:
    links = metadata.get("links", [])
    if not isinstance(links, list):
        yield FieldError("/metadata/links", "must be a list")
        return
    for index, link in enumerate(links):
        at = f"/metadata/links/{index}"
        if not isinstance(link, Mapping):
            yield FieldError(at, "must be a mapping with a url")
            continue
        if not is_url(link.get("url")):
            yield FieldError(f"{at}/url", "must be an absolute URL")
        for key in ("title", "icon", "type"):
            if key in link and not (isinstance(link[key], str) and link[key]):
                yield FieldError(f"{at}/{key}", "must be text that is not empty")


def _kind(document: Mapping[str, Any], kinds: Kinds) -> Iterator[FieldError]:
    kind = kinds.get(document["kind"])
    if kind is None:
        names = kinds.by_name
        close = next((name for name in names if name.lower() == document["kind"].lower()), None)
        known = f"write {close}" if close else "known are " + ", ".join(sorted(names))
        yield FieldError("/kind", f"the kind {document['kind']} is not known: {known}")
        return
    if document["apiVersion"] not in kind.api_versions:
        allowed = " or ".join(sorted(kind.api_versions))
        yield FieldError("/apiVersion", f"{kind.name} needs {allowed}")
        return
    if "spec" not in document:
        yield FieldError("/spec", "is missing")
        return
    sound = True
    for error in kind.validator.iter_errors(document["spec"]):
        sound = False
        yield FieldError("/spec" + pointer(error.instance_path), error.message)
    if sound and kind.name in META:
        yield from kind_faults(document, kinds)


def _relations(document: Mapping[str, Any], kind: Kind) -> tuple[set[tuple[str, str]], list[FieldError]]:
    relations: set[tuple[str, str]] = set()
    errors: list[FieldError] = []
    namespace = document["metadata"].get("namespace") or DEFAULT_NAMESPACE
    for key, field in kind.fields.items():
        value = document["spec"].get(key)
        if not value and not isinstance(value, dict):
            continue
        for item in value if isinstance(value, list) else [value]:
            try:
                relations.add(
                    (
                        field.relation,
                        full_ref(item, field.default_kind, namespace if field.inherit else DEFAULT_NAMESPACE),
                    )
                )
            except InputError as error:
                errors.append(FieldError(pointer(["spec", key]), error.detail))
    return relations, errors


def is_name(value: Any) -> bool:
    """Whether it may be an entity's name."""
    return isinstance(value, str) and len(value) <= 63 and NAME.fullmatch(value) is not None


def is_namespace(value: Any) -> bool:
    """Whether it may be a namespace (a DNS label)."""
    return isinstance(value, str) and len(value) <= 63 and LABEL.fullmatch(value) is not None


def is_label_value(value: Any) -> bool:
    """Whether it may be a label's value."""
    return value == "" or is_name(value)


def is_label_key(value: Any) -> bool:
    """Whether it may be the key of a label or annotation."""
    return isinstance(value, str) and _is_label_key(value)


@lru_cache(4096)
def _is_label_key(value: str) -> bool:
    prefix, slash, name = value.rpartition("/")
    return is_name(name) and (not slash or _is_domain(prefix))


@lru_cache(256)
def is_api_version(value: str) -> bool:
    """Whether it has the form of an apiVersion."""
    prefix, slash, suffix = value.rpartition("/")
    return SUFFIX.fullmatch(suffix) is not None and (not slash or _is_domain(prefix))


def is_url(value: Any) -> bool:
    """Whether it is an absolute URL as browsers read one."""
    if not isinstance(value, str):
        return False
    match = SCHEME.fullmatch(value.strip())
    if match is None:
        return False
    scheme, rest = match[1].lower(), match[2]
    if scheme not in ("http", "https", "ftp", "ws", "wss"):
        return True
    host = re.split(r"[/?#\\]", rest.lstrip("/\\"), maxsplit=1)[0].rpartition("@")[2]
    return bool(host) and HOST_BREAKERS.search(host) is None


def _is_domain(value: str) -> bool:
    return 1 <= len(value) <= 253 and all(is_namespace(part) for part in value.split("."))
