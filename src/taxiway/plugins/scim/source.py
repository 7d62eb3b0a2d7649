"""The entity source `scim`: what was pushed, whole, each time. Whoever may push was allowed to bring people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from taxiway.plugin import PluginSettings, SourcedEntity, SourceEnd, SourceItem, SourceRequest
from taxiway.plugins.scim.directory import Directory
from taxiway.plugins.scim.entities import ID_KEY, documents
from taxiway.plugins.scim.schemas import TYPES


class ScimOptions(PluginSettings):
    """What becomes of pushed people and groups."""

    namespace: str = Field("default", description="namespace of the users and groups in the catalog")


class ScimSource:
    """Reads the records that the SCIM endpoints keep."""

    key = "scim"
    options = ScimOptions

    def __init__(self, directory: Directory, base: str) -> None:
        self._directory, self._base = directory, base

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """All people and groups, whole."""
        users, groups = (self._directory.all(TYPES[name]) for name in ("Users", "Groups"))
        for document in documents(users, groups, request.options.namespace):
            if request.cancelled.is_set():
                return
            yield SourcedEntity(document, self._location(document), vouched=True)
        yield SourceEnd()

    def _location(self, document: dict[str, Any]) -> str:
        identifier = document["metadata"]["annotations"][ID_KEY]
        return f"url:{self._base}/{document['kind']}s/{identifier}"
