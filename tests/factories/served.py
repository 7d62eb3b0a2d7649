"""A real server on a free port, in a thread of the test: the app of `create_app` behind uvicorn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import structlog
import uvicorn

from taxiway.api.app import create_app
from taxiway.api.platform import build_platform
from taxiway.api.portal import Portal
from taxiway.api.protocol import Protocol
from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.settings import load_settings
from taxiway.features.access import service as access
from taxiway.kit.clock import Clock


@dataclass
class Served:
    """The running server. `client()` is nobody; `client(token=…)` or `client(roles=…)` is somebody."""

    platform: Platform
    url: str
    app: Any

    def token(self, role: str = "admin", subject: str = "user:default/tester", **options: Any) -> str:
        return access.grant_token(self.platform.system("test"), "test", role, 3600, subject=subject, **options).value

    def client(self, token: str | None = None, **options: Any) -> httpx.Client:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        # Nothing is encrypted here: reading the certificates of the system would cost 30 ms a client.
        return httpx.Client(base_url=self.url, headers=headers, timeout=10, verify=False, **options)

    def session(self, subject: str = "user:default/admin") -> httpx.Client:
        """A client that is signed in by cookie, and does not send the CSRF header by itself."""
        client = self.client()
        link = access.create_sign_in_link(self.platform.system("test"), subject)
        assert client.post("/api/access/v1/sessions", json={"link_token": link}).status_code == 201
        return client


@contextmanager
def served(
    data: Path,
    *,
    clock: Clock | None = None,
    features: Sequence[Feature] | None = None,
    plugins: Sequence[Any] | None = (),
    portal: Portal | None = None,
    plugin_settings: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Iterator[Served]:
    """Serve a platform on `data`. Without `plugins` none is loaded; None loads the installed ones."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    loaded = load_settings({}, {"data": data, "port": 0, "plugins": plugin_settings or {}, **settings})
    platform = build_platform(loaded, clock=clock, features=features, plugins=plugins)
    access.ensure_local_admin(platform.system("test"))
    app = create_app(platform, portal or Portal(None))
    config = uvicorn.Config(
        app, http=Protocol, port=0, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(platform, f"http://127.0.0.1:{port}", app)
    finally:
        platform.stopping.set()
        server.should_exit = True
        thread.join(5)
        platform.store.close()
