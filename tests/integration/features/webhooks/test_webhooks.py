"""Events sent to another system: signed, in order, at least once, tried again, given up with a reason, sent again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.laptop import until
from factories.other_system import Asked, OtherSystem, Reply, other_system
from factories.served import Served, served
from taxiway.core.events.journal import SEALED
from taxiway.core.events.sealer import Sealer
from taxiway.core.leases import Leases
from taxiway.core.plugins.host import plugin_context
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.webhooks.contrib import FEATURE as WEBHOOKS
from taxiway.features.webhooks.service.keeping import forget_old
from taxiway.features.webhooks.service.sending import Sender
from taxiway.kit.clock import ManualClock
from taxiway.plugin import SourcedEntity

HOOKS = "/api/webhooks/v1/webhooks"
STOP = threading.Event()


def _entity(name: str, kind: str = "Component") -> SourcedEntity:
    spec = {"type": "service", "lifecycle": "production", "owner": "red"}
    document = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return SourcedEntity(document, f"file:/{name}.yaml")


@pytest.fixture
def receiver() -> Iterator[OtherSystem]:
    with other_system(lambda asked: Reply(status=204)) as running:
        yield running


class MemoryStore:
    """A secret store that remembers."""

    key = "secrets_local"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def put(self, name: str, value: str) -> None:
        self.values[name] = value

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def delete(self, name: str) -> None:
        self.values.pop(name, None)


class World:
    """A server whose events go to `receiver`, one step at a time."""

    def __init__(self, server: Served, clock: ManualClock, receiver: OtherSystem) -> None:
        self.server, self.clock, self.receiver = server, clock, receiver
        self.sender = Sender(server.platform)
        self.secrets = MemoryStore()
        server.platform.registry.add("secret_store", self.secrets, "test")

    @property
    def admin(self) -> httpx.Client:
        """An administrator, with a token of now."""
        return self.server.client(self.server.token("admin"))

    def subscribe(self, **body: Any) -> dict[str, Any]:
        asked = {"name": "ci", "url": f"{self.receiver.url}/in", "types": ["dev.taxiway.entity."], **body}
        answer = self.admin.post(HOOKS, json=asked)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def apply(self, *entities: SourcedEntity) -> None:
        ctx = self.server.platform.system("test")
        self.server.platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, entities, "test", full=True))

    def send(self, hook: dict[str, Any]) -> None:
        seal(self.server)
        while self.sender.advance(hook["id"], STOP):
            pass

    def got(self) -> list[tuple[str, str]]:
        bodies = [json.loads(one.body) for one in self.receiver.asked]
        return [(body["type"].split(".")[3], body["subject"]) for body in bodies]

    def deliveries(self, hook: dict[str, Any]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.admin.get(f"{HOOKS}/{hook['id']}/deliveries").json()["items"]
        return items


def seal(server: Served) -> None:
    platform: Any = server.platform
    leases = Leases(platform.store, platform.clock, platform.new_id)
    sealer = Sealer(platform.events, leases, platform.clock, platform.log, Path(platform.settings.data))
    lease = leases.try_acquire("sealer")
    assert lease is not None
    sealer.seal(lease)
    leases.release(lease)


@pytest.fixture
def world(tmp_path: Path, receiver: OtherSystem) -> Iterator[World]:
    clock = ManualClock()
    settings = {"hosts": [receiver.host], "give_up_seconds": 600}
    with served(tmp_path / "data", clock=clock, features=[ACCESS, CATALOG, WEBHOOKS], webhooks=settings) as server:
        yield World(server, clock, receiver)


def _verified(asked: Asked, secret: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    head = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode()
    mac = base64.b64encode(hmac.new(key, head + asked.body, hashlib.sha256).digest()).decode()
    return asked.headers["webhook-signature"] == f"v1,{mac}"


def test_events_come_signed_in_order_and_filtered(world: World) -> None:
    hook = world.subscribe(filters=["kind=component,spec.type=service"])
    world.apply(_entity("a"), _entity("b"), _entity("c", "Resource"))
    world.apply(_entity("a"), _entity("c", "Resource"))
    world.send(hook)
    assert world.got() == [
        ("created", "component:default/a"),
        ("created", "component:default/b"),
        ("deleted", "component:default/b"),
    ]
    assert all(_verified(asked, hook["secret"]) for asked in world.receiver.asked)
    assert world.receiver.asked[0].headers["content-type"] == "application/cloudevents+json"
    shown = world.admin.get(f"{HOOKS}/{hook['id']}").text
    assert hook["secret"] not in shown + world.admin.get(HOOKS).text
    assert {one["state"] for one in world.deliveries(hook)} == {"delivered"}


def test_what_fails_is_tried_again_and_those_behind_it_wait(world: World) -> None:
    hook = world.subscribe()
    world.apply(_entity("a"))
    world.apply(_entity("a"), _entity("b"))
    world.receiver.respond = lambda asked: Reply(status=500)
    world.send(hook)
    world.send(hook)
    assert world.got() == [("created", "component:default/a")], "not tried again before its time"
    waiting = world.deliveries(hook)[0]
    assert (waiting["state"], waiting["status"], waiting["attempts"]) == ("waiting", 500, 1)
    world.clock.advance(6)
    world.receiver.respond = lambda asked: Reply(status=200)
    world.send(hook)
    assert world.got() == [
        ("created", "component:default/a"),
        ("created", "component:default/a"),
        ("created", "component:default/b"),
    ]
    first, second = (asked.headers["webhook-id"] for asked in world.receiver.asked[:2])
    assert first == second
    assert [one["attempts"] for one in world.deliveries(hook)] == [1, 2]


def test_long_failure_disables_with_a_reason_and_nothing_is_lost(world: World) -> None:
    hook = world.subscribe()
    world.apply(_entity("a"))
    world.receiver.respond = lambda asked: Reply(status=503)
    for _ in range(12):
        world.send(hook)
        world.clock.advance(400)
    found = world.admin.get(f"{HOOKS}/{hook['id']}").json()
    assert (found["enabled"], "600 seconds" in found["reason"]) == (False, True)
    attempts = len(world.receiver.asked)
    assert attempts < 6
    world.receiver.respond = lambda asked: Reply(status=200)
    body = {key: found[key] for key in ("name", "url", "types", "filters")}
    stale = world.admin.put(f"{HOOKS}/{hook['id']}", json=body, headers={"if-match": '"77"'})
    assert stale.status_code == 412
    assert world.admin.put(f"{HOOKS}/{hook['id']}", json={**body, "enabled": True}).status_code == 200
    world.send(hook)
    assert world.got()[attempts:] == [("created", "component:default/a")]


def test_gone_disables_at_once_and_a_delivery_can_be_sent_again(world: World) -> None:
    hook = world.subscribe()
    world.apply(_entity("a"))
    world.send(hook)
    delivery = world.deliveries(hook)[0]
    path = f"{HOOKS}/{hook['id']}/deliveries"
    assert world.admin.post(f"{path}/{delivery['id']}/resend").status_code == 202
    assert world.admin.post(f"{path}/nope/resend").status_code == 404
    world.send(hook)
    assert [asked.headers["webhook-id"] for asked in world.receiver.asked] == [delivery["event_id"]] * 2
    world.receiver.respond = lambda asked: Reply(status=410)
    world.apply()
    world.send(hook)
    assert "410" in world.admin.get(f"{HOOKS}/{hook['id']}").json()["reason"]
    assert world.admin.post(f"{path}/{delivery['id']}/resend").status_code == 409
    world.clock.advance(40 * 86_400)
    assert forget_old(world.server.platform) == 2
    assert world.admin.delete(f"{HOOKS}/{hook['id']}").status_code == 204
    assert world.secrets.values == {}


def test_a_new_secret_takes_the_place_of_the_old_one(world: World) -> None:
    hook = world.subscribe()
    secret = world.admin.post(f"{HOOKS}/{hook['id']}/secret").json()["secret"]
    world.apply(_entity("a"))
    world.send(hook)
    assert _verified(world.receiver.asked[0], secret)
    assert not _verified(world.receiver.asked[0], hook["secret"])


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/x", "http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd", "http://u:p@x.y/"],
)
def test_addresses_inside_are_refused(world: World, url: str) -> None:
    answer = world.admin.post(HOOKS, json={"name": "in", "url": url})
    assert answer.status_code == 422, answer.text
    assert world.secrets.values == {}


def test_a_redirect_leads_nowhere(world: World) -> None:
    hook = world.subscribe()
    world.apply(_entity("a"))
    world.receiver.respond = lambda asked: Reply(status=307, headers={"location": "http://169.254.169.254/"})
    world.send(hook)
    assert world.deliveries(hook)[0]["state"] == "waiting"
    assert len(world.receiver.asked) == 1


def test_only_administrators_keep_webhooks(world: World) -> None:
    client: httpx.Client = world.server.client(world.server.token("platform", "user:default/p"))
    assert client.get(HOOKS).status_code == 403
    assert client.post(HOOKS, json={"name": "x", "url": "https://example.com"}).status_code == 403


@contextmanager
def running(world: World, sender: Sender) -> Iterator[None]:
    """The background service at work, until the block ends."""
    stop, context = (
        threading.Event(),
        plugin_context(world.server.platform, "feature-webhooks", None, world.server.platform.log),
    )
    thread = threading.Thread(target=sender.run, args=(context, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        world.server.platform.signals.notify(SEALED)  # as the worker does
        thread.join(10)
        assert not thread.is_alive()


def test_the_service_sends_by_itself_and_one_that_fails_holds_up_no_other(world: World) -> None:
    def respond(asked: Asked) -> Reply:
        return Reply(status=500 if asked.path == "/broken" else 204)

    def arrived(number: int) -> bool:
        return world.receiver.paths().count("/in") == number

    world.receiver.respond = respond
    broken = world.subscribe(name="broken", url=f"{world.receiver.url}/broken")
    hook = world.subscribe()
    with running(world, world.sender):
        for number, entities in enumerate(([_entity("a")], [_entity("a"), _entity("b")]), 1):
            world.apply(*entities)
            seal(world.server)
            until(partial(arrived, number))
        until(lambda: world.deliveries(broken)[0]["state"] == "waiting")
    assert world.receiver.paths().count("/broken") == 1
    assert [one["state"] for one in world.deliveries(hook)] == ["delivered"] * 2


def test_a_fault_of_ours_is_not_repeated_at_once(world: World) -> None:
    seen: list[str] = []

    class Faulty(Sender):
        def advance(self, id_: str, stop: threading.Event) -> bool:
            seen.append(id_)
            raise RuntimeError("the disk is full")

    hook = world.subscribe()
    world.apply(_entity("a"))
    seal(world.server)
    with running(world, Faulty(world.server.platform)):
        until(lambda: bool(seen))
        time.sleep(0.3)
    assert seen == [hook["id"]]
