"""`taxiway up` and `taxiway worker`: the only commands that serve. They assemble, and import the server when called."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from taxiway.cli.output import note

M_ARENA_MAX = -8
"""Its number in glibc's malloc.h."""
COLLECT_AFTER = (50_000, 20, 20)
"""New containers until the youngest are collected. Documents are many containers and no cycles: with Python's own 700
looking for cycles is a tenth of what taking them in costs."""


def up(
    *,
    data: Path | None = None,
    config: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    database_url: str | None = None,
    workers: int | None = None,
    demo: bool | None = None,
) -> None:
    """Start the server on a data folder, with a worker inside.

    Parameters
    ----------
    data
        Data folder; everything that Taxiway keeps is below it.
    config
        Settings file; default taxiway.yaml here or in the data folder.
    host
        Address to listen on.
    port
        Port to listen on; 0 picks a free one.
    database_url
        PostgreSQL URL; default is SQLite in the data folder.
    workers
        Runs worked on at once by this process; 0 leaves them to `taxiway worker`.
    demo
        Load the demo organisation.
    """
    # What a start makes stays: collecting it again and again costs a tenth of the start, and freezing it later keeps
    # every full collection short.
    gc.disable()
    _few_arenas()
    _leave_out()
    from taxiway.api.serve import serve
    from taxiway.core.settings import load_settings, process_environ
    from taxiway.worker.main import run_worker

    flags = {"data": data, "host": host, "port": port, "database_url": database_url, "workers": workers, "demo": demo}
    # Files that Taxiway makes are its own alone, unless a part says otherwise.
    os.umask(0o022)
    serve(load_settings(process_environ(), flags, config), run_worker, _settle)


def _leave_out() -> None:
    """Libraries look for these and do without when they are absent; a server uses neither, and both take 0.17 s."""
    for name in ("rich", "pydantic.v1"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


def _few_arenas() -> None:
    """The C library gives each thread memory of its own, and keeps what one of them gave back: 40 MB after ten thousand
    entities were taken in. Threads that take turns at the interpreter's lock do not need that."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def _settle(platform: Any, url: str) -> None:
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    gc.enable()


def worker(
    *,
    data: Path | None = None,
    config: Path | None = None,
    database_url: str | None = None,
    workers: int | None = None,
) -> None:
    """Add a worker to a server's data folder on this host; it takes over the runs of a worker that died."""
    gc.set_threshold(*COLLECT_AFTER)
    _few_arenas()
    _leave_out()
    import structlog

    from taxiway.api.logs import configure_logs
    from taxiway.api.platform import build_platform
    from taxiway.core.plugins.loader import background_services
    from taxiway.core.settings import load_settings, process_environ
    from taxiway.worker.main import run_worker

    flags = {"data": data, "database_url": database_url, "workers": workers}
    loaded = load_settings(process_environ(), flags, config)
    configure_logs(loaded.settings.telemetry)
    platform = build_platform(loaded)

    def stop(*_: Any) -> None:
        platform.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    services = background_services(platform, lambda name: structlog.get_logger("taxiway").bind(plugin=name))
    thread = threading.Thread(target=run_worker, args=(platform, platform.stopping, services), name="worker")
    thread.start()
    note(f"working on {loaded.settings.data}")
    while thread.is_alive():
        # A join without a time-out would keep signals from being handled.
        thread.join(0.5)
    platform.store.close()
