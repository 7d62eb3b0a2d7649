"""The one PostgreSQL server of an installation: made, started, found again, ended. It outlives Taxiway.

Used by the driver (before it acts) and by the background service. Every change happens under a lock file, because
workers are processes of their own. It listens on 127.0.0.1 only, asks everyone for a password, and has no Unix
socket: nothing needs one, and a socket's path has a length limit that data folders reach.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity, PluginContext, daemons
from taxiway.plugin.daemons import Daemon
from taxiway.plugins.postgres_local.identity import check_reach, choose, programs
from taxiway.plugins.postgres_local.settings import PostgresLocalSettings

SUPERUSER = "postgres"
SECRET_NAME = "postgres_local/superuser"  # noqa: S105  the name of a secret, not a secret
RECORD = "server"
MOST_LOG_BYTES = 10_000_000
INITDB_SECONDS = 120
FAST_STOP = (signal.SIGINT, 10.0)
IMMEDIATE_STOP = (signal.SIGQUIT, 5.0)


class Server:
    """`ensure` gives a port that answers. Nothing is started before the first `ensure`."""

    def __init__(self, ctx: PluginContext) -> None:
        self._ctx = ctx
        self.settings: PostgresLocalSettings = ctx.settings or PostgresLocalSettings()
        self._daemon: Daemon | None = None
        self._folder = ctx.data_dir.resolve()
        self.cluster = self._folder / "cluster"
        self.log = self._folder / "postgres.log"

    @property
    def exists(self) -> bool:
        """Whether there is a cluster at all."""
        return self.cluster.exists()

    def lock(self) -> Path:
        """The file to hold while the server or its set of databases changes."""
        return self._ctx.run_dir / "lock"

    def port(self) -> int:
        """The port, the same for the life of the cluster: workloads were told it. 0: not chosen yet."""
        record = self._ctx.records.get(RECORD)
        return int(record.value.get("port", 0)) if record else 0

    def password(self) -> str:
        """The superuser's password."""
        record = self._ctx.records.get(RECORD)
        if record is None:
            raise UnavailableError(
                "the store does not know the local PostgreSQL server's password: restore store and data folder "
                "from one backup",
                code="postgres_local.no_password",
            )
        return self._ctx.secrets.get(str(record.value["password"]))

    def running(self) -> Daemon | None:
        """The live server, also one that an earlier Taxiway started; None when there is none."""
        if self._daemon is not None and self._daemon.alive():
            return self._daemon
        self._daemon = next(iter(daemons.find(str(self.cluster), self._user())), None) if self.exists else None
        return self._daemon

    def ensure(self) -> int:
        """Make sure that the server answers, and return its port. UnavailableError says why it does not."""
        found = self.running()
        if found is not None and self._is_ready(found):
            return self.port()
        with daemons.locked(self.lock()):
            return self._ensure()

    def _ensure(self) -> int:
        found = self.running()
        if found is not None:
            self._await_ready(found)
            return self.port()
        identity = choose(self.settings.user, self.cluster, self._ctx.identity)
        folder = programs(self.settings.bin_folder)
        self._prepare_folder(identity)
        check_reach(self._folder, folder, identity)
        if not self.exists:
            self._initialise(folder, identity)
        self._clear_remains()
        port = self._choose_port()
        self._await_ready(self._start(folder, identity, port))
        self._note(port=port, told=True)
        return port

    def stop(self) -> None:
        """End the server: open transactions are rolled back, files are left consistent. Nothing happens without one."""
        with daemons.locked(self.lock()):
            found = self.running()
            if found is not None:
                found.end(FAST_STOP, IMMEDIATE_STOP)
            self._daemon = None

    def _user(self) -> int:
        return self.cluster.stat().st_uid

    def _prepare_folder(self, identity: Identity) -> None:
        """The plugin's folder is closed; the server's group may pass through it, and nobody else."""
        if identity.gid is not None:
            daemons.give_group(self._folder, identity)
            self._folder.chmod(0o710)

    def _initialise(self, folder: Path, identity: Identity) -> None:
        """`initdb` into a folder beside, renamed when it is whole: a crash leaves none or a whole cluster."""
        unfinished = self._folder / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        daemons.give(unfinished, identity)
        record = self._ctx.records.get(RECORD)
        if record is None:
            reference = self._ctx.secrets.put(SECRET_NAME, secrets.token_urlsafe(32))
            record = self._ctx.records.put(RECORD, {"password": reference, "port": 0})
        # The password reaches initdb through memory: it never lies in a file.
        descriptor = os.memfd_create("password")
        try:
            os.write(descriptor, self._ctx.secrets.get(str(record.value["password"])).encode())
            self._run_initdb(folder, identity, unfinished, descriptor)
        finally:
            os.close(descriptor)
        unfinished.rename(self.cluster)

    def _run_initdb(self, folder: Path, identity: Identity, target: Path, password: int) -> None:
        arguments = [
            str(folder / "initdb"),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile=/proc/self/fd/{password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=" + ("C.UTF-8" if sys.platform == "linux" else "C"),
            "--data-checksums",
        ]
        try:
            result = subprocess.run(
                arguments,
                cwd=target,
                env=_environment(folder),
                pass_fds=(password,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                timeout=INITDB_SECONDS,
                check=False,
                **daemons.as_user(identity),
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"initdb did not finish in {INITDB_SECONDS} s: is the disk very slow?") from error
        if result.returncode != 0:
            said = "\n".join(result.stdout.decode("utf-8", "replace").splitlines()[-8:])
            raise UnavailableError(f"initdb could not make the database cluster in {target}: {said}")

    def _choose_port(self) -> int:
        port = self.port()
        if port and daemons.is_port_free(port):
            return port
        record = self._ctx.records.get(RECORD)
        if port and record is not None and record.value.get("told") and self._ctx.records.list("database/", limit=1):
            raise UnavailableError(
                f"port {port} of the local PostgreSQL server is used by another program: end that program; the "
                "server starts by itself then (deployed services were told this port, so it does not change)",
                code="postgres_local.port",
            )
        port = daemons.free_port()
        self._note(port=port, told=False)
        return port

    def _note(self, **facts: Any) -> None:
        """Remember facts about the server; `told`: it answered on its port, so that services may know the port."""
        record = self._ctx.records.get(RECORD)
        there = dict(record.value) if record is not None else {}
        if there != {**there, **facts}:
            self._ctx.records.put(RECORD, {**there, **facts})

    def _clear_remains(self) -> None:
        """After a crash: end server processes without their head, and forget a pid that another program has now.

        PostgreSQL looks after its pid file itself, except when the pid was given to a foreign process: it would then
        believe that process to be the server. Orphans still write into the cluster, so they end first.
        """
        for orphan in daemons.find_in(self.cluster, "postgres", self._user()):
            orphan.end()
        pid_file = self.cluster / "postmaster.pid"
        lines = _lines(pid_file)
        if lines and lines[0].strip().isdigit() and Path("/proc", lines[0].strip()).exists():
            pid_file.unlink(missing_ok=True)

    def _start(self, folder: Path, identity: Identity, port: int) -> Daemon:
        if self.log.exists() and self.log.stat().st_size > MOST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        arguments = [str(folder / "postgres"), "-D", str(self.cluster)]
        for name, value in self._options(port).items():
            arguments += ["-c", f"{name}={value}"]
        self._daemon = daemons.start(
            arguments, identity=identity, cwd=self.cluster, log=self.log, environment=_environment(folder)
        )
        self._ctx.log.info("postgres.started", pid=self._daemon.pid, port=port)
        return self._daemon

    def _options(self, port: int) -> dict[str, str | int]:
        """Small and local, but durable: fsync and full page writes stay on."""
        return {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "shared_buffers": self.settings.shared_buffers,
            "max_connections": self.settings.max_connections,
            "max_wal_size": "256MB",
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "recovery_init_sync_method": "syncfs" if sys.platform == "linux" else "fsync",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            # Statements of services hold their users' data, which has no place in a log of the platform.
            "log_min_error_statement": "panic",
        }

    def _is_ready(self, daemon: Daemon) -> bool:
        """What the server says of itself in its pid file. The file of a killed server says `ready` for ever."""
        lines = _lines(self.cluster / "postmaster.pid")
        return len(lines) > 7 and lines[0].strip() == str(daemon.pid) and lines[7].strip() == "ready"

    def _await_ready(self, daemon: Daemon) -> None:
        deadline = time.monotonic() + self.settings.start_seconds
        while daemon.alive():
            if self._is_ready(daemon):
                return
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"the local PostgreSQL server is not ready after {self.settings.start_seconds:g} s, it may still "
                    f"be recovering: try again later. Its log is {self.log}",
                    code="postgres_local.slow",
                )
            time.sleep(0.02)
        self._daemon = None
        raise UnavailableError(
            f"the local PostgreSQL server ended at its start: {daemons.tail(self.log)}", code="postgres_local.ended"
        )


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": f"{folder}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
