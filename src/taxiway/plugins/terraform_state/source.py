"""The entity source `terraform`: the resources of one state, read again only when it changed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from threading import Event

from taxiway.model.errors import InputError, NotFoundError, TooLargeError
from taxiway.plugin import (
    Clock,
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourcePart,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.terraform_state.entities import documents
from taxiway.plugins.terraform_state.settings import TerraformOptions
from taxiway.plugins.terraform_state.signing import object_url, signed_headers
from taxiway.plugins.terraform_state.state import MOST_BYTES, read_state

PART = "state"


class TerraformSource:
    """Reads states of Terraform and OpenTofu."""

    key = "terraform"
    options = TerraformOptions

    def __init__(self, secrets: Secrets, clock: Clock) -> None:
        self._secrets, self._clock = secrets, clock

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """A Resource for each managed resource. The state itself is never kept."""
        options: TerraformOptions = request.options
        known = request.part(PART) or {}
        asked = sha256(options.model_dump_json().encode()).hexdigest()
        etag = str(known.get("etag") or "") if known.get("options") == asked else ""
        content, new = self._fetch(options, etag, request.cancelled)
        if request.cancelled.is_set():
            return
        digest = sha256(content).hexdigest() if content is not None else ""
        state = {"options": asked, "digest": digest, "etag": new}
        if content is None or (known.get("options") == asked and known.get("digest") == digest):
            yield SourcePart(PART, same=True)
        else:
            location = _location(options.url)
            for document in documents(read_state(content), options):
                yield SourcedEntity(document, location)
            yield SourcePart(PART, state)
        yield SourceEnd()

    def _fetch(self, options: TerraformOptions, etag: str, stop: Event) -> tuple[bytes | None, str]:
        """The state and its entity tag; None when it is as it was."""
        if "://" not in options.url:
            return _file(Path(options.url)), ""
        from urllib.parse import urlsplit

        from taxiway.plugin.outgoing import Hosts, Limits, Outgoing

        url = options.url
        if url.startswith("s3://"):
            url = object_url(url, options.s3_endpoint, options.s3_region)
        hosts, limits = Hosts([urlsplit(url).netloc]), Limits(body_bytes=MOST_BYTES)
        outgoing = Outgoing(hosts=hosts, limits=limits, stop=stop)
        try:
            answer = outgoing.get(url, etag=etag or None, headers=self._headers(options, url))
        finally:
            outgoing.close()
        answer.checked(f"the state {_location(options.url)}")
        return (None if answer.unchanged else answer.body), answer.etag or etag

    def _headers(self, options: TerraformOptions, url: str) -> Mapping[str, str]:
        if options.url.startswith("s3://"):
            if options.s3_secret_key is None:
                return {}
            secret = resolve_credential(options.s3_secret_key, self._secrets)
            return signed_headers(url, options.s3_access_key, secret, options.s3_region, self._clock.now())
        if options.password is None:
            return {}
        password = resolve_credential(options.password, self._secrets)
        if not options.username:
            return {"authorization": f"Bearer {password}"}
        return {"authorization": "Basic " + base64.b64encode(f"{options.username}:{password}".encode()).decode()}


def _file(path: Path) -> bytes:
    if not path.is_absolute():
        raise InputError(f"'{path}' is no absolute path and no address", code="terraform.url")
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no state at {path}", code="terraform.no_state") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", code="terraform.no_state") from error
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"{path} has more than {MOST_BYTES} bytes: split the stack", code="terraform.too_large")
    return content


def _location(url: str) -> str:
    return f"url:{url.partition('?')[0]}" if "://" in url else f"file:{url}"
