"""The conformance of event subscribers: an event that comes again changes nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import Publish, admin, component, forge, publish, server
from factories.host import Host
from factories.served import Served
from outside_plugin.src.taxiway_weather import FORECAST, CountDeployments
from taxiway.features.catalog.tasks import PUSHED, FollowPushes
from taxiway.model.event import Event
from taxiway.plugin import EventType, Identity, PluginContext
from taxiway.plugin.testing import EventSubscriberConformance, EventTypeConformance, MemoryRecords
from taxiway.plugins.act import PLUGIN as ACT
from taxiway.plugins.act.caches import ForgetRepository, RepositoryCaches
from taxiway.plugins.act.seed import Seed
from taxiway.plugins.act.settings import ActSettings

__all__ = ["admin", "forge", "publish", "server"]
Effects = Callable[[], Any]


def event_of(kind: str, subject: str, data: Mapping[str, Any]) -> Event:
    return Event(7, "id-7", kind, "taxiway", subject, 1, data, "system:test", None, "system", None, "hash")


class TestTheForecastsType(EventTypeConformance):
    """Of the plugin outside the tree."""

    @pytest.fixture
    def event_type(self) -> EventType:
        return FORECAST

    @pytest.fixture
    def data(self) -> Mapping[str, Any]:
        return {"city": "Oslo"}


class TestCountingDeployments(EventSubscriberConformance):
    """Of the plugin outside the tree."""

    @pytest.fixture
    def records(self) -> MemoryRecords:
        return MemoryRecords()

    @pytest.fixture
    def subscriber(self, records: MemoryRecords) -> CountDeployments:
        return CountDeployments(records)

    @pytest.fixture
    def event(self) -> Event:
        return event_of("dev.cdevents.service.deployed.0.3.0", "component:default/shop", {})

    @pytest.fixture
    def effects(self, subscriber: CountDeployments) -> Effects:
        return lambda: subscriber.facts({})


class TestForgettingARepository(EventSubscriberConformance):
    """Of `act`: the cache of a repository goes with it."""

    @pytest.fixture
    def context(self, tmp_path: Path) -> PluginContext:
        return Host(tmp_path, ActSettings(), Identity(None, None)).context

    @pytest.fixture
    def caches(self, context: PluginContext) -> RepositoryCaches:
        return RepositoryCaches(context, Seed(context.cache_dir / "seed", Identity(None, None)))

    @pytest.fixture
    def subscriber(self, caches: RepositoryCaches) -> ForgetRepository:
        caches.folder("shop")
        caches.folder("orders")
        return ForgetRepository(caches)

    @pytest.fixture
    def event(self) -> Event:
        return event_of("dev.cdevents.repository.deleted.0.3.0", "repository:shop", {"repository": "shop"})

    @pytest.fixture
    def effects(self, context: PluginContext) -> Effects:
        return lambda: sorted(path.name for path in (context.cache_dir / "repositories").iterdir())


class TestFollowingPushes(EventSubscriberConformance):
    """Of the catalog: a push to a registered repository changes its entities."""

    @pytest.fixture
    def subscriber(self, server: Served, admin: httpx.Client, publish: Publish) -> FollowPushes:
        publish("shop", {"catalog-info.yaml": component("orders")})
        location = {"type": "git", "target": "shop//catalog-info.yaml"}
        assert admin.post("/api/catalog/locations", json=location).status_code == 201
        publish("shop", {"catalog-info.yaml": component("orders") + "---\n" + component("prices")})
        return FollowPushes(server.platform)

    @pytest.fixture
    def event(self) -> Event:
        data = {"repository": "shop", "ref": "refs/heads/main", "default_branch": "main", "pusher": "user:default/a"}
        return event_of(PUSHED, "repository:shop", {**data, "before": "0" * 40, "after": "1" * 40})

    @pytest.fixture
    def effects(self, admin: httpx.Client) -> Effects:
        def entities() -> Any:
            found = admin.get("/api/catalog/entities", params={"filter": "kind=component"}).json()
            return [(item["metadata"]["name"], item["metadata"]["uid"], item["metadata"]["etag"]) for item in found]

        return entities


def test_act_brings_the_subscriber_that_is_tested_here(tmp_path: Path) -> None:
    found = dict(ACT.contribute(Host(tmp_path, ActSettings(prefetch=False)).context))
    assert isinstance(found["event_subscriber"], ForgetRepository)
