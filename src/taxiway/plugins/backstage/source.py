"""The entity source `backstage`: the entities of a running Backstage, carried over as they are, but for what its server
adds. Whether they may bring people, teams and templates, the source's `trusted` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field

from taxiway.model.errors import NotFoundError, UnavailableError
from taxiway.plugin import (
    CredentialRef,
    PluginSettings,
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    resolve_credential,
)

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Answer, Outgoing

PAGE, MOST_PAGES = 500, 4000
SERVER = frozenset({"uid", "etag", "generation"})
RENAMED = {
    "backstage.io/managed-by-location": "taxiway.dev/imported-location",
    "backstage.io/managed-by-origin-location": "taxiway.dev/imported-origin-location",
}
DROPPED = frozenset({"backstage.io/orphan"})


class BackstageOptions(PluginSettings):
    """A running Backstage."""

    url: str = Field(pattern=r"^https?://", description="address of its backend, without /api")
    token: CredentialRef | None = Field(
        None, description="bearer token, by reference (an external access static token)"
    )
    filters: tuple[str, ...] = Field(
        (), description="which entities, each as `filter` of its API: `kind=component,spec.type=service`; any counts"
    )
    kinds_left_out: tuple[str, ...] = Field(("location",), description="kinds that are not read")


class BackstageSource:
    """Reads the catalog of another portal by its API."""

    key = "backstage"
    options = BackstageOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """Every entity that the filters ask for, page by page."""
        from taxiway.plugin.outgoing import Hosts, Limits, Outgoing

        options: BackstageOptions = request.options
        token = resolve_credential(options.token, self._secrets) if options.token else None
        headers = {"authorization": f"Bearer {token}"} if token else {}
        hosts = Hosts([urlsplit(options.url).netloc], only=True)
        limits = Limits(body_bytes=100_000_000)
        outgoing = Outgoing(hosts=hosts, headers=headers, limits=limits, stop=request.cancelled)
        left_out = {kind.lower() for kind in options.kinds_left_out}
        try:
            for number, page in enumerate(_pages(outgoing, options)):
                for item in page:
                    if request.cancelled.is_set():
                        return
                    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
                        yield SourceProblem(f"url:{options.url}", "the other catalog gave something that is no entity")
                    elif str(item.get("kind")).lower() not in left_out:
                        yield SourcedEntity(carried(item), f"url:{_place(options.url, item)}")
                yield SourcePart(f"page-{number}")
        finally:
            outgoing.close()
        yield SourceEnd()


def carried(item: Mapping[str, Any]) -> dict[str, Any]:
    """An entity as its author wrote it: without what the other server adds."""
    metadata = {key: value for key, value in item["metadata"].items() if key not in SERVER}
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        kept = {RENAMED.get(key, key): value for key, value in annotations.items() if key not in DROPPED}
        metadata = {**metadata, "annotations": kept}
    whole = {key: value for key, value in item.items() if key not in ("relations", "status")}
    return {**whole, "metadata": metadata}


def _pages(outgoing: Outgoing, options: BackstageOptions) -> Iterator[list[Any]]:
    from taxiway.plugin.outgoing import pages

    base = f"{options.url.rstrip('/')}/api/catalog/entities/by-query"
    query = [("limit", str(PAGE)), ("orderField", "metadata.uid,asc"), *(("filter", one) for one in options.filters)]

    def following(answer: Answer) -> str | None:
        paging = _body(answer, options).get("pageInfo")
        cursor = paging.get("nextCursor") if isinstance(paging, dict) else None
        return f"{base}?{urlencode({'limit': str(PAGE), 'cursor': str(cursor)})}" if cursor else None

    for answer in pages(outgoing.get, f"{base}?{urlencode(query)}", following, MOST_PAGES):
        yield _body(answer, options)["items"]


def _body(answer: Answer, options: BackstageOptions) -> dict[str, Any]:
    if answer.status == 404:
        raise NotFoundError(
            f"{options.url} has no catalog with paging: check the address (the backend's, without /api), and that "
            "it is Backstage 1.17 or newer",
            code="backstage.no_catalog",
        )
    body = answer.checked("the catalog of Backstage").json()
    if not isinstance(body, dict) or not isinstance(body.get("items"), list):
        raise UnavailableError(
            f"{options.url} did not answer as a catalog does: give the backend's address", code="backstage.answer"
        )
    return body


def _place(url: str, item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    parts = (item.get("kind"), metadata.get("namespace") or "default", metadata.get("name"))
    return f"{url.rstrip('/')}/api/catalog/entities/by-name/" + "/".join(quote(str(one), safe="") for one in parts)
