"""The keeper of one workload instance: `python -I -S -E shim.py DIR/spec.json`.

Standalone (standard library only, no Taxiway configuration, an empty environment), one per instance, started by
`supervisor.start_instance`. It becomes a daemon in a session of its own, so the workload goes on while Taxiway is
down. It holds a lock on DIR/lock for all of its life: a second shim for the instance ends at once with code 75, hence
nothing runs twice. It starts the workload, restarts it with growing pauses, probes its liveness, bounds its log, and
writes DIR/state.json. When the shim is killed the kernel kills the workload with it, and whatever else still carries
the instance's marker is ended by the next shim before it starts anything.

Secrets are not in spec.json. The starter passes them as an anonymous file in memory (its standard input), which this
process reads once and keeps in memory for the restarts; one that was killed is started anew by the platform.

It must not talk to Taxiway, and must not grow: about 10 MB, of which 8.5 are the bare interpreter.
"""
# The shim must not pay for pathlib.
# ruff: noqa: PTH100, PTH110, PTH118, PTH120

from __future__ import annotations

import importlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taxiway.plugins.process import child, daemon, files, owner, procs
else:
    # Run as a program in isolated mode, where only this folder is at hand; nothing of the package is imported.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import child
    import daemon
    import files
    import owner
    import procs

LOCKED_EXIT = 75
BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MOST_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
LOG_CHECK_SECONDS = 2.0
NEVER = float("inf")
ENDED = ("stopped", "succeeded", "failed")
"""Phases in which the shim's work is done; the last two are a job's."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
SUPERVISE = (
    "import sys; sys.path.insert(0, sys.argv[1]); import shim; "
    "shim.supervise(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"
)


def now() -> int:
    """UTC microseconds."""
    return time.time_ns() // 1000


class Shim:
    """The state machine. `ending` says why the process tree is being ended: '', 'exit', 'liveness' or 'stop'."""

    def __init__(self, folder: str, spec: dict[str, Any]) -> None:
        self.folder = folder
        self.spec = spec
        self.pid = 0
        self.ending = ""
        self.kill_at = NEVER
        self.start_at = 0.0
        self.started = 0.0
        self.failures_in_a_row = 0
        self.log_at = 0.0
        self.is_saved = True
        self.liveness = child.Liveness(spec)
        self.state: dict[str, Any] = {
            "instance": spec["instance"],
            "generation": spec["generation"],
            "phase": "starting",
            "shim_pid": os.getpid(),
            "pid": None,
            "start_ticks": None,
            "restarts": 0,
            "live": None,
            "started_at": None,
            "ended_at": None,
            "exit_code": None,
            "signal": None,
            "reason": "",
            "taken_port": None,
        }

    def save(self, **changes: Any) -> None:
        self.state |= changes
        try:
            files.write_json(os.path.join(self.folder, "state.json"), self.state, 0o644)
            self.is_saved = True
        except OSError as error:
            # A full disk must not take the workload down; it is tried again every 2 s.
            self.is_saved = False
            daemon.report(f"cannot write state.json: {error}")

    def run(self) -> None:
        """Until stopped."""
        procs.end_marked(self.spec["marker"])
        self.save()
        while self.state["phase"] not in ENDED:
            self.advance()
            if self.state["phase"] not in ENDED:
                self.wait()

    def advance(self) -> None:
        """Do everything that is due."""
        moment = time.monotonic()
        if self.ending:
            self.continue_ending(moment)
        elif not self.pid and moment >= self.start_at:
            self.start()
        elif self.pid and self.liveness.tick(moment, self.started):
            self.begin_ending("liveness", self.liveness.problem)
        if self.pid and self.liveness.is_live is not None and self.liveness.is_live != self.state["live"]:
            self.save(live=self.liveness.is_live)
        if moment >= self.log_at:
            self.log_at = moment + LOG_CHECK_SECONDS
            if not os.path.exists(os.path.join(self.folder, "lock")):
                # Whoever removed the folder can never adopt or stop this instance again.
                self.begin_ending("stop", "its folder was removed")
            if not self.is_saved:
                self.save()
            child.bound_log(os.path.join(self.folder, "log"), int(self.spec["log_bytes"]))

    def wait(self) -> None:
        """Sleep until a signal or until something is due."""
        got = signal.sigtimedwait(SIGNALS, max(0.0, self.next_moment() - time.monotonic()))
        if got is not None and got.si_signo in (signal.SIGTERM, signal.SIGINT):
            self.begin_ending("stop", "stopped on request")
        self.reap()

    def next_moment(self) -> float:
        """When something is due (monotonic)."""
        if self.ending:
            return min(self.log_at, time.monotonic() + 0.05)
        return min(self.log_at, self.liveness.due if self.pid else self.start_at)

    def start(self) -> None:
        self.started = time.monotonic()
        taken = owner.taken_port(self.spec)
        if taken:
            # It could only fail, or answer beside a stranger. The platform sees this and gives it another port.
            self.save(pid=None, start_ticks=None, live=None, taken_port=taken)
            self.schedule(f"port {taken} is held by another program")
            return
        pid, problem = child.spawn(self.spec, os.path.join(self.folder, "log"))
        if problem:
            self.save(pid=None, start_ticks=None, live=None, exit_code=127, signal=None, ended_at=now())
            self.schedule(problem)
            return
        found = procs.process(pid)
        self.pid = pid
        self.liveness.reset(self.started)
        self.save(
            phase="running",
            pid=pid,
            start_ticks=found.start_ticks if found else None,
            live=None,
            started_at=now(),
            ended_at=None,
            taken_port=None,
        )

    def reap(self) -> None:
        """Collect every ended child: the workload, a probe, or an orphan that the kernel gave to this subreaper."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.pid:
                self.workload_ended(os.waitstatus_to_exitcode(status))
            else:
                self.liveness.ended(pid, os.waitstatus_to_exitcode(status), time.monotonic())

    def workload_ended(self, code: int) -> None:
        self.pid = 0
        reason = f"exited with code {code}" if code >= 0 else f"ended by signal {-code}"
        self.save(
            pid=None,
            start_ticks=None,
            live=None,
            ended_at=now(),
            exit_code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
        )
        if not self.ending:
            self.ending, self.kill_at = "exit", time.monotonic()
            self.state["reason"] = reason

    def begin_ending(self, why: str, reason: str) -> None:
        """Ask the whole tree to end; SIGKILL follows after the grace period. A stop overrides any other reason."""
        if self.ending == "stop":
            return
        self.ending = why
        self.kill_at = time.monotonic() + float(self.spec["grace_seconds"])
        self.save(phase="stopping" if why == "stop" else "restarting", reason=reason)
        for one in self.tree():
            procs.send_signal(one, signal.SIGTERM)

    def tree(self) -> list[procs.Process]:
        """Everything that belongs to the workload: below this subreaper, or carrying the marker wherever it is."""
        table = procs.processes()
        found = {one.pid: one for one in procs.descendants(os.getpid(), table)}
        found |= {one.pid: one for one in procs.marked(self.spec["marker"], table)}
        return list(found.values())

    def continue_ending(self, moment: float) -> None:
        left = self.tree()
        if left and moment >= self.kill_at:
            for one in left:
                procs.send_signal(one, signal.SIGKILL)
        if left or self.pid:
            return
        why, self.ending = self.ending, ""
        if why == "stop":
            self.save(phase="stopped")
        else:
            self.schedule(self.state["reason"])

    def schedule(self, reason: str) -> None:
        """Plan the next start: 0.2 s, doubled up to 30 s; a minute of life makes the counting start again."""
        moment = time.monotonic()
        if moment - self.started >= HEALTHY_SECONDS:
            self.failures_in_a_row = 0
        pause = min(BACKOFF_MOST_SECONDS, BACKOFF_FIRST_SECONDS * 2.0 ** min(self.failures_in_a_row, 20))
        self.failures_in_a_row += 1
        self.start_at = moment + pause
        self.save(phase="backoff", reason=reason, restarts=self.state["restarts"] + 1)


def daemonize(spec_path: str) -> int:
    """Lock the instance, then leave a daemon behind. Exit code: 0 started, 75 another shim holds the instance."""
    folder = os.path.dirname(os.path.abspath(spec_path))
    lock = files.try_lock(os.path.join(folder, "lock"))
    if lock is None:
        return LOCKED_EXIT
    if os.path.exists(os.path.join(folder, "stop")):
        return 0
    if os.fork():
        return 0
    handed = os.dup(0)
    daemon.detach(folder, "shim.log")
    child.become_subreaper()
    found = procs.process(os.getpid())
    if found is not None:
        files.write_holder(lock, found.pid, found.start_ticks)
    os.set_inheritable(lock, True)
    os.set_inheritable(handed, True)
    here = os.path.dirname(os.path.abspath(__file__))
    # A fresh interpreter runs the compiled module: it is 3 MB smaller than one that compiled this file and forked.
    arguments = ["-I", "-S", "-E", "-c", SUPERVISE, here, folder, str(lock), str(handed)]
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - no shell is wanted
    return 1


def supervise(folder: str, lock: int, handed: int) -> None:
    """The daemon's life; `lock` is the descriptor that holds the instance, `handed` the one with the secrets."""
    os.set_inheritable(lock, False)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    spec = files.read_json(os.path.join(folder, "spec.json"))
    if spec is None:
        sys.exit(f"{folder}/spec.json is missing or broken; deploy the workload again")
    if spec.get("variables"):
        try:
            spec |= files.read_handed(handed)
        except (OSError, ValueError):
            sys.exit("started without the secrets that it needs; only Taxiway can start this instance")
    os.close(handed)
    keeper = Shim
    if spec.get("job"):
        keeper = importlib.import_module("job_shim").JobShim
    keeper(folder, spec).run()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: shim.py DIR/spec.json")
    # os._exit: nothing is buffered, and the parent half must not run the daemon's cleanup.
    os._exit(daemonize(sys.argv[1]))
