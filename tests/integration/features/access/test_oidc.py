"""Signing in by an OpenID provider: who may come in, who may not, and what the catalog makes of it."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from factories.following import until
from factories.identity_provider import CLIENT, SECRET, IdentityProvider, identity_provider
from factories.served import Served
from factories.signing_in import BASE, signing_in, told

BEA = {"sub": "u-1", "preferred_username": "Bea.Smith@acme.example", "name": "Bea Smith", "email": "bea@acme.example"}


@dataclass
class Door:
    """A server that one signs in to by a provider."""

    server: Served
    provider: IdentityProvider

    def browser(self) -> httpx.Client:
        return self.server.client()

    def start(self, browser: httpx.Client, next: str = "/catalog") -> dict[str, str]:
        answer = browser.get(f"{BASE}/start", params={"next": next})
        assert answer.status_code == 303, answer.text
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        return self.provider.sign_in(answer.headers["location"])

    def sign_in(self, claims: dict[str, Any], next: str = "/catalog") -> tuple[httpx.Client, str]:
        """The browser, and where it was led to in the end."""
        self.provider.claims = claims
        browser = self.browser()
        answer = browser.get(f"{BASE}/callback", params=self.start(browser, next))
        assert answer.status_code == 303, answer.text
        return browser, answer.headers["location"]

    def refused(self, claims: dict[str, Any] = BEA, **wrong: Any) -> str:
        self.provider.wrong = wrong
        browser, place = self.sign_in(claims)
        self.provider.wrong = {}
        assert browser.get("/api/access/v1/me").status_code == 401
        assert place == "/sign-in"
        return told(browser)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with identity_provider() as provider:
        client = {"issuer": provider.url, "client_id": CLIENT}
        others: dict[str, dict[str, str]] = {"other": {}, "mail": {"name_claim": "email"}}
        people, data = {"groups": "(?!internal-).*"}, tmp_path_factory.mktemp("data")
        with signing_in(data, client, SECRET, others, source=people, title="Acme", end_session=True) as running:
            yield Door(running, provider)


def test_somebody_signs_in_and_is_led_to_where_they_wanted(door: Door) -> None:
    ways = door.browser().get("/api/access/v1/ways").json()["items"]
    assert ways[0] == {"name": "corp", "title": "Acme", "url": f"{BASE}/start"}
    browser, place = door.sign_in({**BEA, "groups": []}, "/catalog?kind=system")
    assert place == "/catalog?kind=system"
    me = browser.get("/api/access/v1/me").json()
    assert (me["ref"], me["display_name"], me["roles"]) == ("user:default/bea.smith", "Bea Smith", [])
    assert "taxiway_oidc" not in browser.cookies
    assert door.sign_in(BEA, "/catalog?q=世")[1] == "/catalog?q=%E4%B8%96"
    for elsewhere in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"):
        assert door.sign_in(BEA, elsewhere)[1] == "/"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "somebody-else"}, "another client"),
        ({"aud": [CLIENT, "more"]}, "several clients"),
        ({"exp": 1}, "too old"),
        ({"exp": None}, "too old"),
        ({"iat": time.time() + 3600}, "of the future"),
        ({"nonce": "another"}, "not of this sign-in"),
        ({"nonce": "é"}, "not of this sign-in"),
        ({"azp": "somebody-else"}, "another client"),
        ({"nbf": time.time() + 3600}, "of the future"),
        ({"exp": float("nan")}, "too old"),
        ({"sub": ""}, "says nobody"),
        ({"preferred_username": ""}, "no name"),
        ({"preferred_username": ["x"]}, "no name"),
    ],
)
def test_a_token_that_does_not_hold_opens_nothing(door: Door, wrong: dict[str, Any], why: str) -> None:
    assert why in door.refused(**wrong)


def test_a_token_that_the_provider_did_not_sign_opens_nothing(door: Door) -> None:
    provider = door.provider
    key, header = provider.key, provider.header
    try:
        provider.key = RSAKey.generate_key(2048)
        assert "not signed" in door.refused()
        provider.key, provider.header = OctKey.import_key("a secret that both could have known"), {"alg": "HS256"}
        assert "not signed" in door.refused(), "a shared secret proves nothing"
    finally:
        provider.key, provider.header = key, header


def test_a_way_back_that_was_not_begun_here_opens_nothing(door: Door) -> None:
    door.provider.claims = BEA
    browser, other = door.browser(), door.browser()
    brought = door.start(browser)
    for client, params in (
        (other, brought),
        (browser, {**brought, "state": "é"}),
        (browser, {"code": "x"}),
        (browser, {"error": "call this number"}),
        (browser, {"error": "call this number", "state": "x"}),
    ):
        answer = client.get(f"{BASE}/callback", params=params)
        assert answer.headers["location"] == "/sign-in"
        assert "not begun in this browser" in told(client), "nobody else chooses what is said"
        assert "taxiway_session" not in client.cookies
    for cookie in (
        b"no",
        b"[" * 9000,
        b'{"provider": "corp", "state": "\\ud800"}',
        b'{"provider": "corp", "state": 1}',
    ):
        other.cookies.clear()
        cookies = {"cookie": f"taxiway_oidc={base64.urlsafe_b64encode(cookie).decode()}"}
        answer = other.get(f"{BASE}/callback", params=brought, headers=cookies)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    brought = door.start(browser)
    browser.get(f"{BASE}/callback", params={"error": "access_denied", "state": brought["state"]})
    assert "refused the sign-in (access_denied)" in told(browser)
    brought = door.start(browser)
    assert browser.get(f"{BASE}/callback", params=brought).headers["location"] == "/catalog"
    again = browser.get(f"{BASE}/callback", params=brought)
    assert again.headers["location"] == "/sign-in", "a code and a cookie count once"
    assert door.browser().get("/api/access/v1/oidc/nowhere/start").status_code == 404


def test_a_name_belongs_to_who_had_it_first_and_the_administrators_to_nobody(door: Door) -> None:
    door.sign_in(BEA)
    assert "belongs to somebody else" in door.refused({**BEA, "sub": "u-2"})
    assert "belongs to somebody else" in door.refused({"sub": "u-9", "preferred_username": "Admin"})
    browser = door.browser()
    door.provider.claims = BEA
    begun = browser.get("/api/access/v1/oidc/other/start")
    brought = door.provider.sign_in(begun.headers["location"])
    browser.get("/api/access/v1/oidc/other/callback", params=brought)
    assert "belongs" in told(browser), "not even by another provider"


def test_a_mail_address_is_a_name_only_where_it_is_verified(door: Door) -> None:
    places = []
    for said in ({}, {"email_verified": False}, {"email_verified": True}):
        door.provider.claims = {"sub": "m-1", "email": "max@acme.example", **said}
        browser = door.browser()
        begun = browser.get("/api/access/v1/oidc/mail/start")
        brought = door.provider.sign_in(begun.headers["location"])
        places.append(browser.get("/api/access/v1/oidc/mail/callback", params=brought).headers["location"])
    assert places == ["/sign-in", "/sign-in", "/"]
    assert browser.get("/api/access/v1/me").json()["ref"] == "user:default/max"


def sign_out(browser: httpx.Client) -> str | None:
    """Where the browser is to go then."""
    head = {"x-csrf-token": browser.cookies.get("taxiway_csrf", "")}
    answer = browser.post("/api/access/v1/sessions/current/end", headers=head)
    assert answer.status_code == 200, answer.text
    assert browser.get("/api/access/v1/me").status_code == 401
    found: str | None = answer.json()["url"]
    return found


def test_signing_out_ends_the_session_at_the_provider_too_where_it_is_set_to(door: Door) -> None:
    browser, _ = door.sign_in(BEA)
    url = urlsplit(sign_out(browser) or "")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{door.provider.url}/end"
    named = jwt.decode(query.pop("id_token_hint"), door.provider.published).claims
    assert (named["sub"], named["aud"]) == ("u-1", CLIENT)
    assert query == {
        "client_id": CLIENT,
        "post_logout_redirect_uri": door.server.platform.public_url() + "/sign-in",
    }
    assert sign_out(browser) is None, "there is none any more"
    browser, _ = door.sign_in({**BEA, "picture": "x" * 4000})
    assert "id_token_hint" not in (sign_out(browser) or ""), "no server takes such an address"
    assert sign_out(door.server.session()) is None, "by a link"
    door.provider.claims = {"sub": "m-2", "email": "out@acme.example", "email_verified": True}
    browser = door.browser()
    begun = browser.get("/api/access/v1/oidc/mail/start").headers["location"]
    browser.get("/api/access/v1/oidc/mail/callback", params=door.provider.sign_in(begun))
    assert sign_out(browser) is None, "this one is not set to"


def test_a_provider_is_asked_nothing_when_somebody_signs_out_and_one_that_is_set_to_end_none_is_left_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers = [door.sign_in(BEA)[0] for _ in range(2)]
    door.server.platform.services.clear()
    asked = len(door.provider.system.asked)
    assert (sign_out(browsers[0]) or "").startswith(f"{door.provider.url}/end?")
    assert len(door.provider.system.asked) == asked
    loaded = door.server.platform.loaded
    ends_none = [one.model_copy(update={"end_session": False}) for one in loaded.settings.access.oidc]
    access = loaded.settings.access.model_copy(update={"oidc": tuple(ends_none)})
    settings = loaded.settings.model_copy(update={"access": access})
    monkeypatch.setattr(door.server.platform, "loaded", replace(loaded, settings=settings))
    assert sign_out(browsers[1]) is None, "it was switched off since"


def test_groups_become_groups_with_members_and_leave_with_them(door: Door) -> None:
    def members(group: str) -> list[str]:
        answer = reader.get(f"/api/catalog/entities/by-name/group/default/{group}")
        found = answer.json().get("relations", []) if answer.status_code == 200 else []
        return sorted(one["targetRef"] for one in found if one["type"] == "hasMember")

    reader = door.server.client(door.server.token())
    door.sign_in({"sub": "g-1", "preferred_username": "gil", "name": "Gil", "groups": ["guards", "internal-x", "shop"]})
    browser, _ = door.sign_in({"sub": "g-2", "preferred_username": "ann", "groups": ["shop"]})
    door.sign_in({"sub": "g-3", "preferred_username": "mal", "groups": ["#shop", "SHOP"]})
    until(lambda: members("shop") == ["user:default/ann", "user:default/gil"])
    until(lambda: reader.get("/api/catalog/entities/by-name/user/default/mal").status_code == 200)
    assert members("shop") == ["user:default/ann", "user:default/gil"], "what looks like a group is not that group"
    assert members("guards") == ["user:default/gil"]
    assert reader.get("/api/catalog/entities/by-name/group/default/internal-x").status_code == 404
    user = reader.get("/api/catalog/entities/by-name/user/default/gil").json()
    assert user["spec"]["profile"]["displayName"] == "Gil"
    until(lambda: browser.get("/api/access/v1/me").json()["groups"] == ["group:default/shop"])
    door.sign_in({"sub": "g-1", "preferred_username": "gil", "name": "Gil", "groups": ["guards"]})
    until(lambda: members("shop") == ["user:default/ann"])
    door.sign_in({"sub": "g-2", "preferred_username": "ann", "_claim_names": {"groups": "src1"}})
    assert members("shop") == ["user:default/ann"], "what does not fit into a token says nothing"
    door.provider.user_info = {"groups": ["guards"]}
    door.sign_in({"sub": "g-2", "preferred_username": "ann"})
    until(lambda: members("guards") == ["user:default/ann", "user:default/gil"])
    door.provider.user_info = {}
    for door.provider.down in ("/me", "/token"):
        browser, place = door.sign_in({"sub": "g-2", "preferred_username": "ann"})
        assert (place, "500" in told(browser)) == ("/sign-in", True)
    door.provider.down = ""
    assert members("guards") == ["user:default/ann", "user:default/gil"], "who is down says nothing"


def test_a_provider_that_does_not_answer_is_said_on_the_sign_in_page(door: Door) -> None:
    door.server.platform.services.clear()
    door.provider.discovery = {"issuer": "https://another.example"}
    try:
        browser = door.browser()
        answer = browser.get(f"{BASE}/start")
        assert answer.headers["location"] == "/sign-in"
        assert "issuer" in told(browser)
        for odd in ("https://[", "javascript:alert(1)", "data:text/html,", 7, f"{door.provider.url}/{'x' * 2000}"):
            door.provider.discovery = {"end_session_endpoint": odd}
            door.server.platform.services.clear()
            assert sign_out(door.sign_in(BEA)[0]) is None, "no browser is sent there"
    finally:
        door.provider.discovery = {}
        door.server.platform.services.clear()
