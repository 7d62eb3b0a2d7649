"""Outside engines for tests: found as `make engines` finds them, else the test is skipped with what would help."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from taxiway.plugin import Identity, daemons

ROOT = Path(__file__).parents[2]
USER = Identity(61031, 61031) if os.geteuid() == 0 else Identity(None, None)
START_SECONDS = 60.0


def program(name: str, beside: str | None = None) -> Path:
    """The program of an outside engine, or one that comes with it. Skips the test when it is not there."""
    spec = importlib.util.spec_from_file_location("taxiway_engines", ROOT / "tools" / "engines.py")
    assert spec is not None
    assert spec.loader is not None
    tool: Any = importlib.util.module_from_spec(spec)
    # Its dataclasses look their module up.
    import sys

    sys.modules[spec.name] = tool
    spec.loader.exec_module(tool)
    found: Path | None = tool.find(name)
    if found is None:
        pytest.skip(f"{name} is not there: make engines NAME={name}")
    return found if beside is None else found.with_name(beside)


SETTINGS = """
APP_NAME = Forge of the tests
RUN_MODE = prod
[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = {url}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = {home}/gitea.db
[repository]
ROOT = {home}/repositories
[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-tests
[service]
DISABLE_REGISTRATION = true
REQUIRE_SIGNIN_VIEW = false
[webhook]
ALLOWED_HOST_LIST = loopback
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
LEVEL = warn
ROOT_PATH = {home}/log
[actions]
ENABLED = false
[cron]
ENABLED = false
"""


@dataclass(frozen=True)
class Gitea:
    """A Gitea that runs: its address, and an administrator's name and token."""

    url: str
    user: str
    token: str

    def client(self) -> httpx.Client:
        """Calls of its API as the administrator."""
        return httpx.Client(
            base_url=f"{self.url}/api/v1", verify=False, headers={"authorization": f"token {self.token}"}, timeout=30
        )

    def clone_url(self, repository: str) -> str:
        """With the token in it, for the ordinary git client."""
        return f"{self.url.replace('://', f'://{self.user}:{self.token}@')}/{self.user}/{repository}.git"


@contextmanager
def gitea() -> Iterator[Gitea]:
    """A fresh Gitea on a free port of loopback; gone with all that it kept when the block ends."""
    binary = program("gitea")
    home = Path(tempfile.mkdtemp(prefix="taxiway-gitea-"))
    home.chmod(0o711)
    data = home / "data"
    data.mkdir()
    daemons.give(data, USER)
    port = daemons.free_port()
    url = f"http://127.0.0.1:{port}"
    static = binary.resolve().parents[1] / "static"
    settings = data / "app.ini"
    settings.write_text(SETTINGS.format(port=port, url=url, home=data, static=static))
    environ = {"PATH": os.environ["PATH"], "HOME": str(data), "GITEA_WORK_DIR": str(data), "USER": "git"}
    command = [str(binary), "--config", str(settings)]

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*command, *arguments], env=environ, cwd=data, capture_output=True, text=True, **daemons.as_user(USER)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    daemons.give(settings, USER)
    run("migrate")
    who = ["--username", "ada", "--password", "only-for-tests-4711", "--email", "ada@example.org"]
    run("admin", "user", "create", *who, "--admin", "--must-change-password=false")
    token = run("admin", "user", "generate-access-token", "--username", "ada", "--scopes", "all", "--raw").split()[-1]
    server = daemons.start([*command, "web"], identity=USER, cwd=data, log=home / "log", environment=environ)
    try:
        _await(server, f"{url}/api/healthz", home / "log")
        yield Gitea(url, "ada", token)
    finally:
        server.end((15, 10.0))
        shutil.rmtree(home, ignore_errors=True)


def _await(server: daemons.Daemon, url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert server.alive(), daemons.tail(log)
        try:
            if httpx.get(url, verify=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"it does not answer:\n{daemons.tail(log)}")
