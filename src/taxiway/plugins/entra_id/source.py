"""The entity source `entra`: people and groups of one tenant, kept up to date by delta queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from taxiway.plugin import (
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourcePart,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.entra_id.entities import GROUP_KEY, USER_KEY, documents
from taxiway.plugins.entra_id.mirror import Mirror, load, save
from taxiway.plugins.entra_id.settings import EntraOptions

PART = "tenant"


class EntraSource:
    """Reads tenants of Entra ID through Microsoft Graph."""

    key = "entra"
    options = EntraOptions

    def __init__(self, secrets: Secrets, folder: Path) -> None:
        self._secrets, self._folder = secrets, folder

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Everybody and every group, unless nothing changed since the last reading."""
        options: EntraOptions = request.options
        asked = sha256(options.model_dump_json().encode()).hexdigest()
        known = request.part(PART) or {}
        path = self._folder / f"{re.sub(r'[^a-z0-9-]', '-', request.name)}.json"
        kept = load(path, str(known.get("mirror"))) if known.get("options") == asked else None
        mirror, changed = self._follow(request, kept)
        if request.cancelled.is_set():
            return
        state = {"options": asked, "mirror": save(path, mirror)}
        request.log(f"{len(mirror.users)} accounts, {len(mirror.groups)} groups, {changed} changes")
        if kept is not None and not changed:
            yield SourcePart(PART, state, same=True)
        else:
            for document in documents(mirror, options):
                yield SourcedEntity(document, _location(document, options), vouched=True)
            yield SourcePart(PART, state)
        yield SourceEnd()

    def _follow(self, request: SourceRequest, kept: Mirror | None) -> tuple[Mirror, int]:
        from taxiway.plugins.entra_id.graph import Graph, StaleLink

        options: EntraOptions = request.options
        graph = Graph(options, resolve_credential(options.client_secret, self._secrets), request.cancelled)
        mirror = kept or Mirror()
        try:
            try:
                return mirror, sum(graph.follow(mirror, kind, request.cancelled.is_set) for kind in ("users", "groups"))
            except StaleLink:
                request.log("Microsoft Graph does not know the last state any more: everything is read again")
                mirror = Mirror()
                found = [graph.follow(mirror, kind, request.cancelled.is_set) for kind in ("users", "groups")]
                return mirror, max(1, sum(found))
        finally:
            graph.close()


def _location(document: dict[str, object], options: EntraOptions) -> str:
    metadata = document["metadata"]
    assert isinstance(metadata, dict)
    annotations = metadata["annotations"]
    kind, key = ("users", USER_KEY) if document["kind"] == "User" else ("groups", GROUP_KEY)
    return f"url:{options.graph_url.rstrip('/')}/v1.0/{kind}/{annotations[key]}"
