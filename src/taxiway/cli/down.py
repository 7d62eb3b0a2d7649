"""`taxiway down`: stops everything that runs for a data folder, and keeps what is stored."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from taxiway.cli.admin import open_platform
from taxiway.cli.client import data_folder, running_pid
from taxiway.cli.errors import CliError
from taxiway.cli.output import note

STOP_SECONDS = 10.0


def down(*, data: Path | None = None) -> None:
    """Stop the server, then its workloads, databases and router. `taxiway up` brings them back."""
    folder = data or data_folder()
    stop_server(folder)
    halt_engines(folder)
    note("stopped")


def stop_server(folder: Path) -> None:
    """End the server of a data folder. CliError when it does not stop in time."""
    pid = running_pid(folder)
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while running_pid(folder) is not None:
        if time.monotonic() > deadline:
            raise CliError(f"the server (process {pid}) does not stop: end it with kill -9 {pid}")
        time.sleep(0.05)


def halt_engines(folder: Path) -> None:
    """End every process that host engines run for a data folder, of whatever version its store is. CliError names the
    engines that could not; the others are ended all the same."""
    from taxiway.model.errors import TaxiwayError
    from taxiway.plugin import HostEngine

    failed = []
    with open_platform(folder, engines_only=True) as platform:
        for engine in platform.registry.all("host_engine", HostEngine):
            try:
                engine.halt()
            except (TaxiwayError, OSError) as error:
                failed.append(f"{engine.key}: {error}")
        for item in platform.plugins:
            if item.state == "failed":
                note(f"what the plugin {item.name} runs was not looked for: {item.reason}")
    if failed:
        raise CliError("not everything could be stopped", details=failed)
