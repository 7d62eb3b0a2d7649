"""A site in a temporary folder, whose processes are gone after each test whatever happened in it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from factories.host import Host
from factories.laptop import Laptop
from taxiway.plugin import Identity
from taxiway.plugins.process import routes
from taxiway.plugins.process.settings import ProcessSettings
from taxiway.plugins.process.spec import Port, ProbeTiming, Workload
from taxiway.plugins.process.supervisor import list_instances, stop_instance
from taxiway.plugins.process.switch import Address, Desired, Site

USER = Identity(61002, 61002) if os.geteuid() == 0 else Identity(None, None)
Wanted = Callable[..., Desired]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    place = Site(tmp_path / "workloads", tmp_path / "router", ready_seconds=10, drain_seconds=2)
    routes.ensure_router(tmp_path / "router")
    yield place
    for instance in list_instances(place.root):
        stop_instance(instance)
    routes.stop_router(tmp_path / "router")


@pytest.fixture
def wanted() -> Wanted:
    """A desired state around workload.py; `mode` and further variables set its manners."""

    def make(generation: str = "g1", mode: str = "", host: str = "shop.dev.localhost", **changes: object) -> Desired:
        env = {"GENERATION": generation, "MODE": mode, **changes.pop("env", {})}
        values: dict[str, object] = {
            "argv": (sys.executable, "-I", "-S", str(Path(__file__).with_name("workload.py"))),
            "cwd": "/",
            "env": env,
            "ports": (Port("http", 8080),),
            "readiness": {"httpGet": {"path": "/ready", "port": 8080}},
            "probe_timing": ProbeTiming(period_seconds=0.2, timeout_seconds=1, failures=2, startup_seconds=5),
            "grace_seconds": 0.5,
        }
        return Desired(generation, Workload(**{**values, **changes}), (Address(host),))

    return make


@pytest.fixture
def laptop() -> Iterator[Laptop]:
    # The user of workloads must get to the folder, which it does not below pytest's own.
    root = Path(tempfile.mkdtemp(prefix="taxiway-process-"))
    root.chmod(0o755)
    settings = ProcessSettings(ready_seconds=8, drain_seconds=2)
    made = Laptop(root, Host(root, settings, USER), settings)
    yield made
    made.stop()
    made.keeper.halt()
    assert made.processes() == []
    shutil.rmtree(root)
