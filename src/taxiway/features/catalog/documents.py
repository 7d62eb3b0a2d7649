"""From a document to what is stored: columns, leaves to filter by, and words to search for. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from taxiway.features.catalog.kinds import Kinds, shipped
from taxiway.features.catalog.leaves import leaves
from taxiway.features.catalog.model import MANAGED_BY, ORIGIN, SOURCE_LOCATION, Record
from taxiway.features.catalog.refs import owner_of, system_of
from taxiway.model.entity import DEFAULT_NAMESPACE, ref_of

if TYPE_CHECKING:  # where documents are judged beside the server, its contract takes too long to load
    from taxiway.plugin import SourcedEntity

MAX_WORDS = 20_000
COLUMN_NAMES = ("kind", "namespace", "name", "type", "lifecycle", "owner", "system", "title")
"""What `Record.columns` holds."""


def prepare(
    sourced: SourcedEntity, relations: frozenset[tuple[str, str]], origin: str | None, kinds: Kinds | None = None
) -> Record:
    """What to store for a valid document: its namespace written out, lists of references sorted, origin annotated."""
    document = normalise(sourced.document, kinds or shipped())
    if origin is not None:
        _annotate(document, sourced.location, origin)
    spec, text = document.get("spec", {}), orjson.dumps(document)
    columns = {
        "kind": document["kind"].lower(),
        "namespace": document["metadata"]["namespace"],
        "name": document["metadata"]["name"],
        "type": _text(spec.get("type")),
        "lifecycle": _text(spec.get("lifecycle")),
        "owner": owner_of(document),
        "system": system_of(document),
        "title": document["metadata"].get("title"),
    }
    return Record(
        str(ref_of(document)),
        columns,
        text,
        fingerprint(text),
        sourced.location,
        sourced.line,
        relations,
        leaves(document),
        words(document),
        _room(text, document),
    )


def fingerprint(text: bytes) -> str:
    """Tells one state of a document from another. The order of keys counts: a template's questions come in it."""
    return "sha256:" + hashlib.sha256(text).hexdigest()


def _room(text: bytes, document: Mapping[str, Any]) -> int:
    # Only `spec` can hold the same text again, and all of it stands on one side of the metadata.
    part, keys = b'"metadata":' + orjson.dumps(document["metadata"]), list(document)
    is_behind = "spec" in document and keys.index("spec") < keys.index("metadata")
    return (text.rindex(part) if is_behind else text.index(part)) + len(part) - 1


def normalise(document: Mapping[str, Any], kinds: Kinds) -> dict[str, Any]:
    """A copy as the catalog serves it, without what only the server may set."""
    metadata = {k: v for k, v in document["metadata"].items() if k not in ("uid", "etag")}
    metadata.setdefault("namespace", DEFAULT_NAMESPACE)
    result: dict[str, Any] = {**document, "metadata": metadata}
    spec = document.get("spec")
    if isinstance(spec, Mapping):
        lists = {
            key: sorted(spec[key])
            for key, field in kinds.by_name[document["kind"]].fields.items()
            if field.is_list and isinstance(spec.get(key), list)
        }
        result["spec"] = {**spec, **lists}
    return result


def _annotate(document: dict[str, Any], location: str, origin: str) -> None:
    annotations = {**document["metadata"].get("annotations", {}), MANAGED_BY: location, ORIGIN: origin}
    if location.startswith("url:") and SOURCE_LOCATION not in annotations:
        annotations[SOURCE_LOCATION] = location.rpartition("/")[0] + "/"
    document["metadata"]["annotations"] = annotations


def words(document: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """(name, title, tags, body) for the full-text index. The words in them must stay as they are for stored rows:
    SQLite removes by them. The space between them stays as it is: cleaning it took a third of judging a document."""
    metadata, spec = document["metadata"], document.get("spec", {})
    profile = spec.get("profile") if isinstance(spec.get("profile"), Mapping) else {}
    labels = [f"{k} {v}" for part in ("labels", "annotations") for k, v in sorted((metadata.get(part) or {}).items())]
    links = [f"{link.get('title', '')} {link['url']}" for link in metadata.get("links", [])]
    body = [
        metadata.get("description", ""),
        *(str(profile.get(key, "")) for key in ("displayName", "email")),
        *(str(spec.get(key, "")) for key in ("type", "lifecycle", "owner", "system")),
        *labels,
        *links,
        spec.get("definition", "") if isinstance(spec.get("definition"), str) else "",
    ]
    return (
        _clean(metadata["name"]),
        _clean(metadata.get("title") or str(profile.get("displayName", ""))),
        _clean(" ".join(metadata.get("tags", []))),
        _clean(" ".join(part for part in body if part)[:MAX_WORDS]),
    )


def _clean(text: str) -> str:
    return text.replace("\0", " ")


def _text(value: Any) -> str | None:
    return value.lower() if isinstance(value, str) else None
