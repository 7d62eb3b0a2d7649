"""Requests to workloads: `*.localhost` names go to 127.0.0.1 without a resolver."""

from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit


def fetch(url: str, path: str, body: Any = None, seconds: float = 10) -> tuple[int, str]:
    """Status and body; status 0 when nobody answers."""
    parts = urlsplit(url)
    connection = HTTPConnection("127.0.0.1", parts.port or 80, timeout=seconds)
    try:
        content = None if body is None else json.dumps(body)
        headers = {"Host": parts.netloc, "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body=content, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


class Stream:
    """Requests one after another in a thread until `stop`; `statuses` has the outcome of each."""

    def __init__(self, url: str, path: str, pause: float) -> None:
        self.statuses: list[tuple[int, str]] = []
        self._url, self._path, self._pause = url, path, pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(self._pause):
            self.statuses.append(fetch(self._url, self._path))

    def stop(self) -> list[tuple[int, str]]:
        self._stop.set()
        self._thread.join(15)
        return self.statuses
