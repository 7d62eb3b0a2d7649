"""What the files of a location describe no more: it is readable for some days, and never too much goes at once."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component, served_catalog
from factories.served import Served
from taxiway.features.catalog.service import ingesting, locations, removals
from taxiway.features.catalog.service.refused import take_over
from taxiway.model.errors import ConflictError
from taxiway.plugins.git_local.forge import LocalForge
from taxiway.worker.main import Worker

API = "/api/catalog"
ORPHAN = "backstage.io/orphan"
EVERYTHING = [f"c{number:02}" for number in range(30)]


class Location:
    """A file of components, and the location that it is registered as."""

    def __init__(self, client: httpx.Client, file: Path, *names: str) -> None:
        self.client, self.file = client, file
        self.write(*names)
        answer = client.post(f"{API}/locations", json={"type": "file", "target": str(file)})
        self.id, self.ref = answer.json()["location"]["id"], answer.json()["location"]["entityRef"]

    def write(self, *names: str) -> None:
        self.file.write_text("---\n".join(component(name) for name in names))

    def names(self, *names: str) -> None:
        """The file describes these from now on, and is read again."""
        self.write(*names)
        assert self.client.post(f"{API}/refresh", json={"entityRef": self.ref}).status_code == 200

    def source(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"{API}/v1/sources/{self.id}").json()
        return found


class Files(Location):
    """Two files, and the location of a third one that leads to them."""

    def __init__(self, client: httpx.Client, folder: Path) -> None:
        self.folder = folder
        self.hold([], [])
        super().__init__(client, folder / "all.yaml")

    def write(self, *names: str) -> None:
        spec = "spec: {targets: [./a.yaml, ./b.yaml]}"
        self.file.write_text(f"apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: all}}\n{spec}\n")

    def hold(self, first: Sequence[str], second: Sequence[str]) -> None:
        """The files describe these from now on, and are read again."""
        for name, names in (("a", first), ("b", second)):
            always = component(f"always-{name}", kind="website")
            (self.folder / f"{name}.yaml").write_text("---\n".join([always, *map(component, names)]))
        if hasattr(self, "ref"):
            assert self.client.post(f"{API}/refresh", json={"entityRef": self.ref}).status_code == 200


def there(client: httpx.Client) -> dict[str, bool]:
    """Components by name, and which of them are orphans."""
    found = client.get(f"{API}/entities", params={"filter": "kind=component,spec.type=service"}).json()
    return {one["metadata"]["name"]: one["metadata"]["annotations"].get(ORPHAN) == "true" for one in found}


@pytest.fixture
def location(admin: httpx.Client, tmp_path: Path) -> Location:
    return Location(admin, tmp_path / "files" / "all.yaml", "carts", "orders", "prices")


def test_an_orphan_stays_for_some_days_and_is_what_it_was_when_it_is_described_again(
    admin: httpx.Client, server: Served, location: Location
) -> None:
    before = admin.get(f"{API}/entities/by-name/component/default/carts").json()
    location.names("orders", "prices")
    assert there(admin) == {"carts": True, "orders": False, "prices": False}
    orphan = admin.get(f"{API}/entities/by-name/component/default/carts").json()
    assert orphan["metadata"]["annotations"].pop(ORPHAN) == "true"
    assert orphan["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert (location.source()["orphans"], location.source()["held"]) == (1, 0)
    location.names("orders")
    location.names("orders", "carts")
    assert there(admin) == {"carts": False, "orders": False, "prices": True}
    assert removals.remove_old_orphans(server.platform) == 0
    server.platform.store.write(
        lambda tx: tx.conn.exec_driver_sql("UPDATE catalog_orphan SET since_at = since_at - 7 * 86400000000")
    )
    assert removals.remove_old_orphans(server.platform) == 1
    assert there(admin) == {"carts": False, "orders": False}


def test_too_many_at_once_wait_for_review(
    admin: httpx.Client, server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = [f"c{number:02}" for number in range(30)]
    location = Location(admin, tmp_path / "files" / "many.yaml", *everything)
    review, held = f"{API}/v1/sources/{location.id}/review", f"{API}/v1/sources/{location.id}/held"
    location.names(*everything[:15])
    assert (location.source()["held"], set(there(admin).values())) == (15, {False})
    waiting = admin.get(held, params={"limit": 100}).json()["items"]
    assert [item["ref"] for item in waiting] == [f"component:default/{name}" for name in everything[15:]]
    assert waiting[0]["location"] == f"file:{location.file}"
    assert admin.post(review, json={"decision": "keep"}).json() == {"removed": 0, "kept": 15}
    assert location.source()["held"] == 0
    location.names(*everything[:16])  # fewer, but still too many
    assert location.source()["held"] == 14
    monkeypatch.setattr(locations, "AT_ONCE", 5)  # as a large one is read
    monkeypatch.setattr(ingesting, "BATCH", 7)
    location.names(*everything[:17])
    assert (location.source()["held"], len(there(admin))) == (13, 30)
    assert admin.post(review, json={"decision": "remove"}).json() == {"removed": 13, "kept": 0}
    assert list(there(admin)) == everything[:17]
    location.names(*everything[:10])
    assert (location.source()["held"], location.source()["orphans"]) == (0, 7)
    assert admin.post(review, json={"decision": "keep"}).status_code == 409
    with server.platform.store.read() as conn:
        events = conn.exec_driver_sql("select data, actor from event where type like '%%reviewed%%' order by id").all()
    told = [(json.loads(data)["decision"], json.loads(data)["entities"], actor) for data, actor in events]
    assert told == [("keep", 15, "user:default/tester"), ("remove", 13, "user:default/tester")]
    assert admin.get(f"{API}/v1/sources/nope/held").status_code == 404


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_only_the_platform_team_sees_and_reviews_what_waits(server: Served, location: Location, role: str) -> None:
    with server.client(server.token(role)) as client:
        assert client.get(f"{API}/v1/sources/{location.id}/held").status_code == 403
        review = client.post(f"{API}/v1/sources/{location.id}/review", json={"decision": "remove"})
        assert review.status_code == 403


def test_what_is_held_or_an_orphan_goes_with_its_location(admin: httpx.Client, tmp_path: Path) -> None:
    everything = [f"c{number:02}" for number in range(20)]
    location = Location(admin, tmp_path / "files" / "many.yaml", *everything)
    location.names(*everything[:16])
    location.names(*everything[:2])
    assert (location.source()["orphans"], location.source()["held"]) == (4, 14)
    assert admin.delete(f"{API}/locations/{location.id}").status_code == 204
    assert there(admin) == {}
    again = Location(admin, tmp_path / "files" / "many.yaml", *everything)
    assert (again.source()["orphans"], again.source()["held"], len(there(admin))) == (0, 0, 20)


FAULTY = "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: %s}\n"
"""Of a document without a spec."""


@pytest.mark.parametrize("at_once", [1000, 3])
def test_what_is_described_with_a_fault_neither_goes_nor_is_removed_by_a_review(
    admin: httpx.Client, server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    location = Location(admin, tmp_path / "files" / "many.yaml", *EVERYTHING)
    monkeypatch.setattr(locations, "AT_ONCE", at_once)
    location.names(*EVERYTHING[:28])
    location.names(*EVERYTHING[:10])
    assert (location.source()["orphans"], location.source()["held"]) == (2, 18)
    told = "---\n".join(map(component, EVERYTHING[:10])) + "".join(FAULTY % name for name in EVERYTHING[10:])
    location.file.write_text(told)
    assert admin.post(f"{API}/refresh", json={"entityRef": location.ref}).status_code == 200
    assert (location.source()["held"], location.source()["problems"]) == (0, 20)
    server.platform.store.write(
        lambda tx: tx.conn.exec_driver_sql("UPDATE catalog_orphan SET since_at = since_at - 7 * 86400000000")
    )
    assert removals.remove_old_orphans(server.platform) == 0
    assert len(there(admin)) == 30
    location.file.write_text("---\n".join([*map(component, EVERYTHING[:2]), "kind: [\n"]))  # a part cannot be read
    assert admin.post(f"{API}/refresh", json={"entityRef": location.ref}).status_code == 200
    assert (location.source()["held"], location.source()["orphans"], len(there(admin))) == (0, 2, 30)
    location.names(*EVERYTHING)
    assert (location.source()["orphans"], location.source()["problems"]) == (0, 0)


def test_many_orphans_are_marked_and_a_location_is_unregistered_rather_than_removed(
    admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removals, "BATCH", 2)
    location = Location(admin, tmp_path / "files" / "many.yaml", *EVERYTHING)
    location.names(*EVERYTHING[:25])
    assert [name for name, is_orphan in there(admin).items() if is_orphan] == EVERYTHING[25:]
    refused = admin.delete(f"{API}/v1/sources/{location.id}")
    assert (refused.status_code, "unregister" in refused.json()["detail"]) == (409, True)


def test_an_orphan_goes_to_the_source_that_claims_its_name(
    admin: httpx.Client, server: Served, location: Location, tmp_path: Path
) -> None:
    worker = Worker(server.platform, ())
    worker.start()
    try:
        other = Location(admin, tmp_path / "files" / "other.yaml", "carts", "theirs")
        assert other.source()["conflicts"] == 1
        location.names("orders", "prices")
        until = time.monotonic() + 30
        while there(admin)["carts"] and time.monotonic() < until:
            time.sleep(0.05)
        assert there(admin) == {"carts": False, "orders": False, "prices": False, "theirs": False}
        assert (other.source()["conflicts"], other.source()["entities"], location.source()["orphans"]) == (0, 3, 0)
    finally:
        worker.stop()


def test_a_claim_is_tried_again_where_its_location_was_being_read(
    admin: httpx.Client, server: Served, location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Location(admin, tmp_path / "files" / "other.yaml", "carts", "theirs")
    location.names("orders", "prices")
    monkeypatch.setattr(locations, "TURN_SECONDS", 0.05)
    with locations.turn(server.platform, other.id, 1), pytest.raises(ConflictError):
        take_over(server.platform.system("test"), "component:default/carts")
    take_over(server.platform.system("test"), "component:default/carts")
    assert not there(admin)["carts"]


@pytest.fixture
def files(admin: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Two files of a location that is read as large ones are."""
    monkeypatch.setattr(locations, "AT_ONCE", 3)
    monkeypatch.setattr(ingesting, "BATCH", 7)
    return Files(admin, tmp_path / "files")


def test_what_waits_goes_on_waiting_when_nothing_changed(admin: httpx.Client, files: Files) -> None:
    files.hold(EVERYTHING[:20], EVERYTHING[20:])
    for _ in range(2):
        files.hold(EVERYTHING[:5], EVERYTHING[20:])
        assert (files.source()["held"], len(there(admin))) == (15, 30)
    admin.post(f"{API}/v1/sources/{files.id}/review", json={"decision": "keep"})
    files.hold(EVERYTHING[:5], EVERYTHING[20:])
    assert files.source()["held"] == 15


def test_what_moves_to_another_file_later_is_what_it_was(admin: httpx.Client, files: Files) -> None:
    files.hold(EVERYTHING[:20], EVERYTHING[20:])
    files.hold(EVERYTHING[:18], EVERYTHING[20:])
    assert (files.source()["orphans"], files.source()["held"]) == (2, 0)
    files.hold(EVERYTHING[:18], EVERYTHING[18:])
    assert (files.source()["orphans"], files.source()["problems"]) == (0, 0)
    files.hold(EVERYTHING[:3], EVERYTHING[18:])
    assert files.source()["held"] == 15
    files.hold(EVERYTHING[:3], EVERYTHING[3:])
    assert (files.source()["held"], files.source()["problems"], len(there(admin))) == (0, 0, 30)


def test_what_is_described_again_is_not_removed_by_a_review(admin: httpx.Client, tmp_path: Path) -> None:
    location = Location(admin, tmp_path / "files" / "many.yaml", *EVERYTHING)
    location.names(*EVERYTHING[:15])
    location.file.write_text("---\n".join([*map(component, EVERYTHING), "kind: [\n"]))  # one that cannot be read
    assert admin.post(f"{API}/refresh", json={"entityRef": location.ref}).status_code == 200
    assert location.source()["held"] == 0
    location.names(*EVERYTHING[:15])
    other = tmp_path / "files" / "other.yaml"
    other.write_text(location.file.read_text() + "---\n" + "---\n".join(map(component, EVERYTHING[15:])))
    body = {"type": "file", "target": str(other)}
    assert admin.put(f"{API}/locations/{location.id}", json=body).status_code == 200
    assert (location.source()["held"], len(there(admin))) == (0, 30)


def test_where_orphans_are_not_kept_they_go_at_once_and_never_too_many(tmp_path: Path, forge: LocalForge) -> None:
    with (
        served_catalog(tmp_path, forge, orphan_days=0) as server,
        server.client(server.token()) as admin,
    ):
        everything = [f"c{number:02}" for number in range(12)]
        location = Location(admin, tmp_path / "files" / "all.yaml", *everything)
        location.names(*everything[:2])
        assert list(there(admin)) == everything[:2]
        location.names(*everything)
        location.names(everything[0])
        assert (len(there(admin)), location.source()["held"]) == (12, 11)
