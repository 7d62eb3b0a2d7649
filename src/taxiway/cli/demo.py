"""`taxiway demo`: the main job, from form to live service, done by a demo developer through the API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from taxiway.cli.admin import open_platform
from taxiway.cli.client import Client, Session, running_pid, running_url
from taxiway.cli.down import STOP_SECONDS
from taxiway.cli.errors import CliError
from taxiway.cli.output import note
from taxiway.cli.runs import follow

TEMPLATE = "template:default/python-service"
DEVELOPER = "user:default/alex.demo"
NAME = "parcels"
OWNER = "group:default/checkout"
ENVIRONMENT = "development"
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 30.0
LIVE_SECONDS = 60.0


def demo(*, data: Path | None = None, port: int | None = None, once: bool = False) -> int:
    """Start the server with the demo organisation, create a service from a golden path, and show it live.

    Parameters
    ----------
    data
        Data folder of the demo.
    port
        Port of the portal; default 7007, or a free one when that is taken.
    once
        Check that the service answers, stop everything, and exit.
    """
    folder = (data or Path(os.environ.get("TAXIWAY_DATA", ".taxiway/demo"))).resolve()
    if running_pid(folder) is not None:
        raise CliError(f"a demo runs already: {running_url(folder)} (stop it with `taxiway down --data {folder}`)", 6)
    # Whoever ends us, the server, workloads and databases that we started end with us.
    asked = threading.Event()

    def interrupt(*_: object) -> None:
        asked.set()
        raise _EndedError

    for number in ENDS:
        signal.signal(number, interrupt)
    server = _start(folder, port)
    try:
        code = _shown(folder, server)
        if not (once or code or asked.is_set()):
            server.wait()
    except (_EndedError, Exception):
        # Where the signal met a library, it may have become an error of its own.
        if not asked.is_set():
            raise
    finally:
        _stop(folder, server)
    if asked.is_set():
        note("stopped")
        return 0
    return code


def _shown(folder: Path, server: subprocess.Popen[bytes]) -> int:
    """The main job on a server that starts; 0 when the service answered, and where to go from there is told."""
    url = _wait_for(folder, server)
    token, link = _sign_in(folder)
    code = _main_job(Client(Session(url, token)))
    if code == 0:
        _tell(url, link)
    return code


class _EndedError(BaseException):
    """A signal asks for the end. Not KeyboardInterrupt: raised below an `eval` (as in a named tuple's making), Python
    remembers that one and ends the process by SIGINT although it was handled."""


def _start(folder: Path, port: int | None) -> subprocess.Popen[bytes]:
    note("starting Taxiway with the demo organisation")
    folder.mkdir(mode=0o711, parents=True, exist_ok=True)
    chosen = port if port is not None else _free_port()
    command = [sys.executable, "-m", "taxiway.cli.main", "up", "--data", str(folder), "--demo", "--port", str(chosen)]
    with (folder / "server.log").open("ab") as log:
        # A session of its own: Ctrl-C reaches this command first, which then stops the server in order.
        return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 7007))
        except OSError:
            return 0
        return 7007


def _wait_for(folder: Path, server: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        url = running_url(folder)
        if url is not None and _get(url, "/readyz")[0] == 200:
            note(f"the portal is up: {url}")
            return url
        time.sleep(0.05)
    tail = (folder / "server.log").read_text(errors="replace").splitlines()[-15:]
    raise CliError(f"the server did not become ready; its log is {folder / 'server.log'}", 11, tail)


def _sign_in(folder: Path) -> tuple[str, str]:
    """A token for the demo developer, and a link token that signs a browser in as them."""
    from taxiway.features.access import service as access

    with open_platform(folder) as platform:
        ctx = platform.system("demo")
        access.assign_role(ctx, DEVELOPER, "developer")
        made = access.grant_token(ctx, "demo", "developer", 12 * 3600, subject=DEVELOPER)
        return made.value, access.create_sign_in_link(ctx, DEVELOPER)


def _main_job(client: Client) -> int:
    live = _deployment(client)
    if live is None:
        note(f"creating the service '{NAME}' from the golden path as {DEVELOPER}")
        values = {"name": NAME, "owner": OWNER, "description": "Tracks parcels from the warehouse to the door"}
        body = {"templateRef": TEMPLATE, "values": values}
        started = time.monotonic()
        task = client.call("POST", "/api/scaffolder/v2/tasks", body=body)
        code = follow(client, task["id"], quiet=True)
        if code:
            _last_lines(client, task["id"])
            return code
        note(f"form to live service: {time.monotonic() - started:.1f} s")
        live = _deployment(client)
    if live is None or not live.get("url"):
        note(f"'{NAME}' has no deployment in {ENVIRONMENT}: see its page in the portal")
        return 1
    return _check(live["url"])


def _deployment(client: Client) -> dict[str, Any] | None:
    query = {"service": f"component:default/{NAME}", "environment": ENVIRONMENT}
    for item in client.pages("/api/environments/v1/deployments", query, most=20):
        if item["state"] == "live":
            return dict(item)
    return None


def _check(url: str) -> int:
    """Write a row through the service and read it back."""
    deadline = time.monotonic() + LIVE_SECONDS
    status, text = 0, ""
    while time.monotonic() < deadline:
        status, text = _get(url, "/readyz")
        if status == 200:
            break
        time.sleep(0.2)
    else:
        note(f"{url} does not answer well ({status}): {text[:200]}")
        return 1
    note(f"\n  the service   {url}")
    status, text = _get(url, "/items", {"name": f"Parcel {int(time.time())}"})
    note(f"  POST /items   {status} {text.strip()[:120]}")
    if status != 201:
        return 1
    status, text = _get(url, "/items")
    note(f"  GET /items    {status} {text.strip()[:120]}")
    return 0 if status == 200 else 1


def _get(url: str, path: str, body: Any = None) -> tuple[int, str]:
    """Status and body. `*.localhost` names need no resolver: the connection goes to 127.0.0.1."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    address = "127.0.0.1" if host.endswith(".localhost") else host
    connection = HTTPConnection(address, parts.port or 80, timeout=5)
    headers = {"Host": parts.netloc, "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body)
    try:
        connection.request("GET" if body is None else "POST", path, body=content, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(65536).decode(errors="replace")
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()


def _last_lines(client: Client, run_id: str) -> None:
    lines = client.call("GET", f"/api/runs/v1/runs/{run_id}/logs", query={"limit": 500})["items"]
    for line in lines[-15:]:
        note(f"    {line['step_id']}: {line['text']}")


def _tell(url: str, link: str) -> None:
    note(f"\n  the portal    {url}")
    note(f"  sign in       {url}/sign-in#link_token={link}")
    note("  stop          Ctrl-C (what you made stays for the next `make demo`)\n")


def _stop(folder: Path, server: subprocess.Popen[bytes]) -> None:
    """Stop all of it by `taxiway down` in a process of its own: a signal can have reached this one in the middle of an
    import, and what is half imported cannot be imported again."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
    if server.poll() is None:
        server.terminate()
    command = [sys.executable, "-m", "taxiway.cli.main", "down", "--data", str(folder)]
    ended = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    if ended.returncode:
        note(ended.stderr.strip())
    server.wait(STOP_SECONDS)
