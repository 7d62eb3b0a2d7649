"""Signing in by a real Keycloak. Skipped where there is none: `make engines NAME=keycloak`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from factories.following import until
from factories.keycloak import CLIENT, SECRET, Keycloak, keycloak, user
from factories.served import Served
from factories.signing_in import BASE, signing_in, told
from taxiway.kit.clock import MICROSECONDS, SystemClock


@dataclass
class ShiftedClock(SystemClock):
    """The machine's, wrong by some seconds."""

    seconds: float = 0.0

    def now(self) -> int:
        return super().now() + int(self.seconds * MICROSECONDS)


@dataclass
class Office:
    """Taxiway and the Keycloak that one signs in by."""

    server: Served
    keycloak: Keycloak
    clock: ShiftedClock

    def person(self, name: str) -> Person:
        return Person(self, name, self.keycloak.browser(), self.server.client())


@dataclass
class Person:
    """Somebody with a browser, as Keycloak and Taxiway each see it."""

    office: Office
    name: str
    there: httpx.Client
    here: httpx.Client

    def sign_in(self, **how: Any) -> str:
        """Where one is led to in the end; Keycloak's page where it lets nobody go on."""
        begun = self.here.get(f"{BASE}/start", params={"next": "/catalog"})
        if begun.headers["location"] == "/sign-in":
            return "/sign-in"
        found = self.office.keycloak.sign_in(self.there, begun.headers["location"], self.name, **how)
        back = urlsplit(found)
        if back.path != f"{BASE}/callback":
            return found
        return self.here.get(f"{back.path}?{back.query}").headers["location"]

    def told(self) -> str:
        return told(self.here)

    def me(self) -> dict[str, Any]:
        answer = self.here.get("/api/access/v1/me")
        return answer.json() if answer.status_code == 200 else {}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    people = (user("bea", "/platform", "/platform/runtime"), user("carl", "/payments"), user("gone", enabled=False))
    data, clock = tmp_path_factory.mktemp("data"), ShiftedClock()
    with keycloak(*people) as running:
        client = {"issuer": running.issuer, "client_id": CLIENT}
        with signing_in(data, client, SECRET, clock=clock, end_session=True) as server:
            yield Office(server, running, clock)


def test_people_sign_in_and_their_groups_come_with_them(office: Office) -> None:
    bea, gone = office.person("bea"), office.person("gone")
    assert "Invalid username or password" in bea.sign_in(password="wrong")
    assert bea.me() == {}
    assert bea.sign_in() == "/catalog"
    groups = ["group:default/platform", "group:default/platform-runtime"]
    until(lambda: bea.me()["groups"] == groups)
    assert (bea.me()["display_name"], bea.me()["roles"]) == ("Bea Smith", [])
    admin = office.server.client(office.server.token())
    admin.post("/api/access/v1/roles", json={"member": groups[1], "role": "viewer"}).raise_for_status()
    assert bea.me()["roles"] == ["viewer"], "what a group of the provider may, its people may"
    entity = office.server.client(office.server.token()).get("/api/catalog/entities/by-name/user/default/bea").json()
    assert entity["spec"]["profile"] == {"displayName": "Bea Smith", "email": "bea@acme.example"}
    assert "Account is disabled" in gone.sign_in()
    assert gone.me() == {}


def test_a_session_that_ran_out_is_opened_anew_while_keycloak_knows_the_browser(office: Office) -> None:
    carl = office.person("carl")
    assert carl.sign_in() == "/catalog"
    office.clock.seconds = 400 * 86400
    try:
        assert carl.me() == {}
    finally:
        office.clock.seconds = 0
    carl.here.cookies.clear()
    assert carl.sign_in(password="is not asked for") == "/catalog"
    head = {"x-csrf-token": carl.here.cookies["taxiway_csrf"]}
    url = carl.here.post("/api/access/v1/sessions/current/end", headers=head).json()["url"]
    assert carl.there.get(url).headers["location"] == f"{office.server.platform.public_url()}/sign-in"
    assert carl.me() == {}
    assert "Invalid username or password" in carl.sign_in(password="is asked for, since the session there ended too")
    assert carl.sign_in() == "/catalog"
    with office.keycloak.admin() as admin:
        (found,) = admin.get("/users", params={"username": "carl"}).json()
        admin.post(f"/users/{found['id']}/logout").raise_for_status()
    assert "Invalid username or password" in carl.sign_in(password="is asked for now")


def test_keys_are_changed_and_clocks_are_wrong(office: Office) -> None:
    bea = office.person("bea")
    assert bea.sign_in() == "/catalog"
    office.keycloak.add(
        "components",
        {
            "name": "next",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "config": {"priority": ["200"], "algorithm": ["RS256"]},
        },
    )
    for seconds, place in (
        (3, "/catalog"),
        (-45, "/catalog"),
        (-300, "/sign-in"),
        (45, "/catalog"),
        (4000, "/sign-in"),
    ):
        office.clock.seconds = seconds
        assert bea.sign_in() == place, seconds
        office.clock.seconds = 0
    assert "clock" in bea.told()


def test_who_wants_in_while_keycloak_is_down_is_told_and_comes_in_later(office: Office) -> None:
    bea = office.person("bea")
    begun = bea.here.get(f"{BASE}/start", params={"next": "/catalog"}).headers["location"]
    back = urlsplit(office.keycloak.sign_in(bea.there, begun, "bea"))
    office.keycloak.door.shut()
    try:
        answer = bea.here.get(f"{back.path}?{back.query}")
        assert answer.headers["location"] == "/sign-in"
        assert "127.0.0.1" in bea.told()
        office.server.platform.services.clear()
        assert bea.sign_in() == "/sign-in", "a server that was started while it is down"
        assert "127.0.0.1" in bea.told()
    finally:
        office.keycloak.door.open()
    office.clock.seconds = 11  # a failure counts for ten seconds
    try:
        assert bea.sign_in() == "/catalog"
    finally:
        office.clock.seconds = 0
