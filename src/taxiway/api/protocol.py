"""HTTP/1.1 as uvicorn speaks it, which also notes what each request asked for as it was sent. It is what
servers are set up with.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taxiway.core.http.context import TARGET


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol; the scope of a request has its target too."""

    def on_url(self, url: bytes) -> None:
        """A piece of the target: it comes in several when it is long."""
        super().on_url(url)
        scope: Any = self.scope
        scope[TARGET] = self.url
