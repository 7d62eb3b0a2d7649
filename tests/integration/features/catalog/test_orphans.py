"""What the files of a location describe no more: it is readable for some days, and never too much goes at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component, served_catalog
from factories.served import Served
from taxiway.features.catalog.service import ingesting, locations, removals
from taxiway.features.catalog.service.refused import take_over
from taxiway.plugins.git_local.forge import LocalForge

API = "/api/catalog"
ORPHAN = "backstage.io/orphan"


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


def there(client: httpx.Client) -> dict[str, bool]:
    """Components by name, and which of them are orphans."""
    found = client.get(f"{API}/entities", params={"filter": "kind=component"}).json()
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


def test_an_orphan_goes_to_the_source_that_claims_its_name(
    admin: httpx.Client, server: Served, location: Location, tmp_path: Path
) -> None:
    other = Location(admin, tmp_path / "files" / "other.yaml", "carts", "theirs")
    assert other.source()["conflicts"] == 1
    location.names("orders", "prices")
    take_over(server.platform.system("test"), "component:default/carts")  # what the event of an orphan leads to
    assert there(admin) == {"carts": False, "orders": False, "prices": False, "theirs": False}
    assert (other.source()["conflicts"], other.source()["entities"], location.source()["orphans"]) == (0, 3, 0)


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
