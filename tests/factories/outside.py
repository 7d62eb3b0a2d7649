"""Another system over HTTP whose answers depend on the query: what a function says, of a request taken apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from factories import other_system as other
from factories.described import Described, judged


@dataclass(frozen=True)
class Asked:
    """A request. Header names are lower case; of a query parameter that comes twice, the last one counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Said:
    """An answer; what is no bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@contextmanager
def answering(
    answer: Callable[[Asked], Said], tls: ssl.SSLContext | None = None, api: Described | None = None
) -> Iterator[str]:
    """Its address, on a free port of loopback; with HTTPS if `tls` is given. Both sides are held to `api`."""

    def respond(asked: other.Asked) -> other.Reply:
        parts = urlsplit(asked.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        said = answer(Asked(asked.method, parts.path, query, asked.headers, asked.body))
        return other.Reply(said.body, said.status, dict(said.headers))

    with other.other_system(respond if api is None else judged(api, respond), tls) as system:
        yield system.url
    assert api is None or not api.problems, api.problems if api else ()
