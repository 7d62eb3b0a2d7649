"""Pages of docs as documents to search in: one collection an entity with docs, whose state is the commit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.catalog import service as catalog
from taxiway.features.docs.service import Docs
from taxiway.model.entity import ref_of
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import SearchDocument


class DocsSearch:
    """A `SearchSource`; its type is named as Backstage names it."""

    key = "techdocs"
    permission = "docs.read"

    def __init__(self, platform: Platform, docs: Docs) -> None:
        self._platform, self._docs = platform, docs

    def collections(self) -> Mapping[str, str]:
        """Entities whose docs lie in a repository here, with its commit and the title."""
        found = {}
        for entity in catalog.list_documented(self._platform):
            head = self._docs.head(entity)
            if head is not None:
                found[str(ref_of(entity))] = f"{head} {_title(entity)}"
        return found

    def documents(self, collection: str) -> Iterable[SearchDocument]:
        """The pages of an entity's docs; none when they are not there."""
        entity = catalog.get_entity(self._platform, collection)
        if entity is None:
            return
        try:
            site = self._docs.site(self._platform.system("docs"), collection)
        except TaxiwayError:
            return
        ref = ref_of(entity)
        spec = entity.get("spec") or {}
        fields = {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "entityTitle": site.title}
        fields |= {key: str(spec[key]) for key in ("type", "lifecycle", "owner") if key in spec}
        for item in site.nav:
            text = self._docs.markdown(site, item.path)
            if text is not None:
                place = f"/catalog/{ref.kind}/{ref.namespace}/{ref.name}?tab=docs&page={item.path}"
                own = {**fields, "path": item.path}
                yield SearchDocument(item.title, _plain(text), place, None, collection, own)


def _title(entity: Mapping[str, Any]) -> str:
    return str(entity["metadata"].get("title") or entity["metadata"]["name"])


def _plain(markdown: str) -> str:
    import nh3

    return unescape(nh3.clean(markdown, tags=set()))
