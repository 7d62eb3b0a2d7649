"""The console command: read settings, wire logs and traces, serve until SIGTERM."""

import asyncio
import logging
import signal
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError

from .app import create_app
from .health import Health
from .logs import configure_logging
from .settings import Settings, load_settings
from .tracing import configure_tracing

log = logging.getLogger(__name__)


class DrainingServer(uvicorn.Server):
    """Turns unready on the first SIGTERM, keeps serving for the drain time, then finishes what is under way."""

    def __init__(self, config: uvicorn.Config, health: Health, drain_seconds: float) -> None:
        super().__init__(config)
        self._health = health
        self._drain_seconds = drain_seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._health.draining:  # a second signal: stop now
            super().handle_exit(sig, frame)
            return
        self._health.draining = True
        log.info("draining", extra={"signal": signal.Signals(sig).name, "seconds": self._drain_seconds})
        loop = asyncio.get_running_loop()
        loop.call_soon_threadsafe(loop.call_later, self._drain_seconds, super().handle_exit, sig, frame)


def serve(settings: Settings) -> None:
    """Run the HTTP server; returns after a clean shutdown."""
    health = Health()
    config = uvicorn.Config(
        create_app(settings, health),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )
    # uvicorn raises the signal again once it has shut down; swallowing it there lets a clean stop exit with 0.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: None)
    server = DrainingServer(config, health, settings.shutdown_drain_seconds)
    server.run()
    if not server.started:
        sys.exit(3)


def main() -> None:
    try:
        settings = load_settings()
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, item['loc'])).upper()}: {item['msg']}" for item in error.errors()]
        sys.exit("Settings are not valid; set these environment variables:\n" + "\n".join(lines))
    configure_logging(settings.log_level)
    provider = configure_tracing(settings.otel_exporter_otlp_endpoint)
    try:
        serve(settings)
    finally:
        provider.shutdown()


if __name__ == "__main__":
    main()
