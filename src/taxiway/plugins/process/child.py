"""What the shim does around a child process: start it confined, probe it, keep its log within bounds.

Part of the shim: standard library only. Costly modules are imported in the forked child, so the shim stays small.
"""
# The shim must not pay for pathlib.
# ruff: noqa: PTH116

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING or __package__:
    from taxiway.plugins.process import daemon, probe, procs
else:
    import daemon
    import probe
    import procs

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2
BLOCK_BYTES = 4096
NEVER = float("inf")


def _prctl() -> Callable[[int, int], None]:
    """The system call, loaded before the user changes: another user may not be able to read our interpreter."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)

    def call(option: int, value: int) -> None:
        unused = ctypes.c_ulong(0)
        if library.prctl(option, ctypes.c_ulong(value), unused, unused, unused) != 0:
            raise OSError(ctypes.get_errno(), f"prctl({option}) was refused")

    return call


def become_subreaper() -> None:
    """Orphans of the workload become children of this process, whatever sessions they opened. Survives exec."""
    _prctl()(PR_SET_CHILD_SUBREAPER, 1)


def spawn(spec: dict[str, Any], log_path: str) -> tuple[int, str]:
    """Start the workload; (pid, '') or (0, why it could not start)."""
    try:
        log = os.open(log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        return 0, f"cannot open the log: {error}"
    try:
        return _spawn(spec, spec["argv"], log)
    except OSError as error:
        return 0, f"cannot start a process: {error}"
    finally:
        os.close(log)


def _spawn(spec: dict[str, Any], argv: list[str], output: int) -> tuple[int, str]:
    reader, writer = os.pipe()
    shim = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            _confine(spec, shim, output)
            os.execvpe(argv[0], argv, _environment(spec))  # noqa: S606 - no shell is wanted
        except BaseException as error:
            os.write(writer, f"cannot start {argv[0]}: {error}".encode()[:4000])
        finally:
            os._exit(127)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        # The pipe closes without a word when exec succeeds.
        problem = pipe.read(4096).decode("utf-8", "replace")
    if problem:
        os.waitpid(pid, 0)
        return 0, problem
    return pid, ""


def _environment(spec: dict[str, Any]) -> dict[str, str]:
    return {**spec["env"], procs.MARKER: spec["marker"]}


def _confine(spec: dict[str, Any], shim: int, output: int) -> None:
    """In the forked child: own session, limits, user, folder, streams."""
    import resource

    prctl = _prctl()
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.umask(0o022)
    for name, value in spec["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))
    if os.geteuid() == 0 and spec["uid"] is not None:
        os.setgroups([])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # After setuid, which clears it: the workload never outlives its shim, so it can never be started twice.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != shim:
        raise RuntimeError("the shim is gone")
    os.chdir(spec["cwd"])
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


class Liveness:
    """Probes a running workload. A failure counts after the first success, or once the start-up time is over."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.probe = spec["liveness"]
        self.timing = spec["probe_timing"]
        self.reset(NEVER)

    def reset(self, moment: float) -> None:
        """The workload started at `moment`."""
        self.due = moment + self.timing["period_seconds"] if self.probe else NEVER
        self.pid = 0
        self.failures = 0
        self.is_live: bool | None = None
        self.was_live = False
        self.problem = ""
        self.reader = -1

    def tick(self, moment: float, started: float) -> bool:
        """Begin or end a probe when due; True when the workload must be restarted."""
        if moment >= self.due:
            if self.pid:
                self._kill()
                self.due = moment + 1.0
            else:
                self._try_begin(moment)
        is_starting = not self.was_live and moment - started < self.timing["startup_seconds"]
        return self.failures >= self.timing["failures"] and not is_starting

    def ended(self, pid: int, code: int, moment: float) -> None:
        """A child that is not the workload ended; when it was the probe, count its result."""
        if pid != self.pid:
            return
        self.pid = 0
        self.due = moment + self.timing["period_seconds"]
        detail = os.read(self.reader, 1000).decode("utf-8", "replace")
        os.close(self.reader)
        if code == 0:
            self.failures, self.is_live, self.was_live = 0, True, True
            return
        self.failures += 1
        self.problem = f"liveness probe failed {self.failures} times: {detail or 'no answer in time'}"
        if self.failures >= self.timing["failures"]:
            self.is_live = False

    def _try_begin(self, moment: float) -> None:
        try:
            self._begin(moment)
        except OSError as error:
            # The machine is short of processes or files: that says nothing about the workload.
            daemon.report(f"cannot probe: {error}")
            self.due = moment + self.timing["period_seconds"]

    def _begin(self, moment: float) -> None:
        self.reader, writer = os.pipe()
        shim = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            _run_probe(self.spec, self.probe, self.timing["timeout_seconds"], shim, writer)
        os.close(writer)
        self.due = moment + self.timing["timeout_seconds"] + 0.5

    def _kill(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _run_probe(spec: dict[str, Any], described: dict[str, Any], timeout: float, shim: int, writer: int) -> None:
    """In a forked child; never returns."""
    try:
        if described.get("exec"):
            argv = described["exec"]["command"]
            _confine(spec, shim, os.open(os.devnull, os.O_WRONLY))
            os.execvpe(argv[0], argv, _environment(spec))  # noqa: S606 - no shell is wanted
        os.setsid()
        # Nothing of the shim may stay open here, above all not its lock.
        os.dup2(writer, 3)
        os.closerange(4, 256)
        writer = 3
        failure = probe.http_failure(int(described["httpGet"]["port"]), described["httpGet"], timeout)
        os.write(writer, failure.encode()[:1000])
        os._exit(1 if failure else 0)
    except BaseException as error:
        os.write(writer, str(error).encode()[:1000])
    finally:
        os._exit(1)


def bound_log(path: str, most_bytes: int) -> None:
    """Free the disk blocks of the oldest output when more than twice `most_bytes` are held.

    A hole is punched at the front: no line is lost while it is written, the writer needs no pipe, and a byte offset
    stays a valid cursor for ever. Where the file system cannot do that the log starts anew.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return
    if status.st_blocks * 512 <= 2 * most_bytes:
        return
    try:
        pid = os.fork()
    except OSError as error:
        daemon.report(f"cannot shorten the log: {error}")
        return
    if pid == 0:
        try:
            _punch(path, (status.st_size - most_bytes) // BLOCK_BYTES * BLOCK_BYTES)
        except BaseException as error:
            daemon.report(f"cannot shorten the log: {error}")
        finally:
            os._exit(0)
    # Wait here: two of these at once would be pointless, and it takes milliseconds.
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and os.waitpid(pid, os.WNOHANG)[0] == 0:
        time.sleep(0.005)


def _punch(path: str, until: int) -> None:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    library.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    descriptor = os.open(path, os.O_RDWR)
    if library.fallocate(descriptor, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, until) != 0:
        os.ftruncate(descriptor, 0)
