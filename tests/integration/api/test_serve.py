"""The server as a process of its own: start, one per data folder, stop with open streams, host engines, ports."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

SERVE = """
import sys
from taxiway.api.serve import serve
from taxiway.core.settings import load_settings, process_environ
from taxiway.model.errors import TaxiwayError
from taxiway.worker.main import run_worker
try:
    serve(load_settings(process_environ()), run_worker)
except TaxiwayError as error:
    sys.exit(error.detail)
"""


def start(data: Path, **variables: str) -> subprocess.Popen[str]:
    environ = {
        **os.environ,
        "TAXIWAY_DATA": str(data),
        "TAXIWAY_PORT": "0",
        "TAXIWAY_PLUGINS__ACT__PREFETCH": "false",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@contextmanager
def running(data: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(data, **variables)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"ready: (http://\S+)", line)
        assert found, line + (process.communicate(timeout=5)[1] if process.poll() is not None else "")
        yield process, found.group(1)
    finally:
        process.kill()
        process.communicate(timeout=10)


def link_of(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    # On a slow machine a log line can come first.
    line = next(line for line in process.stderr if "link_token=" in line)
    return line.strip().rpartition("link_token=")[2]


def test_the_first_start_prints_a_link_and_a_stop_ends_open_streams(tmp_path: Path) -> None:
    with running(tmp_path) as (process, url), httpx.Client(base_url=url, timeout=10) as client:
        answer = client.post("/api/access/v1/sessions", json={"link_token": link_of(process)})
        assert answer.status_code == 201, answer.text
        opened, ended = threading.Event(), threading.Event()

        def follow() -> None:
            with client.stream("GET", "/api/events/v1/stream", headers={"last-event-id": "0"}) as stream:
                for text in stream.iter_text():
                    if "event: event" in text:
                        opened.set()
            ended.set()

        threading.Thread(target=follow, daemon=True).start()
        assert opened.wait(10), "the sealed events of the first start come"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert ended.wait(1), "the stream ended by itself"
    with running(tmp_path) as (process, url):
        assert httpx.get(url + "/readyz").status_code == 200
        process.send_signal(signal.SIGINT)
        process.wait(10)
        assert process.stderr is not None
        assert "link_token" not in process.stderr.read()


def test_the_log_is_json_with_trace_and_without_tokens(tmp_path: Path) -> None:
    with running(tmp_path) as (process, url):
        trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        token = "txw_" + "a" * 43
        headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "authorization": f"Bearer {token}"}
        assert httpx.get(url + f"/api/x/{token}", headers=headers).status_code == 401
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stderr is not None
        log = process.stderr.read()
    assert f'"trace_id":"{trace}"' in log
    assert token not in log
