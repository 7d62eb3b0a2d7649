"""`serve`: the server of one data folder, from the lock to the last byte. Called by `taxiway up` and `taxiway demo`.

It stops within 5 s of SIGTERM or SIGINT: streams end at once, other requests have 3 s, the background half as long.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import uvicorn

from taxiway.api.app import create_app
from taxiway.api.lock import announce, held_lock
from taxiway.api.logs import configure_logs, plugin_logger
from taxiway.api.platform import build_platform
from taxiway.api.protocol import Protocol
from taxiway.api.tracing import traced
from taxiway.core.context import Platform
from taxiway.core.plugins.host import public_url_of
from taxiway.core.plugins.loader import background_services, check_exposure
from taxiway.core.settings import Loaded, Settings
from taxiway.features.access import service as access
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin import BackgroundService, PluginContext

GRACE_SECONDS = 3
WORKER_SECONDS = 4
RunWorker = Callable[[Platform, threading.Event, Sequence[tuple[BackgroundService, PluginContext]]], None]
OnReady = Callable[[Platform, str], None]


def serve(loaded: Loaded, run_worker: RunWorker, on_ready: OnReady | None = None) -> None:
    """Serve until a signal. `run_worker(platform, stop, services)` is the background half, in a thread of its own;
    `on_ready(platform, url)` is called in another thread once requests are answered.

    Raises ConflictError when the data folder or the port is taken, InputError when the settings are not safe.
    """
    configure_logs(loaded.settings.telemetry)
    with held_lock(loaded.settings.data.resolve()) as lock, _bound(loaded.settings) as listener:
        settings = loaded.settings.model_copy(update={"port": listener.getsockname()[1]})
        platform = build_platform(replace(loaded, settings=settings))
        try:
            check_exposure(settings, platform.plugins)
            for feature in platform.features:
                feature.start(platform)
            announce(lock, public_url_of(settings))
            _serve(platform, listener, run_worker, on_ready)
        finally:
            platform.stopping.set()
            platform.store.close()


class _Server(uvicorn.Server):
    """uvicorn that tells the platform of a signal at once, and does not raise the signal again when all is done."""

    def __init__(self, config: uvicorn.Config, platform: Platform, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.platform, self.ready = platform, ready
        self._signalled = asyncio.Event()
        self._wake: Callable[[], object] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    async def main_loop(self) -> None:
        """A tick a second, for the date in answers, instead of ten that look for a signal: that one wakes it."""
        loop = asyncio.get_running_loop()
        self._wake = partial(loop.call_soon_threadsafe, self._signalled.set)
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._signalled.wait(), 1.0)

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.platform.stopping.set()
        super().handle_exit(sig, frame)
        self._wake()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _serve(platform: Platform, listener: socket.socket, run_worker: RunWorker, on_ready: OnReady | None) -> None:
    settings = platform.settings
    services = background_services(platform, plugin_logger)
    worker = threading.Thread(
        target=run_worker, args=(platform, platform.stopping, services), name="worker", daemon=True
    )

    def ready() -> None:
        worker.start()
        url = public_url_of(settings)
        _greet(platform, url)
        if on_ready is not None:
            threading.Thread(target=on_ready, args=(platform, url), name="on-ready", daemon=True).start()

    with traced(create_app(platform), settings.telemetry) as app:
        config = uvicorn.Config(
            app,
            http=Protocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_keep_alive=30,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        _Server(config, platform, ready).run(sockets=[listener])
        platform.stopping.set()
    if worker.is_alive():
        worker.join(WORKER_SECONDS)


def _greet(platform: Platform, url: str) -> None:
    ctx = platform.system("start")
    if access.ensure_local_admin(ctx):
        link = access.create_sign_in_link(ctx)
        print(f"Sign in as the administrator, once within a day: {sign_in_url(url, link)}", file=sys.stderr)
    print(f"Taxiway is ready: {url}", flush=True)


def sign_in_url(url: str, link_token: str) -> str:
    """The address that signs in once. The token is in the fragment, which browsers send to no server."""
    return f"{url}/sign-in#link_token={link_token}"


@contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, settings.port))
        except OSError as error:
            text = os.strerror(error.errno or 0)
            if isinstance(error, socket.gaierror):
                raise InputError(f"'{settings.host}' is no address of this machine", code="settings.host") from error
            raise ConflictError(
                f"cannot listen on {settings.host}:{settings.port} ({text}): stop what uses it, or choose another port "
                "with --port (0 picks a free one)",
                code="settings.port_in_use",
            ) from error
        yield listener
