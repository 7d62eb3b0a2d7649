"""`taxiway demo` ends what it started, however it is ended itself."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import CLI


def running(folder: Path) -> list[str]:
    """Commands that name the folder: the server, workloads, databases and the router have it among their arguments."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_demo_that_is_ended_leaves_nothing_running(open_folder: Path, number: signal.Signals) -> None:
    data = open_folder / "data"
    demo = subprocess.Popen(
        [*CLI, "demo", "--data", str(data), "--port", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert demo.stderr is not None
    said = ""
    for line in demo.stderr:
        said += line
        if "the portal is up" in line:
            break
    assert "the portal is up" in said
    assert len(running(data)) >= 2, "the demo and its server"
    demo.send_signal(number)
    demo.stderr.read()
    assert demo.wait(30) == 0
    deadline = time.monotonic() + 5
    while running(data) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(data) == []
