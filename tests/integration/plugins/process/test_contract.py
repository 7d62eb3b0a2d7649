"""The destination as an engine of this host: what `taxiway down` asks of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from factories.laptop import Laptop
from factories.process import manifests
from taxiway.plugin.testing import HostEngineConformance
from taxiway.plugins.process.keeper import Keeper


class TestHalting(HostEngineConformance):
    @pytest.fixture
    def engine(self, laptop: Laptop) -> Keeper:
        # `down` halts from a process of its own.
        return Keeper(laptop.host.context)

    @pytest.fixture
    def start(self, laptop: Laptop) -> Callable[[], None]:
        def start() -> None:
            if not laptop.keeper.places.bundles():
                laptop.deploy(manifests(laptop.put()))
                laptop.stop()
                return
            laptop.start()
            deadline = time.monotonic() + 10
            while not (laptop.destination.workloads() and laptop.destination.workloads()[0].ready):
                assert time.monotonic() < deadline
                time.sleep(0.05)
            laptop.stop()

        return start

    @pytest.fixture
    def processes(self, laptop: Laptop) -> Callable[[], list[str]]:
        return laptop.processes
