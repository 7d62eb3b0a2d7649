"""Workloads as supervised processes: they come back, they end completely, they never run twice."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from taxiway.plugins.process import logs, procs, routes, switch
from taxiway.plugins.process.readiness import not_ready_reason
from taxiway.plugins.process.spec import Instance
from taxiway.plugins.process.supervisor import SHIM, adopt, create_instance, is_port_free, read_state, start_instance
from taxiway.plugins.process.supervisor import stop_instance as stop
from taxiway.plugins.process.switch import Desired, Outcome, Site, converge, remove
from taxiway.plugins.process.usage import cpu_percent, sample

pytestmark = pytest.mark.integration
Wanted = Callable[..., Desired]
SLOT = "shop.dev"


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def get(port: int, path: str, host: str = "shop.dev.localhost") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def running(outcome: Outcome) -> Instance:
    assert outcome.state == "running", outcome
    assert outcome.instance is not None
    return outcome.instance


def all_marked(instance: Instance) -> list[procs.Process]:
    return procs.marked(instance.marker, procs.processes())


def shim_pid(instance: Instance) -> int:
    state = adopt(instance.folder)
    assert state is not None
    return int(state["shim_pid"])


def test_a_killed_workload_is_back_within_five_seconds(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted()))
    port = instance.port() or 0
    before = int(get(port, "/pid")[1])
    os.kill(before, signal.SIGKILL)
    until(lambda: not procs.process(before))
    until(lambda: not not_ready_reason(instance))
    assert int(get(port, "/pid")[1]) != before
    state = read_state(instance.folder)
    assert state is not None
    assert (state["restarts"], state["signal"]) == (1, 9)


def test_a_second_shim_for_an_instance_ends_at_once(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted()))
    second = subprocess.run(
        [sys.executable, "-I", "-S", "-E", str(SHIM), str(instance.folder / "spec.json")], check=False
    )
    assert second.returncode == 75
    assert len(all_marked(instance)) == 1


def test_a_killed_shim_takes_its_workload_along_and_is_replaced(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted(mode="daemons")))
    assert len(all_marked(instance)) == 2
    os.kill(shim_pid(instance), signal.SIGKILL)
    until(lambda: adopt(instance.folder) is None)
    again = running(converge(site, SLOT, wanted(mode="daemons")))
    assert again == instance
    until(lambda: not not_ready_reason(again))
    assert len(all_marked(again)) == 2


def test_stopping_ends_one_that_ignores_sigterm(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted(mode="ignores-term")))
    started = time.monotonic()
    remove(site, SLOT)
    assert time.monotonic() - started < 3
    assert all_marked(instance) == []


def test_stopping_ends_daemons_that_left_the_session_or_wiped_their_environment(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted(mode="escapes")))
    # Two escaped by double fork and setsid, one of them with an empty environment: only the tree still has it.
    below = procs.descendants(shim_pid(instance), procs.processes())
    assert len(below) == 3
    remove(site, SLOT)
    assert [one for one in below if procs.is_alive(one.pid, one.start_ticks)] == []


def test_a_crashing_workload_fails_early_with_its_last_words(site: Site, wanted: Wanted) -> None:
    outcome = converge(site, SLOT, wanted(mode="crash"))
    assert outcome.state == "failed"
    assert "exited with code 1" in outcome.error
    assert "Traceback: the configuration is wrong" in outcome.log
    assert converge(site, SLOT, wanted(mode="crash")).error == outcome.error


def test_a_program_that_is_missing_is_named(site: Site, wanted: Wanted) -> None:
    outcome = converge(site, SLOT, wanted(argv=("/nowhere/server",)))
    assert "cannot start /nowhere/server" in outcome.error


def test_one_that_never_gets_ready_leaves_the_old_one_serving(site: Site, wanted: Wanted, tmp_path: Path) -> None:
    first = running(converge(site, SLOT, wanted("g1")))
    hasty = Site(site.root, site.router, ready_seconds=0.8)
    outcome = converge(hasty, SLOT, wanted("g2", mode="never-ready"))
    assert (outcome.state, outcome.instance, outcome.is_ready) == ("kept", first, True)
    assert "answered 503" in outcome.error
    assert get(routes.ensure_router(tmp_path / "router"), "/") == (200, "g1")
    assert len(procs.descendants(shim_pid(first), procs.processes())) == 1


def test_a_liveness_failure_restarts_the_workload(site: Site, wanted: Wanted, tmp_path: Path) -> None:
    sick = tmp_path / "sick"
    instance = running(
        converge(site, SLOT, wanted(env={"SICK": str(sick)}, liveness={"httpGet": {"path": "/live", "port": "http"}}))
    )
    until(lambda: (read_state(instance.folder) or {})["live"] is True)
    sick.touch()
    until(lambda: (read_state(instance.folder) or {})["restarts"] >= 1)
    assert "liveness" in (read_state(instance.folder) or {})["reason"]
    sick.unlink()
    until(lambda: (read_state(instance.folder) or {})["live"] is True)


def test_exec_probes_run_as_the_workload_does(site: Site, wanted: Wanted) -> None:
    check = {"exec": {"command": ["/bin/sh", "-c", 'test "$GENERATION" = g1']}}
    instance = running(converge(site, SLOT, wanted(liveness=check, readiness=check)))
    until(lambda: (read_state(instance.folder) or {})["live"] is True)


def test_a_foreign_server_on_the_port_is_not_taken_for_the_workload(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted()))
    port = instance.port() or 0
    os.kill(shim_pid(instance), signal.SIGKILL)
    until(lambda: adopt(instance.folder) is None and is_port_free(port))
    with socket.create_server(("127.0.0.1", port)):
        moved = running(converge(site, SLOT, wanted()))
        assert moved.port() != port
        until(lambda: not not_ready_reason(moved))
        assert all_marked(instance) == []


def seize(port: int) -> socket.socket:
    """The port, as soon as nobody has it."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
    raise AssertionError("the port did not become free")


def test_a_port_that_is_taken_while_the_workload_restarts_is_given_up_and_never_routed_to(
    site: Site, wanted: Wanted, tmp_path: Path
) -> None:
    instance = running(converge(site, SLOT, wanted()))
    other = running(converge(site, "other.dev", wanted("o1", host="other.dev.localhost")))
    router, port = routes.ensure_router(tmp_path / "router"), instance.port() or 0
    assert get(router, "/")[1] == "g1"
    os.kill(int(get(router, "/pid")[1]), signal.SIGKILL)
    with seize(port) as stranger:
        stranger.setblocking(False)
        until(lambda: (read_state(instance.folder) or {}).get("taken_port") == port)
        status, text = get(router, "/")
        assert (status, "does not accept connections" in text) == (502, True)
        assert get(router, "/", "other.dev.localhost")[1] == "o1"
        moved = running(converge(site, SLOT, wanted()))
        assert moved.port() != port
        until(lambda: get(router, "/")[1] == "g1")
        with pytest.raises(BlockingIOError):
            stranger.accept()
    assert all_marked(instance) == []
    assert not not_ready_reason(other)


def test_a_port_that_is_taken_between_allocation_and_start_is_replaced(
    site: Site, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    strangers = []

    def and_seize(*arguments: object) -> Instance:
        made = create_instance(*arguments)
        if not strangers:
            strangers.append(socket.create_server(("127.0.0.1", made.port() or 0)))
        return made

    monkeypatch.setattr(switch, "create_instance", and_seize)
    instance = running(converge(site, SLOT, wanted()))
    assert instance.port() != strangers[0].getsockname()[1]
    assert not not_ready_reason(instance)
    strangers[0].close()


def test_without_a_free_port_the_reason_is_said_and_the_old_one_serves_on(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted()))
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        outcome = converge(replace(site, ports=(port, port)), SLOT, wanted("g2"))
    assert outcome.state == "kept"
    assert f"between {port} and {port} 1 free ports are needed and 0 left" in outcome.error
    assert not not_ready_reason(instance)


def test_instances_never_share_a_port(site: Site, wanted: Wanted) -> None:
    narrow = (21000, 21005)
    made = [create_instance(site.root, f"s{number}", "g", wanted().workload, narrow) for number in range(4)]
    assert len({one.port() for one in made}) == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start workloads as another user")
def test_the_workload_runs_as_the_given_user_without_further_groups(
    site: Site, wanted: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLATFORM_SECRET", "hush")
    # The interpreter of the system: another user cannot reach one in root's home.
    argv = ("/usr/bin/python3", "-I", "-S", "-c", Path(__file__).with_name("workload.py").read_text())
    instance = running(converge(site, SLOT, wanted(uid=65534, gid=65534, argv=argv)))
    assert get(instance.port() or 0, "/uid")[1] == "65534:65534:[]"
    assert "PLATFORM_SECRET" not in get(instance.port() or 0, "/env")[1]
    remove(site, SLOT)
    assert all_marked(instance) == []


def test_logs_are_bounded_and_a_cursor_stays_valid(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted(mode="noisy", log_bytes=1_000_000)))
    path = instance.folder / "log"
    until(lambda: path.stat().st_blocks * 512 < 2_000_000)
    assert path.stat().st_size > 5_000_000
    first = logs.read(instance.folder, limit=2)
    assert first[-1].text.startswith("line ")
    assert first[0].seq > 4_000_000
    assert logs.read(instance.folder, first[0].seq, 1)[0] == first[1]
    assert logs.tail(instance.folder, 1)[0].text == "listening"


def test_cpu_and_memory_count_the_whole_tree(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted(mode="escapes")))
    before = sample(instance)
    time.sleep(0.15)
    after = sample(instance)
    assert after.processes == 3
    assert after.memory_bytes > 1_000_000
    assert (cpu_percent(before, after) or 0) < 100


def test_a_stopped_instance_never_starts_again(site: Site, wanted: Wanted) -> None:
    instance = create_instance(site.root, SLOT, "g1", wanted().workload)
    start_instance(instance)
    stop(instance)
    stop(instance)
    subprocess.run([sys.executable, "-I", "-S", "-E", str(SHIM), str(instance.folder / "spec.json")], check=True)
    assert adopt(instance.folder) is None
    assert all_marked(instance) == []


def test_the_shim_is_small(site: Site, wanted: Wanted) -> None:
    instance = running(converge(site, SLOT, wanted()))
    found = procs.process(shim_pid(instance))
    assert found is not None
    assert found.memory_bytes < 14_000_000


def test_shim_and_router_end_when_their_folder_is_removed(site: Site, wanted: Wanted, tmp_path: Path) -> None:
    instance = running(converge(site, SLOT, wanted()))
    router = routes.router_state(tmp_path / "router")
    assert router is not None
    shutil.rmtree(tmp_path / "workloads")
    shutil.rmtree(tmp_path / "router")
    until(lambda: not all_marked(instance) and not procs.process(router["pid"]))


def test_two_callers_at_once_start_one_process_set(site: Site, wanted: Wanted) -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: converge(site, SLOT, wanted()), range(4)))
    assert len({running(outcome).id for outcome in outcomes}) == 1
    assert len(all_marked(running(outcomes[0]))) == 1


def test_a_full_disk_ends_no_workload_and_one_killed_meanwhile_comes_back_when_there_is_room(
    site: Site, wanted: Wanted, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "x", str(small)]).returncode != 0
    ):
        pytest.skip("needs root and tmpfs")
    place = Site(small / "workloads", site.router, ready_seconds=10)
    try:
        instance = running(converge(place, SLOT, wanted()))
        with pytest.raises(OSError, match="No space"):
            (small / "filler").write_bytes(b"x" * 1_000_000)
        assert get(instance.port() or 0, "/") == (200, "g1")
        os.kill(int(get(instance.port() or 0, "/pid")[1]), signal.SIGKILL)
        until(lambda: not all_marked(instance))
        (small / "filler").unlink()
        until(lambda: not not_ready_reason(instance), 10)
        remove(place, SLOT)
        assert all_marked(instance) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
