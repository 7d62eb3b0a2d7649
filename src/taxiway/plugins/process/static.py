"""Serves the files of a folder over HTTP, on $HOST and $PORT, until it is told to stop, with the standard library only.

Every release of a static site has a copy of it. A path without a file is `<path>.html`, `<path>/index.html`, or the
site's `404.html`. `/healthz` says that it works. Files below `assets/` never change, so clients may keep them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}
FOR_GOOD = "public, max-age=31536000, immutable"


class Handler(SimpleHTTPRequestHandler):
    """A request for a file."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "static", ""
    timeout = 60
    _status = 0

    def send_head(self) -> Any:
        if urlsplit(self.path).path == "/healthz":
            return self._say(HTTPStatus.OK, b"ok\n")
        # After a rollback files are older than what a browser has, and differ from it nevertheless.
        del self.headers["If-Modified-Since"]
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """A folder without an index is not there."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def translate_path(self, path: str) -> str:
        # No name of a file has a NUL, and to ask for one is an error of another kind than that it is not there.
        found = super().translate_path(path).replace("\0", "%00")
        with_suffix = f"{found.rstrip('/')}.html"
        return with_suffix if not os.path.exists(found) and os.path.isfile(with_suffix) else found  # noqa: PTH110,PTH113

    def send_response(self, code: int, message: str | None = None) -> None:
        self._status = code
        super().send_response(code, message)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        page = Path(self.directory, "404.html")
        if code == HTTPStatus.NOT_FOUND and page.is_file():
            self._say(HTTPStatus.NOT_FOUND, page.read_bytes(), "text/html; charset=utf-8")
        else:
            super().send_error(code, message, explain)

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        # A file that is not there yet must not be missing for good; a request that is none has no path.
        is_asset = getattr(self, "path", "").startswith("/assets/") and self._status == HTTPStatus.OK
        self.send_header("Cache-Control", FOR_GOOD if is_asset else "no-cache")
        super().end_headers()

    def _say(self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(folder: str) -> None:
    """Serve until SIGTERM."""

    def handler(*given: Any) -> Handler:
        return Handler(*given, directory=folder)

    server = ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))), handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main(sys.argv[1])
