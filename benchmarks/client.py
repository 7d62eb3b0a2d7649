"""HTTP over loopback with the standard library: single calls, and a load bounded in connections and seconds.

The load comes from processes of a few threads each that share the machine with the server.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import threading
import time
import urllib.parse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

THREADS_EACH = 4
MOST_CONNECTIONS = 64
MOST_SECONDS = 60.0


class Api:
    """A server by its URL and token, over one kept connection. It refuses any host but this machine."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.hostname not in ("127.0.0.1", "localhost"):
            raise SystemExit(f"{url} is not on this machine: benchmarks measure loopback only")
        self.url, self.token = url.rstrip("/"), token
        self._head = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=120)

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Status and body; a kept connection that was closed meanwhile is opened once more."""
        content = None if body is None else json.dumps(body)
        head = self._head if body is None else self._head | {"Content-Type": "application/json"}
        for attempt in (1, 2):
            try:
                self._connection.request(method, path, content, head)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if attempt == 2:
                    raise
        raise AssertionError

    def call(self, method: str, path: str, body: Any = None, fine: Sequence[int] = ()) -> Any:
        """The answer's JSON. RuntimeError for a status of 300 and more that is not in `fine`."""
        status, raw = self.send(method, path, body)
        if status >= 300 and status not in fine:
            raise RuntimeError(f"{method} {path}: {status} {raw[:300]!r}")
        return json.loads(raw) if raw else None


def p50_p95(seconds: Sequence[float]) -> str:
    """Both percentiles as text in milliseconds; of few values, the nearest one."""
    ordered = sorted(seconds)
    p50, p95 = (1000 * ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.95))
    return f"p50 {p50:.1f}, p95 {p95:.1f} ms"


def load(api: Api, paths: Sequence[str], connections: int, seconds: float) -> str:
    """Ask for `paths` in turn over that many kept connections: requests a second, percentiles, answers not 200."""
    connections, seconds = min(connections, MOST_CONNECTIONS), min(seconds, MOST_SECONDS)
    shares = [min(THREADS_EACH, connections - first) for first in range(0, connections, THREADS_EACH)]
    with ProcessPoolExecutor(len(shares), mp_context=multiprocessing.get_context("spawn")) as pool:
        begin = time.time() + 1.0  # the processes are there before the clock starts
        work = [pool.submit(_share, api.url, api.token, paths, count, begin, seconds) for count in shares]
        results = [item.result() for item in work]
    times = [value for part, _ in results for value in part]
    bad = sum(count for _, count in results)
    return f"{len(times) / seconds:,.0f} rps, {p50_p95(times)}" + (f", {bad} not 200" if bad else "")


def _share(
    url: str, token: str | None, paths: Sequence[str], threads: int, begin: float, seconds: float
) -> tuple[list[float], int]:
    times: list[float] = []
    bad: list[int] = []

    def work(number: int) -> None:
        api, position = Api(url, token), number * 31
        time.sleep(max(0.0, begin - time.time()))
        end = time.perf_counter() + seconds
        while (start := time.perf_counter()) < end:
            status, _ = api.send("GET", paths[position % len(paths)])
            times.append(time.perf_counter() - start)
            position += 1
            if status != 200:
                bad.append(status)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return times, len(bad)
