"""Golden paths as documents to search in, by what they ask and do: each leads to its form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.catalog import service as catalog
from taxiway.model.entity import ref_of
from taxiway.plugin import SearchDocument, digest

MOST_QUESTIONS = 200


class GoldenPathSearch:
    """A `SearchSource`: one collection for each template."""

    key = "golden-path"
    permission = "scaffolder.read"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def collections(self) -> Mapping[str, str]:
        """Templates, and the digest of what is asked."""
        return {str(ref_of(one)): digest(one) for one in catalog.list_entities(self._platform, kind="template")}

    def documents(self, collection: str) -> Iterable[SearchDocument]:
        """One document for a template; none when it is gone."""
        entity = catalog.get_entity(self._platform, collection)
        if entity is None or str(entity["kind"]) != "Template":
            return
        ref, metadata = ref_of(entity), entity["metadata"]
        title = str(metadata.get("title") or metadata["name"])
        text = " ".join([str(metadata.get("description", "")), *metadata.get("tags", []), *_asked(entity)])
        fields = {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}
        fields |= {key: str(entity["spec"][key]) for key in ("type", "owner") if key in entity["spec"]}
        yield SearchDocument(title, text, f"/create/{ref.namespace}/{ref.name}", None, collection, fields)


def _asked(entity: Mapping[str, Any]) -> list[str]:
    spec = entity["spec"]
    pages = spec.get("parameters") or []
    found = [text for page in (pages if isinstance(pages, list) else [pages]) for text in _titles(page)]
    steps = [str(step.get("name", "")) for step in spec.get("steps", []) if isinstance(step, Mapping)]
    return [*found[:MOST_QUESTIONS], *steps]


def _titles(schema: Any) -> Iterator[str]:
    if not isinstance(schema, Mapping):
        return
    yield from (str(schema[key]) for key in ("title", "description") if isinstance(schema.get(key), str))
    properties = schema.get("properties")
    for one in properties.values() if isinstance(properties, Mapping) else ():
        if isinstance(one, Mapping):
            yield from (str(one[key]) for key in ("title", "description") if isinstance(one.get(key), str))
