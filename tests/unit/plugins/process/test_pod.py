"""Manifests become a process: what the environment, ports, probes and addresses are."""

from pathlib import Path
from typing import Any

import pytest

from factories.process import external_secret, manifests
from taxiway.model.errors import InputError
from taxiway.plugin import Identity
from taxiway.plugins.process.bundle import Bundle, bundles, problem
from taxiway.plugins.process.pod import Place, addresses, workload
from taxiway.plugins.process.shapes import misfit
from taxiway.plugins.process.spec import handed_over, instance_spec
from taxiway.plugins.process.switch import Address

pytestmark = pytest.mark.unit
PLACE = Place(Path("/home"), Path("/venv/bin"), ("server",), {"/data": "/real/v1"}, Identity(5, 5), 1000)


def bundle(objects: list[dict[str, Any]]) -> Bundle:
    return bundles("dev", objects)["shop.dev"]


def made(env: list[dict[str, Any]] | None = None, **container: Any) -> dict[str, Any]:
    return instance_spec(workload(bundle(manifests("d", env, **container)), PLACE), "shop.dev/1", "g", "m", [20001])


def test_variables_expand_in_order_and_port_is_the_allocated_one() -> None:
    spec = made([{"name": "A", "value": "$(PORT)$(B)$$(A)"}, {"name": "B", "value": "/data/b:/database"}])
    assert spec["env"]["A"] == "20001$(B)$(A)"
    assert spec["env"]["B"] == "/real/v1/b:/database"
    assert spec["readiness"]["httpGet"]["port"] == 20001
    assert spec["argv"] == ["shop"]


@pytest.mark.parametrize(("name", "value", "given"), [("PORT", "8080", "20001"), ("HOST", "0.0.0.0", "127.0.0.1")])
def test_what_means_the_pods_own_network_is_replaced(name: str, value: str, given: str) -> None:
    assert made([{"name": name, "value": value}])["env"][name] == given


def test_no_value_of_a_secret_is_in_the_document_for_the_disk() -> None:
    env = [
        {"name": "P", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}},
        {"name": "URL", "value": "x:$(P)@$(PORT)"},
    ]
    objects = [*manifests("d", env, args=["--dsn=$(URL)"]), external_secret("secret://s/p")]
    spec = instance_spec(workload(bundle(objects), PLACE), "shop.dev/1", "g", "m", [20001])
    assert "P" not in spec["env"]
    handed = handed_over(spec, {"secret://s/p": "$(PORT)hush"}.__getitem__)
    assert handed is not None
    assert handed["env"]["URL"] == "x:$(PORT)hush@20001"
    assert handed["argv"] == ["shop", "--dsn=x:$(PORT)hush@20001"]


def test_addresses_lead_through_the_service_to_the_container_port() -> None:
    assert addresses(bundle(manifests("d")), {"shop": 18001}) == (
        Address("shop.dev.localhost", "/", "8080"),
        Address("port:18001", "/", "8080"),
    )


def test_a_route_to_a_port_that_is_not_there_is_refused() -> None:
    objects = manifests("d")
    objects[2]["spec"]["rules"][0]["backendRefs"][0]["port"] = 81
    with pytest.raises(InputError, match="has no port 81"):
        addresses(bundle(objects), {})


def test_a_secret_that_nobody_brings_is_named() -> None:
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]
    with pytest.raises(InputError, match="key k of secret s"):
        made(env)


def test_several_containers_are_refused() -> None:
    objects = manifests("d")
    objects[0]["spec"]["template"]["spec"]["containers"] *= 2
    assert "split the workload" in problem(bundle(objects))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("spec",), None, "spec is missing"),
        (("spec",), [], "spec must be an object"),
        (("spec", "replicas"), "two", "spec.replicas must be a number"),
        (("spec", "template", "spec", "containers"), {}, "containers must be a list"),
        (("spec", "template", "spec", "containers"), ["x"], "containers[0] must be an object"),
        (("spec", "template", "spec", "containers", 0, "env"), [{"value": "x"}], "env[0].name is missing"),
        (("spec", "template", "spec", "containers", 0, "env"), [{"name": "A", "value": 1}], "value must be text"),
        (("spec", "template", "spec", "containers", 0, "ports"), [{"name": "x"}], "containerPort is missing"),
        (("metadata", "labels"), ["x"], "metadata.labels must be an object"),
    ],
)
def test_malformed_manifests_are_named_by_place(path: tuple[str | int, ...], value: Any, said: str) -> None:
    deployment: Any = manifests("d")[0]
    inner = deployment
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert said in misfit(deployment)
    assert [misfit(item) for item in [*manifests("d"), external_secret("x")]] == [""] * 4
