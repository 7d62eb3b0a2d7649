"""The client: one request at a time to wherever it may go. Safe to use from any thread.

The HTTP library is loaded by the first request: plugins may import this module when they are loaded.
"""

from __future__ import annotations

import json as jsons
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin

from taxiway.kit.backoff import backoff_seconds
from taxiway.model.errors import InputError, RateLimitedError, TimedOutError, TooLargeError, UnavailableError
from taxiway.plugin.outgoing.addresses import Hosts, Resolve, judged_address, port_of, split, system_resolve
from taxiway.plugin.outgoing.answer import Answer, shown
from taxiway.plugin.outgoing.pace import is_limit, wait_seconds
from taxiway.plugin.outgoing.streams import open_stream

if TYPE_CHECKING:
    import urllib3

AGENT = "taxiway"
CHUNK = 65_536
IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})
AGAIN = frozenset({502, 503, 504})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "if-none-match", "user-agent"})
"""What another origin may see: a credential can be in a header of any other name."""
MOST_POOLS = 50
KEPT = 8
"""Connections of one pool that are kept for the next request."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one request, its redirects and repetitions included. `wait_seconds` is how long it may wait for a rate
    limit; what would take longer is a RateLimitedError that says when to come back."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    total_seconds: float = 120.0
    body_bytes: int = 20_000_000
    redirects: int = 5
    tries: int = 3
    wait_seconds: float = 30.0


@dataclass
class Outgoing:
    """Requests to other systems. `hosts` says where they may go, `headers` go with each (such as a credential).

    Only HARMLESS_HEADERS go along when a redirect leads to another origin, and never a body. `stop` ends waiting early.
    `tls` says which certificates are accepted and shown, where that is not what this machine does.
    """

    hosts: Hosts = field(default_factory=Hosts)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    limits: Limits = field(default_factory=Limits)
    stop: threading.Event = field(default_factory=threading.Event)
    resolve: Resolve = system_resolve
    now: Callable[[], float] = time.time
    tls: ssl.SSLContext | None = None
    _pools: dict[tuple[str, str, int, str], urllib3.HTTPConnectionPool] = field(default_factory=dict, repr=False)
    _paused_until: dict[tuple[str, int], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, url: str, *, etag: str | None = None, **options: Any) -> Answer:
        """GET. With an `etag` of before, the answer may be a 304 (`unchanged`)."""
        headers = {**options.pop("headers", {}), **({"if-none-match": etag} if etag else {})}
        return self.send("GET", url, headers=headers, **options)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        body: bytes | None = None,
        limits: Limits | None = None,
        idempotent: bool | None = None,
    ) -> Answer:
        """Send a request and give its answer, whatever its status: `Answer.checked()` tells success from failure.

        What is idempotent (GET, HEAD, PUT, DELETE unless said otherwise) is tried again when the other side does not
        answer. InputError for addresses that may not be reached, UnavailableError and TimedOutError when nothing
        answers, TooLargeError for a body beyond the limit, RateLimitedError when the other side wants a longer pause.
        """
        bounds = limits or self.limits
        sent = {"user-agent": AGENT, "accept-encoding": "gzip", **_lower(self.headers), **_lower(headers or {})}
        if json is not None:
            body, sent["content-type"] = jsons.dumps(json).encode(), sent.get("content-type", "application/json")
        call = _Call(method.upper(), split(url), sent, body, bounds, time.monotonic() + bounds.total_seconds)
        repeat = call.method in IDEMPOTENT if idempotent is None else idempotent
        for attempt in range(1, bounds.tries + 1):
            self._keep_pause(call)
            last = attempt == bounds.tries
            try:
                answer = self._follow(call)
            except UnavailableError:
                if last or not repeat or not self._rest(backoff_seconds(attempt), call):
                    raise
                continue
            pause = wait_seconds(answer.status, answer.headers, self.now(), answer.body)
            if pause is not None and pause > 0:
                self._note_pause(call, pause)
            if is_limit(answer.status, answer.headers, answer.body):
                if last:
                    raise _limited(call, pause or 0.0)
                continue  # the pause is kept, or refused, at the start of the next round
            if answer.status in AGAIN and repeat and not last and self._rest(pause or backoff_seconds(attempt), call):
                continue
            return answer
        raise AssertionError("unreachable")

    def open_lines(
        self, url: str, *, idle_seconds: float, accept: str = "*/*", line_bytes: int = 1_000_000
    ) -> tuple[Answer, Iterator[bytes]]:
        """GET of what is sent line by line for as long as the other side likes: the answer, and its lines as they come.

        The body is in the answer only where that is no success. UnavailableError when nothing came for `idle_seconds`
        or the connection broke, TooLargeError for a longer line. Redirects are not followed.
        """
        call = _Call("GET", split(url), _lower(self.headers), None, self.limits, time.monotonic() + 365 * 86400.0)
        self._keep_pause(call)
        headers = {"user-agent": AGENT, "accept": accept, **call.headers}
        return open_stream(self._pool(call.url), call.url, headers, idle_seconds, line_bytes)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()

    def _follow(self, call: _Call) -> Answer:
        method, url, headers, body = call.method, call.url, dict(call.headers), call.body
        for _ in range(call.limits.redirects + 1):
            answer = self._once(method, url, headers, body, call)
            target = answer.headers.get("location")
            if answer.status not in REDIRECTS or not target:
                return answer
            following = split(urljoin(url.geturl(), target))
            if answer.status == 303 or (answer.status in (301, 302) and method == "POST"):
                method, body = "GET", None
            if (following.scheme, following.netloc) != (url.scheme, url.netloc):
                headers = {name: value for name, value in headers.items() if name in HARMLESS_HEADERS}
                if body:
                    raise InputError(
                        f"{call.shown} leads to {following.scheme}://{following.netloc}, which gets nothing that was "
                        "sent: correct the address in the settings",
                        code="outgoing.redirects",
                    )
            url = following
        if not call.limits.redirects:
            raise InputError(
                f"{call.shown} leads elsewhere, which is not followed: give the address that it leads to",
                code="outgoing.redirects",
            )
        raise InputError(
            f"{call.shown} leads on more than {call.limits.redirects} times: give the address that it leads to",
            code="outgoing.redirects",
        )

    def _once(
        self, method: str, url: SplitResult, headers: Mapping[str, str], body: bytes | None, call: _Call
    ) -> Answer:
        import urllib3
        from urllib3.exceptions import HTTPError, SSLError

        pool = self._pool(url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        left = call.deadline - time.monotonic()
        if left <= 0:
            raise call.too_slow()
        timeout = urllib3.Timeout(min(call.limits.connect_seconds, left), min(call.limits.read_seconds, left))
        try:
            response = pool.urlopen(
                method,
                target,
                body=body,
                headers={"host": url.netloc, **headers},
                redirect=False,
                retries=False,
                timeout=timeout,
                preload_content=False,
                assert_same_host=False,
            )
            try:
                content = b"" if method == "HEAD" else _read(response, call)
            except BaseException:
                response.close()  # what is left of the body must not be taken for the next answer
                raise
            response.release_conn()
        except SSLError as error:
            raise InputError(
                f"{shown(url.geturl())}: its certificate was not accepted: install its authority on this machine",
                code="outgoing.certificate",
                internal=str(error),
            ) from error
        except (HTTPError, OSError, ValueError) as error:
            raise UnavailableError(
                f"{shown(url.geturl())} does not answer ({type(error).__name__}): check the address, the network and "
                "the other system",
                code="outgoing.unreachable",
            ) from error
        return Answer(response.status, _lower(response.headers), content, url.geturl())

    def _pool(self, url: SplitResult) -> urllib3.HTTPConnectionPool:
        import urllib3

        host = url.hostname or ""
        address = judged_address(url, self.hosts, self.resolve)
        key = (url.scheme, address, port_of(url), host)
        with self._lock:
            if key not in self._pools:
                if len(self._pools) >= MOST_POOLS:
                    self._pools.pop(next(iter(self._pools))).close()
                self._pools[key] = (
                    urllib3.HTTPSConnectionPool(
                        address,
                        port_of(url),
                        maxsize=KEPT,
                        server_hostname=host,
                        assert_hostname=host,
                        ssl_context=self.tls,
                    )
                    if url.scheme == "https"
                    else urllib3.HTTPConnectionPool(address, port_of(url), maxsize=KEPT)
                )
            return self._pools[key]

    def _note_pause(self, call: _Call, pause: float) -> None:
        now = self.now()
        with self._lock:
            over = [payer for payer, until in self._paused_until.items() if until <= now]
            for payer in over:
                del self._paused_until[payer]
            self._paused_until[call.payer] = now + pause

    def _keep_pause(self, call: _Call) -> None:
        pause = self._paused_until.get(call.payer, 0.0) - self.now()
        if pause <= 0:
            return
        if pause > call.limits.wait_seconds or not self._rest(pause, call):
            raise _limited(call, pause)

    def _rest(self, seconds: float, call: _Call) -> bool:
        # False when there is no time for it, or nobody wants the answer any more.
        if seconds > call.deadline - time.monotonic():
            return False
        return not self.stop.wait(seconds)


@dataclass(frozen=True)
class _Call:
    method: str
    url: SplitResult
    headers: Mapping[str, str]
    body: bytes | None
    limits: Limits
    deadline: float

    @property
    def shown(self) -> str:
        return shown(self.url.geturl())

    @property
    def payer(self) -> tuple[str, int]:
        """Whose limit it counts towards: the place, and the credential without its value. Somebody's token that is used
        up holds up nobody else."""
        own = sorted((name, value) for name, value in self.headers.items() if name not in HARMLESS_HEADERS)
        return f"{self.url.scheme}://{self.url.netloc}", hash(tuple(own))

    def too_slow(self) -> TimedOutError:
        return TimedOutError(
            f"{self.shown} was not done within {self.limits.total_seconds:g} seconds", code="outgoing.too_slow"
        )


def _read(response: urllib3.BaseHTTPResponse, call: _Call) -> bytes:
    said = response.headers.get("content-length", "")
    if said.isdigit() and int(said) > call.limits.body_bytes:
        raise _too_large(call)
    parts: list[bytes] = []
    size = 0
    while True:
        if time.monotonic() > call.deadline:
            raise call.too_slow()
        part = response.read1(CHUNK, decode_content=True)
        if not part:
            return b"".join(parts)
        size += len(part)
        if size > call.limits.body_bytes:
            raise _too_large(call)
        parts.append(part)


def _too_large(call: _Call) -> TooLargeError:
    return TooLargeError(f"{call.shown} is larger than {call.limits.body_bytes} bytes", code="outgoing.too_large")


def _limited(call: _Call, pause: float) -> RateLimitedError:
    return RateLimitedError(
        f"{call.url.netloc} wants a pause of {pause:.0f} seconds before the next request",
        code="outgoing.rate_limited",
        retry_after_seconds=pause,
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
