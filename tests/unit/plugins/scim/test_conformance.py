"""The checks of an independent tester of SCIM servers (scim2-tester) against the ASGI app, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from itertools import count
from typing import Any

from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from taxiway.plugin import ManualClock
from taxiway.plugin.testing import MemoryRecords
from taxiway.plugins.scim.app import ScimApp
from taxiway.plugins.scim.directory import Directory

BASE = "http://taxiway.test/scim/v2"
GOOD = frozenset({Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE, Status.SKIPPED})


def test_an_independent_tester_finds_nothing_wrong() -> None:
    numbers = count(1)
    app = ScimApp(Directory(MemoryRecords(), ManualClock(), lambda: f"id-{next(numbers)}"), BASE, lambda: None)

    def called(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, headers, body = asyncio.run(_call(app, environ))
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [body]

    results = check_server(WSGISCIMClient(called, BASE))
    wrong = [f"{result.title}: {result.reason}" for result in results if result.status not in GOOD]
    assert not wrong
    assert sum(result.status is Status.SUCCESS for result in results) > 100


async def _call(app: ScimApp, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    sent: list[dict[str, Any]] = []
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": environ["REQUEST_METHOD"],
        "path": environ["PATH_INFO"],
        "root_path": "/scim",
        "query_string": environ.get("QUERY_STRING", "").encode(),
        "headers": [
            (key.removeprefix("HTTP_").replace("_", "-").lower().encode(), str(value).encode())
            for key, value in environ.items()
            if key.startswith("HTTP_")
        ],
        "taxiway.authorize": lambda permission, owner: None,
    }
    await app(scope, receive, send)
    start, end = sent
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return start["status"], headers, end["body"]
