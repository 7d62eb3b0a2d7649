"""The destination with its keeper: releases become running services, switched, kept, halted and removed."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from factories.host import Host, step_context
from factories.laptop import TARGET, Laptop, get, until
from factories.process import external_secret, manifests
from taxiway.model.workload import ObjectStatus, ResourceRequest, Target, object_key
from taxiway.plugin import Identity
from taxiway.plugin.testing import DestinationConformance, PluginConformance, ResourceDriverConformance
from taxiway.plugins.process import PLUGIN, procs, routes
from taxiway.plugins.process.destination import ProcessDestination
from taxiway.plugins.process.keeper import Keeper
from taxiway.plugins.process.mounts import VolumeDriver
from taxiway.plugins.process.settings import ProcessSettings

pytestmark = pytest.mark.integration
USER = Identity(61002, 61002) if os.geteuid() == 0 else Identity(None, None)
SECRET = "planted-pa55word-4711"


def pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def files_with(root: Path, text: str) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_release_becomes_a_service_that_answers(laptop: Laptop) -> None:
    objects = manifests(laptop.put(), [pair("GREETING", "moin"), pair("TWICE", "$(GREETING) $(GREETING) $(NO)")])
    laptop.deploy(objects)
    assert laptop.get() == (200, "moin")
    facts = laptop.facts()
    assert facts["env"]["TWICE"] == "moin moin $(NO)"
    assert facts["uid"] == (USER.uid or os.getuid())
    assert not {"SSL_CERT_FILE", "TAXIWAY_DATA", "PYTEST_CURRENT_TEST"} & set(facts["env"])
    status = {one.key.kind: one for one in laptop.destination.observe(TARGET, objects)}
    port = routes.router_state(laptop.keeper.places.router)["port"]
    assert status["HTTPRoute"].url == status["Deployment"].url == f"http://shop.dev.localhost:{port}"
    (workload,) = laptop.destination.workloads("dev", "shop")
    assert (workload.ready, workload.pid, workload.service, workload.environment) == (True, facts["pid"], "shop", "dev")
    assert (workload.memory_bytes or 0) > 1_000_000
    assert [line.text for line in laptop.destination.logs(workload.id, 0, 10)] == ["listening"]
    assert laptop.destination.workloads("staging") == []


def test_a_changed_variable_goes_live_without_a_failed_request(laptop: Laptop) -> None:
    digest = laptop.put()
    laptop.deploy(manifests(digest, [pair("GREETING", "one")]))
    service = next(s for s in laptop.destination.observe(TARGET, manifests(digest)) if s.key.kind == "Service")
    answers: list[tuple[int, str]] = []
    stopped = threading.Event()
    stable = int(urlsplit(service.url or "").port or 0)

    def ask() -> None:
        while not stopped.wait(0.005):
            answers.append(laptop.get())
            answers.append(get(stable))

    asking = threading.Thread(target=ask)
    asking.start()
    laptop.deploy(manifests(digest, [pair("GREETING", "two")]))
    time.sleep(0.2)
    stopped.set()
    asking.join()
    assert {status for status, _ in answers} == {200}
    assert {text for _, text in answers} == {"one", "two"}
    assert len(answers) > 20
    # The address that other workloads were given stays.
    assert get(stable) == (200, "two")
    assert len(laptop.destination.workloads()) == 1


def test_a_secret_reaches_the_process_and_no_file(laptop: Laptop) -> None:
    reference = laptop.host.context.secrets.put("environments/dev/shop/db/password", SECRET)
    env = [
        {"name": "__ref", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}},
        pair("URL", "postgres://shop:$(__ref)@127.0.0.1/$$(x)"),
    ]
    objects = [*manifests(laptop.put(), env), external_secret(reference)]
    laptop.deploy(objects)
    facts = laptop.facts()
    assert facts["env"]["URL"] == f"postgres://shop:{SECRET}@127.0.0.1/$(x)"
    assert "--" not in facts["argv"]
    assert files_with(laptop.root, SECRET) == []
    # A workload that dies gets it again from its shim, and after a killed shim from the store.
    os.kill(facts["pid"], signal.SIGKILL)
    second = until(lambda: (f := _facts(laptop)) and f["pid"] != facts["pid"] and f, 5)
    assert SECRET in second["env"]["URL"]
    (workload,) = laptop.destination.workloads()
    shim = procs.process(procs.process(second["pid"]).ppid)
    procs.send_signal(shim, signal.SIGKILL)
    third = until(lambda: (f := _facts(laptop)) and f["pid"] != second["pid"] and f, 8)
    assert SECRET in third["env"]["URL"]
    assert files_with(laptop.root, SECRET) == []
    # Another value of the same reference is another generation.
    laptop.host.context.secrets.values[reference] = SECRET + "-new"
    laptop.keeper._checked.clear()
    until(lambda: (f := _facts(laptop)) and f["env"]["URL"].find("-new@") > 0, 8)
    until(lambda: laptop.destination.workloads()[0].generation != workload.generation, 8)


def _facts(laptop: Laptop) -> dict[str, Any]:
    status, text = laptop.get("/all")
    return json.loads(text) if status == 200 else {}


def test_a_missing_secret_and_a_missing_artefact_are_said(laptop: Laptop) -> None:
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}}]
    found = laptop.apply([*manifests(laptop.put(), env), external_secret("secret://memory/none")])
    messages = {one.key.kind: one.message for one in found if one.health == "degraded"}
    assert "no secret" in messages["Deployment"]
    assert "no secret" in messages["ExternalSecret"]
    found = laptop.apply(manifests("sha256:" + "0" * 64))
    assert "no artefact" in next(one.message for one in found if one.key.kind == "Deployment")


def test_a_broken_release_keeps_the_old_one_and_shows_its_last_words(laptop: Laptop) -> None:
    digest = laptop.put()
    laptop.deploy(manifests(digest, [pair("GREETING", "old")]))
    found = {one.key.kind: one for one in laptop.apply(manifests(digest, [pair("MODE", "crash")]))}
    assert found["Deployment"].health == "degraded"
    assert "Traceback: the configuration is wrong" in found["Deployment"].message
    assert laptop.get() == (200, "old")
    broken = [one for one in laptop.destination.workloads() if not one.ready]
    lines = laptop.destination.logs(broken[0].id, 0, 10)
    assert any("Traceback" in line.text for line in lines)
    laptop.deploy(manifests(digest, [pair("GREETING", "new")]))
    assert laptop.get() == (200, "new")


def test_a_malformed_manifest_stops_nobody_else(laptop: Laptop) -> None:
    digest = laptop.put()
    laptop.deploy(manifests(digest))
    broken = manifests(digest, name="other")
    broken[1]["spec"]["selector"] = ["rubbish"]
    found = {one.key.kind: one for one in laptop.destination.apply(TARGET, broken)}
    assert "spec.selector must be an object" in found["Service"].message
    laptop.deploy(manifests(digest, [pair("GREETING", "still here")]))


def test_a_secret_in_last_words_is_masked(laptop: Laptop) -> None:
    reference = laptop.host.context.secrets.put("environments/dev/shop/db/password", SECRET)
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "shop-db", "key": "password"}}}]
    code = "import os, sys\ndef main():\n    sys.exit('cannot log in with ' + os.environ['P'])\n"
    found = laptop.apply([*manifests(laptop.put(code), env), external_secret(reference)])
    assert "cannot log in with ********" in found[0].message


def test_an_interrupted_installation_is_made_anew(laptop: Laptop) -> None:
    digest = laptop.put()
    half = laptop.keeper.places.shared / "releases" / digest.removeprefix("sha256:") / "venv-0" / "bin"
    half.mkdir(parents=True)
    (half / "shop").write_text("#!/bin/false")
    laptop.deploy(manifests(digest))
    assert not half.exists()


def test_an_unpinned_lock_file_is_refused(laptop: Laptop) -> None:
    found = laptop.apply(manifests(laptop.put(lock="--extra-index-url http://x\n")))
    assert "--hash=sha256" in next(one.message for one in found if one.key.kind == "Deployment")


def test_what_processes_cannot_do_is_refused_with_a_remedy(laptop: Laptop) -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "dev"}}
    objects = [*manifests("x", image="nginx:1"), job]
    found = {one.key.kind: one for one in laptop.destination.apply(TARGET, objects)}
    assert "set image to '.'" in found["Deployment"].message
    assert "deploy to an environment on Kubernetes" in found["Job"].message


def test_pruning_leaves_nothing(laptop: Laptop) -> None:
    reference = laptop.host.context.secrets.put("environments/dev/shop/db/password", SECRET)
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "namespace": "dev"}}
    config |= {"data": {"file": "text"}}
    objects = [*manifests(laptop.put()), external_secret(reference), config]
    pod = objects[0]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "v", "configMap": {"name": "c", "items": [{"key": "file", "path": "file"}]}}]
    pod["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/etc/shop.conf", "subPath": "file"}]
    pod["containers"][0]["args"] = ["--config=/etc/shop.conf", "/etc/shop.conf.d"]
    laptop.deploy(objects)
    config_argument, untouched = laptop.facts()["argv"]
    assert Path(config_argument.removeprefix("--config=")).read_text() == "text"
    assert untouched == "/etc/shop.conf.d"
    for item in objects[::-1]:
        laptop.destination.prune(TARGET, [object_key(item)])
    assert {one.health for one in laptop.destination.observe(TARGET, objects)} == {"missing"}
    until(lambda: laptop.processes() == [], 8, laptop.processes)
    places = laptop.keeper.places
    left = [path for folder in (places.private, places.shared) for path in folder.rglob("*") if "shop" in path.name]
    assert left == []
    assert list((places.shared / "releases").iterdir()) == []
    assert list((places.private / "desired").iterdir()) == []


def test_a_new_taxiway_on_the_folder_adopts_what_runs(laptop: Laptop) -> None:
    laptop.deploy(manifests(laptop.put()))
    before = laptop.facts()["pid"]
    laptop.stop()
    assert laptop.facts()["pid"] == before
    laptop.start()
    time.sleep(1)
    assert laptop.facts()["pid"] == before
    assert len([line for line in laptop.processes() if "shim" in line]) == 1


def test_what_died_while_taxiway_was_down_comes_back(laptop: Laptop) -> None:
    laptop.deploy(manifests(laptop.put()))
    laptop.stop()
    pid = laptop.facts()["pid"]
    procs.send_signal(procs.process(procs.process(pid).ppid), signal.SIGKILL)
    os.kill(routes.router_state(laptop.keeper.places.router)["pid"], signal.SIGKILL)
    until(lambda: routes.router_state(laptop.keeper.places.router) is None)
    laptop.start()
    until(lambda: routes.router_state(laptop.keeper.places.router), 5)
    facts = until(lambda: _facts(laptop), 5)
    assert facts["pid"] != pid


def test_halt_ends_all_and_the_next_start_brings_all_back(laptop: Laptop) -> None:
    laptop.deploy(manifests(laptop.put(), [pair("GREETING", "again")]))
    laptop.stop()
    port = routes.router_state(laptop.keeper.places.router)["port"]
    # `down` halts from a process of its own.
    Keeper(laptop.host.context).halt()
    assert laptop.processes() == []
    laptop.start()
    until(lambda: routes.router_state(laptop.keeper.places.router), 5)
    assert until(lambda: laptop.get()[0] == 200 and laptop.get(), 5) == (200, "again")
    assert routes.router_state(laptop.keeper.places.router)["port"] == port


def test_scaling_to_zero_suspends(laptop: Laptop) -> None:
    objects = manifests(laptop.put())
    laptop.deploy(objects)
    objects[0]["spec"]["replicas"] = 0
    found = {one.key.kind: one.health for one in _suspended(laptop, objects)}
    assert (found["Deployment"], found["HTTPRoute"]) == ("suspended", "suspended"), "nothing is waited for"
    assert laptop.destination.workloads() == []


def _suspended(laptop: Laptop, objects: list[Any]) -> Sequence[ObjectStatus]:
    laptop.destination.apply(TARGET, objects)
    return until(lambda: (f := laptop.destination.observe(TARGET, objects)) and f[0].health == "suspended" and f, 10)


def test_a_volume_is_a_folder_of_the_workload_and_goes_with_the_resource(laptop: Laptop, tmp_path: Path) -> None:
    request = ResourceRequest("u1", "volume", "default", "shop.data", "dev", "shop")
    made = laptop.driver.provision(step_context(tmp_path), request)
    folder = Path(made.outputs["source"]["hostPath"]["path"])
    objects = manifests(laptop.put(), [pair("DATA", "/data/x")])
    pod = objects[0]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "v", **made.outputs["source"]}]
    pod["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/data"}]
    laptop.deploy(objects)
    assert laptop.facts()["env"]["DATA"] == f"{folder}/x"
    assert folder.stat().st_uid == (USER.uid if USER.uid is not None else os.getuid())
    pod["volumes"] = [{"name": "v", "hostPath": {"path": "/root"}}]
    assert "cannot mount hostPath" in laptop.apply(objects)[0].message
    assert laptop.driver.contents(made.inventory) is None
    (folder / "empty").mkdir()
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "item").write_text("1")
    (folder / "away").symlink_to("/")
    assert laptop.driver.contents(made.inventory) == "files: away, a/b/item"
    for number in range(6):
        (folder / f"{number}").touch()
    assert laptop.driver.contents(made.inventory) == "files: 0, 1, 2, 3, 4 and 3 more"
    laptop.driver.destroy(step_context(tmp_path), made.inventory)
    assert not folder.exists()
    assert laptop.driver.contents(made.inventory) is None


class TestPlugin(PluginConformance):
    @pytest.fixture
    def plugin(self) -> Any:
        return PLUGIN


class TestDestination(DestinationConformance):
    @pytest.fixture
    def destination(self, laptop: Laptop) -> ProcessDestination:
        self.laptop = laptop
        return laptop.destination

    @pytest.fixture
    def target(self) -> Target:
        return TARGET

    @pytest.fixture
    def objects(self, destination: ProcessDestination, laptop: Laptop) -> Sequence[Any]:
        return manifests(laptop.put())


class TestVolumes(ResourceDriverConformance):
    @pytest.fixture
    def driver(self, tmp_path: Path) -> VolumeDriver:
        host = Host(tmp_path / "host", ProcessSettings())
        return VolumeDriver(replace(host.context), tmp_path / "volumes")

    @pytest.fixture
    def request_(self) -> ResourceRequest:
        return ResourceRequest("u1", "volume", "default", "shop.data", "dev", "shop")
