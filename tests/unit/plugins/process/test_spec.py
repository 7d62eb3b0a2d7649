"""The document that a shim gets from a workload."""

import pytest

from taxiway.plugins.process.spec import Port, Workload, expand, instance_spec

pytestmark = pytest.mark.unit


def test_ports_reach_environment_arguments_and_probes() -> None:
    workload = Workload(
        argv=("server", "--listen=127.0.0.1:$(PORT)"),
        cwd="/",
        ports=(Port("http", 8080), Port("admin", 9090, ("ADMIN_PORT",))),
        liveness={"httpGet": {"path": "/live", "port": 9090}},
        readiness={"httpGet": {"path": "/ready", "port": "http"}},
    )
    spec = instance_spec(workload, "a/1", "g", "m", [20001, 20002])
    assert spec["env"] == {"PORT": "20001", "ADMIN_PORT": "20002"}
    assert spec["argv"][1] == "--listen=127.0.0.1:20001"
    assert spec["liveness"]["httpGet"]["port"] == 20002
    assert spec["readiness"]["httpGet"]["port"] == 20001


def test_a_probe_of_an_unknown_port_says_which_there_are() -> None:
    workload = Workload(("x",), "/", ports=(Port("http", 8080),), readiness={"httpGet": {"path": "/", "port": 1}})
    with pytest.raises(ValueError, match=r"port 1, but the workload's ports are: http \(8080\)"):
        instance_spec(workload, "a/1", "g", "m", [20001])


def test_references_expand_as_kubernetes_does() -> None:
    assert expand("$(A) $(B) $$(A) $A", {"A": "1"}) == "1 $(B) $(A) $A"
