"""Kills the platform's side of a switch at random moments and checks what is left: `crash_switch.py COUNT SEED`.

Each round wants a new generation, starts `converge` in a process of its own, ends it by SIGKILL (in odd rounds after a
random time, in even ones at a random line of code of the switch), calls converge once more, and counts processes in
/proc. A constant stream of requests runs through the router.
"""

import http.client
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import FrameType

from taxiway.plugins.process import procs, routes
from taxiway.plugins.process.spec import Port, Workload
from taxiway.plugins.process.switch import Address, Desired, Site, converge, remove

HOST = "shop.dev.localhost"
SLOT = "shop.dev"
LINES = 900
TRACED = ("switch.py", "supervisor.py", "routes.py", "files.py")
SERVER = Path(__file__).with_name("workload.py")


def desired(generation: str) -> Desired:
    workload = Workload(
        argv=(sys.executable, "-I", "-S", str(SERVER)),
        cwd="/",
        env={"GENERATION": generation},
        ports=(Port("http", 8080),),
        readiness={"httpGet": {"path": "/ready", "port": 8080}},
        grace_seconds=2,
    )
    return Desired(generation, workload, (Address(HOST),))


def site(root: Path) -> Site:
    return Site(root / "workloads", root / "router", ready_seconds=20)


def get(port: int, path: str = "/", host: str = HOST) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


class Stream(threading.Thread):
    """Requests one after the other until stopped; keeps what failed."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.total = 0
        self.failures: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.005):
            self.total += 1
            try:
                status, text = get(self.port, "/slow?s=0.03" if self.total % 10 == 0 else "/")
                if status != 200:
                    self.failures.append(f"{status} {text}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))


def left_over(root: Path) -> tuple[int, int]:
    """(shims, workloads) in /proc that belong to this folder, whatever the files say."""
    shims = workloads = 0
    for pid in procs.processes():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(part.startswith(str(root / "workloads").encode()) for part in command):
            shims += 1
        if f"FOLDER={root}".encode() in environment:
            workloads += 1
    return shims, workloads


def listing(root: Path) -> str:
    """What ps says about the folder, for a failed assertion."""
    rows = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in rows.splitlines() if str(root) in line)


def with_folder(wanted: Desired, root: Path) -> Desired:
    env = {**wanted.workload.env, "FOLDER": str(root)}
    return Desired(wanted.generation, Workload(**{**vars(wanted.workload), "env": env}), wanted.addresses)


def killed_switch(root: Path, generation: str, line: int, rng: random.Random) -> bool:
    """Start a switch and kill it; True when it was hit before its end."""
    child = subprocess.Popen([sys.executable, __file__, "--converge", str(root), generation, str(line)])
    if line == 0:
        time.sleep(rng.uniform(0.08, 0.42))
        child.kill()
    return child.wait(timeout=60) == -signal.SIGKILL


def die_at(line: int) -> None:
    """SIGKILL this process when it is about to run the given line (counted) of the switch and what it rests on."""
    left = line

    def trace(frame: FrameType, event: str, _argument: object) -> object:
        nonlocal left
        if Path(frame.f_code.co_filename).name not in TRACED:
            return None
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def run_rounds(root: Path, count: int, seed: int) -> dict[str, object]:
    """The whole experiment; raises AssertionError at the first wrong state, and leaves nothing running either way."""
    try:
        return _rounds(root, count, seed)
    finally:
        remove(site(root), SLOT)
        routes.stop_router(root / "router")


def _rounds(root: Path, count: int, seed: int) -> dict[str, object]:
    place, rng = site(root), random.Random(seed)
    port = routes.ensure_router(root / "router")
    assert converge(place, SLOT, with_folder(desired("g0"), root)).is_ready
    streams = [Stream(port), Stream(port)]
    for stream in streams:
        stream.start()
    killed = 0
    for number in range(1, count + 1):
        killed += killed_switch(root, f"g{number}", rng.randrange(1, LINES) if number % 2 == 0 else 0, rng)
        outcome = converge(place, SLOT, with_folder(desired(f"g{number}"), root))
        assert outcome.state == "running", (number, outcome)
        assert outcome.is_ready, (number, outcome)
        assert left_over(root)[1] == 1, number
        # The starter of the killed converge may still be finding out that the lock is taken.
        deadline = time.monotonic() + 1
        while left_over(root) != (1, 1):
            assert time.monotonic() < deadline, (number, left_over(root), listing(root))
            time.sleep(0.02)
        assert get(port) == (200, f"g{number}"), number
    for stream in streams:
        stream.stopped.set()
        stream.join()
    failures = [failure for stream in streams for failure in stream.failures]
    assert not failures, failures[:5]
    remove(place, SLOT)
    assert left_over(root) == (0, 0)
    routes.stop_router(root / "router")
    return {"rounds": count, "killed_in_the_middle": killed, "requests": sum(one.total for one in streams), "failed": 0}


if __name__ == "__main__":
    if sys.argv[1] == "--converge":
        if int(sys.argv[4]):
            die_at(int(sys.argv[4]))
        converge(site(Path(sys.argv[2])), SLOT, with_folder(desired(sys.argv[3]), Path(sys.argv[2])))
    else:
        with tempfile.TemporaryDirectory(prefix="taxiway-crash-") as folder:
            print(run_rounds(Path(folder), int(sys.argv[1]), int(sys.argv[2])))
