"""The entity source `api-descriptions`: APIs as running services describe them, asked for only when they changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from taxiway.model.errors import TaxiwayError
from taxiway.plugin import (
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourcePart,
    SourceProblem,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugin.people import API_VERSION, name_for
from taxiway.plugins.api_descriptions.settings import ApiOptions, Described

if TYPE_CHECKING:
    from taxiway.plugin.outgoing import Outgoing


class ApiSource:
    """Reads API descriptions from the addresses that serve them."""

    key = "api-descriptions"
    options = ApiOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """An API for each address; each is a part of its own, so that one that is down takes nothing along."""
        from taxiway.plugin.outgoing import Hosts, Limits, Outgoing

        options: ApiOptions = request.options
        token = resolve_credential(options.token, self._secrets) if options.token else None
        value = f"Bearer {token}" if options.header.lower() == "authorization" else token
        outgoing = Outgoing(
            hosts=Hosts(sorted({urlsplit(api.url).netloc for api in options.apis})),
            headers={options.header: value} if value and token else {},
            limits=Limits(body_bytes=options.most_bytes, total_seconds=60, tries=2),
            stop=request.cancelled,
        )
        try:
            for api in options.apis:
                if request.cancelled.is_set():
                    return
                yield from _read(outgoing, api, request)
        finally:
            outgoing.close()
        yield SourceEnd()


def _read(outgoing: Outgoing, api: Described, request: SourceRequest) -> Iterator[SourceItem]:
    options: ApiOptions = request.options
    location = f"url:{api.url.partition('?')[0]}"
    rest = options.model_copy(update={"apis": (api,)})
    asked = sha256(rest.model_dump_json().encode()).hexdigest()
    known = request.part(api.url) or {}
    fits = known.get("options") == asked
    try:
        answer = outgoing.get(api.url, etag=known.get("etag") if fits else None).checked()
        digest = known.get("digest") if answer.unchanged else sha256(answer.body).hexdigest()
        if fits and digest == known.get("digest"):
            yield SourcePart(api.url, same=True)
            return
        document = _document(api, options, answer.body)
    except (TaxiwayError, ValueError) as error:
        detail = error.detail if isinstance(error, TaxiwayError) else f"the description cannot be used: {error}"
        yield SourceProblem(location, detail)
        yield SourcePart(api.url)
        return
    yield SourcedEntity(document, location)
    yield SourcePart(api.url, {"options": asked, "digest": digest, "etag": answer.etag})


def _document(api: Described, options: ApiOptions, body: bytes) -> Mapping[str, Any]:
    from taxiway.plugins.api_descriptions.reading import Outline, outline

    text = body.decode("utf-8-sig")
    said = Outline(api.type) if api.type in ("graphql", "grpc") else outline(text)
    kind = api.type or said.type
    if not kind:
        raise ValueError("it says neither `openapi`, `swagger` nor `asyncapi`: set `type`")
    if not api.name and not said.title:
        raise ValueError("it has no title: set `name`")
    metadata: dict[str, Any] = {"name": name_for(api.name or said.title)}
    if options.namespace != "default":
        metadata["namespace"] = options.namespace
    metadata |= {key: value for key, value in (("title", said.title), ("description", said.description)) if value}
    if said.version:
        metadata["annotations"] = {"taxiway.dev/api-version": said.version}
    spec: dict[str, Any] = {
        "type": kind,
        "lifecycle": api.lifecycle or options.lifecycle,
        "owner": api.owner or options.owner,
        "definition": text,
    }
    if api.system or options.system:
        spec["system"] = api.system or options.system
    return {"apiVersion": API_VERSION, "kind": "API", "metadata": metadata, "spec": spec}
