"""Requests to other systems: bounded, polite, and not led to where they must not go."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator

import pytest

from factories.other_system import Asked, OtherSystem, Reply, other_system
from taxiway.model.errors import (
    InputError,
    NotFoundError,
    RateLimitedError,
    TaxiwayError,
    TooLargeError,
    UnavailableError,
)
from taxiway.plugin.outgoing import Hosts, Limits, Outgoing, next_link, pages

SECRET = "ghp_verysecret"


@pytest.fixture
def system() -> Iterator[OtherSystem]:
    with other_system() as running:
        yield running


@pytest.fixture
def client(system: OtherSystem) -> Iterator[Outgoing]:
    made = Outgoing(Hosts([system.host]), {"Authorization": f"Bearer {SECRET}"}, Limits(tries=3, wait_seconds=1))
    yield made
    made.close()


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("metadata.example", "169.254.169.254"),
        ("inside.example", "10.1.2.3"),
        ("inside.example", "192.168.0.1"),
        ("inside.example", "100.64.0.1"),
        ("six.example", "::1"),
        ("six.example", "fd00:ec2::254"),
        ("six.example", "fe80::1"),
        ("mapped.example", "::ffff:127.0.0.1"),
        ("mapped.example", "::ffff:169.254.169.254"),
        ("nat64.example", "64:ff9b::a00:1"),
        ("zero.example", "0.0.0.0"),
    ],
)
def test_names_that_stand_for_private_addresses_are_refused(name: str, address: str) -> None:
    client = Outgoing(resolve=lambda host, port: [address])
    with pytest.raises(InputError) as refused:
        client.get(f"http://{name}/latest/meta-data?token={SECRET}")
    assert refused.value.code == "outgoing.private_address"
    assert SECRET not in refused.value.detail


def test_a_configured_name_may_be_private_but_never_a_cloud_s_metadata() -> None:
    hosts = Hosts(["forge.example"])
    client = Outgoing(hosts, resolve=lambda host, port: ["169.254.169.254"], limits=Limits(tries=1))
    with pytest.raises(InputError, match="private network"):
        client.get("http://forge.example/")
    with pytest.raises(InputError, match="not among the hosts"):
        Outgoing(Hosts(["forge.example"], only=True), resolve=lambda *_: ["93.184.216.34"]).get("https://other.example")
    with pytest.raises(InputError, match="not among the hosts"):
        Outgoing(Hosts(["forge.example"], only=True), resolve=lambda *_: ["93.184.216.34"]).get(
            "https://forge.example:8443/"
        )


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://x", "http://", "http://u:p@x/", "http://x y/", "http://x:99999/"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        Outgoing().get(url)


def test_a_redirect_is_judged_again_and_does_not_carry_the_credential_away(
    system: OtherSystem, client: Outgoing
) -> None:
    with other_system(lambda asked: Reply({"here": True})) as elsewhere:
        system.respond = lambda asked: Reply(status=302, headers={"location": f"{elsewhere.url}/x"})
        with pytest.raises(InputError) as refused:
            client.get(f"{system.url}/a")
        assert refused.value.code == "outgoing.private_address"
        assert elsewhere.asked == []
        secrets = {"Authorization": f"Bearer {SECRET}", "X-Team-Token": SECRET}
        both = Outgoing(Hosts([system.host, elsewhere.host]), secrets)
        assert both.get(f"{system.url}/a").json() == {"here": True}
        assert {"authorization", "x-team-token"} <= system.asked[-1].headers.keys()
        assert SECRET not in str(elsewhere.asked[0].headers), "a header of any name may hold a credential"
        system.respond = lambda asked: Reply(status=307, headers={"location": f"{elsewhere.url}/x?{SECRET}"})
        with pytest.raises(InputError, match="correct the address") as refused:
            both.send("POST", f"{system.url}/a", json={"secret": SECRET})
        assert SECRET not in refused.value.detail
        assert len(elsewhere.asked) == 1, "a body may hold a credential too"
    system.respond = lambda asked: Reply(status=302, headers={"location": "/again"})
    with pytest.raises(InputError, match="leads on"):
        client.get(f"{system.url}/a")


def test_a_conditional_request_comes_back_unchanged(system: OtherSystem, client: Outgoing) -> None:
    def respond(asked: Asked) -> Reply:
        same = asked.headers.get("if-none-match") == '"1"'
        return Reply(status=304) if same else Reply({"v": 1}, headers={"etag": '"1"'})

    system.respond = respond
    first = client.get(system.url)
    assert (first.json(), first.etag) == ({"v": 1}, '"1"')
    assert client.get(system.url, etag=first.etag).checked().unchanged


def test_bodies_are_bounded_unpacked_ones_too(system: OtherSystem, client: Outgoing) -> None:
    bomb = gzip.compress(bytes(5_000_000))
    system.respond = lambda asked: Reply(bomb, headers={"content-encoding": "gzip"})
    small = Limits(body_bytes=100_000, tries=1)
    with pytest.raises(TooLargeError):
        client.get(system.url, limits=small)
    system.respond = lambda asked: Reply(bytes(200_000))
    with pytest.raises(TooLargeError):
        client.get(system.url, limits=small)
    assert len(client.get(system.url).body) == 200_000


def test_a_credential_that_is_used_up_holds_up_no_other(system: OtherSystem, client: Outgoing) -> None:
    used_up = {"authorization": "Bearer somebody's"}
    system.respond = lambda asked: Reply(status=429, headers={"retry-after": "900"})
    with pytest.raises(RateLimitedError):
        client.get(system.url, headers=used_up)
    system.respond = lambda asked: Reply({})
    assert client.get(system.url).status == 200
    with pytest.raises(RateLimitedError):
        client.get(system.url, headers=used_up)
    assert len(system.asked) == 2
    for endless in ("inf", "1e300"):
        system.respond = lambda asked, told=endless: Reply(status=429, headers={"retry-after": told})
        with pytest.raises(RateLimitedError) as limited:
            client.get(system.url, headers={"authorization": endless})
        assert limited.value.retry_after_seconds == pytest.approx(86_400, abs=1)


def test_a_secondary_limit_is_known_by_its_words(system: OtherSystem, client: Outgoing) -> None:
    # GitHub tells the hour's limit in the headers of this answer, and that one is not used up.
    reset = str(int(time.time()) + 900)
    system.respond = lambda asked: Reply(
        {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."},
        403,
        {"x-ratelimit-remaining": "4000", "x-ratelimit-reset": reset},
    )
    with pytest.raises(RateLimitedError) as limited:
        client.send("POST", system.url, json={})
    assert 50 < (limited.value.retry_after_seconds or 0) < 70
    assert len(system.asked) == 1


def test_a_limit_is_waited_for_when_it_is_short_and_told_when_it_is_long(system: OtherSystem, client: Outgoing) -> None:
    replies = [Reply({"message": "slow down"}, 429, {"retry-after": "0.2"}), Reply({"ok": True})]
    system.respond = lambda asked: replies[min(len(system.asked), 2) - 1]
    assert client.get(system.url).json() == {"ok": True}
    reset = str(int(time.time()) + 900)
    system.respond = lambda asked: Reply(
        {"message": "API rate limit exceeded"}, 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    )
    for _ in range(3):
        with pytest.raises(RateLimitedError) as limited:
            client.get(system.url)
        assert 800 < (limited.value.retry_after_seconds or 0) < 910
    assert len(system.asked) == 3, "while it is paused nothing is asked"


def test_what_is_idempotent_is_tried_again_and_the_rest_is_not(system: OtherSystem, client: Outgoing) -> None:
    replies = [Reply(status=503), Reply({"ok": True})]
    system.respond = lambda asked: replies.pop(0)
    assert client.get(system.url).json() == {"ok": True}
    system.respond = lambda asked: Reply(status=503)
    assert client.send("POST", system.url, json={}).status == 503
    assert len(system.asked) == 3


@pytest.mark.parametrize(
    ("status", "kind"), [(401, InputError), (403, InputError), (404, NotFoundError), (500, UnavailableError)]
)
def test_errors_say_what_to_do_and_no_secret(
    system: OtherSystem, client: Outgoing, status: int, kind: type[TaxiwayError]
) -> None:
    system.respond = lambda asked: Reply({"message": "Bad credentials"}, status)
    with pytest.raises(kind) as raised:
        client.get(f"{system.url}/x?private_token={SECRET}").checked()
    assert "Bad credentials" in raised.value.detail
    assert SECRET not in raised.value.detail
    assert SECRET not in repr(client)


def test_nobody_there_is_said_without_the_query() -> None:
    client = Outgoing(Hosts(["127.0.0.1:9"]), limits=Limits(tries=2))
    with pytest.raises(UnavailableError) as raised:
        client.get(f"http://127.0.0.1:9/x?token={SECRET}")
    assert SECRET not in raised.value.detail


def test_pages_end(system: OtherSystem, client: Outgoing) -> None:
    def respond(asked: Asked) -> Reply:
        page = int(asked.path.partition("page=")[2] or 1)
        link = f'<{system.url}/list?page={page + 1}>; rel="next", <{system.url}/list?page=9>; rel="last"'
        return Reply([page], headers={"link": link} if page < 3 or endless else {})

    endless = False
    system.respond = respond
    assert [answer.json() for answer in pages(client.get, f"{system.url}/list")] == [[1], [2], [3]]
    endless = True
    with pytest.raises(UnavailableError, match="does not end"):
        list(pages(client.get, f"{system.url}/list", next_link, most=10))
