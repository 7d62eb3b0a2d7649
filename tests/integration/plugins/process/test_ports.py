"""Ports that somebody else takes: a workload gets another one, what cannot be helped is said, all else goes on."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from factories.laptop import TARGET, Laptop, until
from factories.process import manifests
from taxiway.plugins.process import files

pytestmark = pytest.mark.integration


def test_a_workload_whose_port_is_taken_at_a_restart_moves_by_itself(laptop: Laptop) -> None:
    objects = manifests(laptop.put())
    laptop.deploy(objects)
    (before,) = laptop.destination.workloads("dev", "shop")
    os.kill(before.pid or 0, signal.SIGKILL)
    with seized(before.port or 0):
        assert until(lambda: laptop.get()[0] == 200 and laptop.get(), 10) == (200, "hello")
        (after,) = laptop.destination.workloads("dev", "shop")
        assert after.port != before.port
        assert {one.health for one in laptop.destination.observe(TARGET, objects)} == {"healthy"}


def test_ports_of_router_and_service_that_strangers_took_are_said_and_workloads_come_back(laptop: Laptop) -> None:
    objects = manifests(laptop.put())
    laptop.deploy(objects)
    status = {one.key.kind: one for one in laptop.destination.observe(TARGET, objects)}
    service_port = int((status["Service"].url or "").rpartition(":")[2])
    laptop.stop()
    laptop.keeper.halt()
    router_port = files.read_json(str(laptop.keeper.places.router / "router.json"))["port"]
    with seized(router_port), seized(service_port):
        laptop.start()
        until(lambda: laptop.destination.workloads("dev", "shop")[0].ready, 10)

        def said() -> dict[str, str]:
            return {one.key.kind: one.message for one in laptop.destination.observe(TARGET, objects)}

        until(lambda: f"cannot listen on 127.0.0.1:{router_port}" in said()["Deployment"], 10, said)
        assert f"another program holds port {service_port}" in said()["Service"]
    until(lambda: {one.health for one in laptop.destination.observe(TARGET, objects)} == {"healthy"}, 20, said)
    assert laptop.get() == (200, "hello")


def seized(port: int) -> socket.socket:
    """The port in the hands of a stranger, as soon as nobody has it."""
    found: socket.socket = until(lambda: _try_listen(port), 5)
    return found


def _try_listen(port: int) -> socket.socket | None:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None
