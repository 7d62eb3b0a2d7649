"""Real processes: `taxiway up` as a user starts it, and clients over HTTP."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from taxiway.api.platform import build_platform, close_platform
from taxiway.cli.down import down
from taxiway.cli.errors import CliError
from taxiway.core.settings import load_settings
from taxiway.features.access.service.tokens import grant_token

ROOT = Path(__file__).parents[2]
# The packages that pipelines start from are fetched once for all servers of tests, as one user's data folders may.
os.environ.setdefault("TAXIWAY_PLUGINS__ACT__SEED_FOLDER", str(ROOT / ".cache" / "seed"))
CLI = [sys.executable, "-m", "taxiway.cli.main"]
START_SECONDS = 30.0


@dataclass
class Server:
    """A `taxiway up` on `data`. It can be killed and started again on the same folder."""

    data: Path
    arguments: list[str] = field(default_factory=list)
    environ: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    def start(self) -> None:
        log = (self.data.parent / "server.log").open("ab")
        command = [*CLI, "up", "--data", str(self.data), "--port", "0", *self.arguments]
        environ = {**os.environ, **self.environ}
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environ, start_new_session=True)
        log.close()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError, KeyError, httpx.HTTPError):
                found = json.loads((self.data / "taxiway.lock").read_bytes())
                if (
                    found["pid"] == self.process.pid
                    and httpx.get(found["url"] + "/readyz", verify=False).status_code == 200
                ):
                    self.url = found["url"]
                    return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.log()[-4000:]}")

    def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)

    def log(self) -> str:
        return (self.data.parent / "server.log").read_text(errors="replace")

    def cli(
        self, *arguments: str, token: str | None = None, check: bool = True, seconds: float = 180
    ) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, **self.environ, "TAXIWAY_DATA": str(self.data), "TAXIWAY_URL": self.url}
        if token:
            environ["TAXIWAY_TOKEN"] = token
        command = [*CLI, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=seconds, check=False)
        assert not check or done.returncode == 0, done.stdout + done.stderr + self.log()[-3000:]
        return done

    def token(self, role: str = "admin", subject: str = "user:default/admin") -> str:
        """An API token, made as `taxiway tokens create` does, without the second that a process takes."""
        loaded = load_settings(dict(self.environ), {"data": self.data})
        platform = build_platform(loaded, with_plugins=False)
        try:
            return grant_token(platform.system("test"), "test", role, 3600, subject=subject).value
        finally:
            close_platform(platform)

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {token}"}, timeout=60, verify=False)

    def down(self) -> None:
        """End everything that runs for the data folder."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if (self.data / "taxiway.db").exists():
            with contextlib.suppress(CliError):
                down(data=self.data)


def found_below(folder: Path, part: str) -> list[str]:
    """Paths below `folder` with `part` in their last name, relative to it; what goes meanwhile is left out."""
    return [
        os.path.relpath(f"{parent}/{name}", folder)
        for parent, folders, names in os.walk(folder)
        for name in (*folders, *names)
        if part in name
    ]


MakeServer = Callable[..., Server]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other users can enter: repository code runs as one. pytest closes its own at any time."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def make_server(open_folder: Path) -> Iterator[MakeServer]:
    """Starts servers, and ends them with all that they run."""
    made: list[Server] = []

    def make(
        *arguments: str, name: str = "data", environ: Mapping[str, str] | None = None, pipelines: bool = False
    ) -> Server:
        # Only who runs the pipeline of a golden path needs the packages that are fetched ahead for it.
        quiet = {} if pipelines else {"TAXIWAY_PLUGINS__ACT__PREFETCH": "false"}
        server = Server(open_folder / name / "data", list(arguments), {**quiet, **(environ or {})})
        server.data.mkdir(parents=True, mode=0o711)
        made.append(server)
        server.start()
        return server

    yield make
    for server in made:
        server.down()


def wait_for(check: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true answer of `check`, or a failure that says what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")
