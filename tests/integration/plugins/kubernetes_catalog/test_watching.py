"""A cluster is followed: watches, bookmarks, versions that are too old, connections that break."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from factories.cluster import WatchedCluster, watched_cluster
from factories.following import Following, names, until
from factories.served import served
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import configured
from taxiway.features.catalog.service import watching as service_watching
from taxiway.features.catalog.service.watching import WatchSources
from taxiway.model.errors import NotAllowedError, TaxiwayError
from taxiway.plugin import SourceEnd, SourceGone, SourceRequest
from taxiway.plugin.outgoing import Hosts, Outgoing
from taxiway.plugin.testing import MemorySecrets, memory_host
from taxiway.plugins.kubernetes_catalog import watching
from taxiway.plugins.kubernetes_catalog.source import KubernetesSource
from taxiway.worker.main import Worker

ID = {"backstage.io/kubernetes-id": "orders"}


@pytest.fixture
def following(monkeypatch: pytest.MonkeyPatch) -> Iterator[Following[WatchedCluster]]:
    monkeypatch.setattr(watching, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(watching, "SHORTEST_SECONDS", 0.0)
    monkeypatch.setattr(watching, "SETTLE_SECONDS", 0.05)
    with watched_cluster() as cluster:
        for name in ("shop", "team-a"):
            cluster.put("namespaces", name)
        cluster.put("deployments", "orders", "shop", **ID)
        cluster.put("deployments", "plain", "team-a")
        source = KubernetesSource(MemorySecrets())
        options = source.options.model_validate({"cluster": "prod", "owner": "platform", "server": cluster.url})
        found = Following(cluster, source, SourceRequest("prod", options))
        found.read()
        cluster.asked.clear()
        yield found
        found.request.cancelled.set()


def test_a_change_is_told_at_once_and_only_its_namespace_is_read(following: Following[WatchedCluster]) -> None:
    following.follow()
    until(lambda: len(following.cluster.asked) == 5)
    following.cluster.put("deployments", "stock", "shop", **ID)
    [hints] = following.told(1)
    assert hints == [{"namespace": "shop"}]
    following.cluster.asked.clear()
    items = following.read(hints)
    assert names(items) == ["prod-shop", "prod-shop-orders", "prod-shop-stock"]
    assert items[-1] == SourceEnd(complete=False)
    assert all("/namespaces/shop/" in path for path in following.cluster.asked if "/apis/" in path)
    following.cluster.remove("deployments", "stock", "shop")
    following.cluster.remove("deployments", "orders", "shop")
    following.told(2)
    assert [one.part for one in following.read(hints) if isinstance(one, SourceGone)] == ["shop/deployments"]


def test_a_change_of_what_does_not_matter_is_not_told(following: Following[WatchedCluster]) -> None:
    following.follow()
    until(lambda: len(following.cluster.asked) == 5)
    following.cluster.put("deployments", "orders", "shop", **ID, restarted="now")
    following.cluster.put("deployments", "plain", "team-a", other="x")
    following.cluster.bookmark("deployments")
    following.cluster.put("deployments", "plain", "team-a", **ID)
    assert following.told(1) == [[{"namespace": "team-a"}]]
    following.cluster.put("namespaces", "new")
    assert following.told(2)[1] == (), "names follow from the namespaces: all is read"


def test_a_watch_that_breaks_goes_on_where_it_was(following: Following[WatchedCluster]) -> None:
    following.follow()
    until(lambda: len(following.cluster.asked) == 5)
    following.cluster.bookmark("deployments")
    at_bookmark = f"resourceVersion={following.cluster.version}&"

    def broken() -> bool:
        following.cluster.drop()
        time.sleep(0.1)
        return any(at_bookmark in path for path in following.cluster.asked if "deployments" in path)

    until(broken)
    following.cluster.refusals = 3
    following.cluster.drop()
    until(lambda: not following.cluster.refusals)
    following.cluster.put("deployments", "stock", "shop", **ID)
    assert following.told(1) == [[{"namespace": "shop"}]], "refused for a moment, as by an API server that starts"


def test_a_version_that_is_too_old_leads_to_a_whole_reading_and_on_from_now(
    following: Following[WatchedCluster],
) -> None:
    following.cluster.put("deployments", "missed", "shop", **ID)
    following.cluster.forget()
    following.follow()
    assert following.told(1) == [()]
    assert "prod-shop-missed" in names(following.read())
    until(lambda: sum("watch" in path for path in following.cluster.asked) >= 10)
    following.cluster.put("deployments", "stock", "shop", **ID)
    until(lambda: [{"namespace": "shop"}] in following.hints)


def test_a_cluster_that_is_never_quiet_is_told_of_all_the_same(
    following: Following[WatchedCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "GATHER_SECONDS", 0.1)
    told: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stop = threading.Event()

    def busy() -> None:
        while not stop.wait(0.01):
            told.put({"namespace": "shop"})

    thread = threading.Thread(target=busy, daemon=True)
    thread.start()
    found: list[Any] = []
    gathering = threading.Thread(target=lambda: found.append(watching._next(told, following.request)), daemon=True)
    gathering.start()
    gathering.join(5)
    stop.set()
    thread.join(1)
    assert found == [[{"namespace": "shop"}]]


def test_it_stops_when_told_and_does_nothing_without_a_whole_reading_before(
    following: Following[WatchedCluster],
) -> None:
    thread = following.follow()
    following.request.cancelled.set()
    thread.join(3)
    assert not thread.is_alive()
    assert list(following.source.watch(replace(following.request, cursor=None))) == []


def test_what_may_not_be_watched_is_said(following: Following[WatchedCluster], tmp_path: Path) -> None:
    from factories.outside import Said, answering

    refusing = Said(403, {"kind": "Status", "message": "deployments is forbidden", "code": 403})
    with answering(lambda asked: refusing) as url:
        options = following.source.options.model_validate({"cluster": "prod", "owner": "o", "server": url})
        with pytest.raises(NotAllowedError, match="`watch`"):
            list(following.source.watch(replace(following.request, options=options)))


def test_a_server_that_ends_each_watch_at_once_is_not_asked_without_a_pause(
    following: Following[WatchedCluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    from factories.outside import Said, answering

    monkeypatch.setattr(watching, "SHORTEST_SECONDS", 0.2)
    asked: list[object] = []

    def ending(one: object) -> Said:
        asked.append(one)
        return Said(200, b"")

    with answering(ending) as url:
        options = following.source.options.model_validate({"cluster": "prod", "owner": "o", "server": url})
        following.request = replace(following.request, options=options)
        began = time.monotonic()
        following.follow()
        until(lambda: len(asked) > 5)
        following.request.cancelled.set()
    assert time.monotonic() - began >= 0.2, "of five kinds, one was watched again"


def test_an_event_of_no_shape_that_is_known_ends_the_watch_aloud(following: Following[WatchedCluster]) -> None:
    from factories.outside import Said, answering

    with answering(lambda asked: Said(200, b'{"type": "ADDED", "object": {"metadata": "x"}}\n')) as url:
        options = following.source.options.model_validate({"cluster": "prod", "owner": "o", "server": url})
        with pytest.raises(AttributeError):
            list(following.source.watch(replace(following.request, options=options)))


def test_lines_are_bounded_and_an_idle_connection_is_given_up() -> None:
    from factories.outside import Said, answering
    from taxiway.model.errors import TooLargeError

    with answering(lambda asked: Said(200, b"x" * 300_000)) as url:
        outgoing = Outgoing(Hosts([url.partition("://")[2]]))
        _, lines = outgoing.open_lines(url, idle_seconds=5, line_bytes=1000)
        with pytest.raises(TooLargeError):
            list(lines)


def test_the_catalog_follows_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "SHORTEST_SECONDS", 0.0)
    monkeypatch.setattr(watching, "SETTLE_SECONDS", 0.05)
    with watched_cluster() as cluster:
        cluster.put("namespaces", "shop")
        cluster.put("deployments", "orders", "shop", **ID)
        source: Mapping[str, Any] = {
            "name": "prod",
            "type": "kubernetes",
            "cluster": "prod",
            "owner": "o",
            "server": cluster.url,
        }
        with served(tmp_path, features=[ACCESS, CATALOG], catalog={"sources": [source]}) as running:
            running.platform.registry.add("entity_source", KubernetesSource(MemorySecrets()), "kubernetes_catalog")
            configured.start_new(running.platform)
            worker, stop = Worker(running.platform, ()), threading.Event()
            worker.start()
            context = memory_host(tmp_path / "host", "watch").context
            service = WatchSources(running.platform, 0.1)
            thread = threading.Thread(target=service.run, args=(context, stop), daemon=True)
            thread.start()
            with running.client(running.token()) as client:

                def found(name: str) -> bool:
                    path = f"/api/catalog/entities/by-name/resource/default/{name}"
                    return client.get(path).status_code == 200

                until(lambda: found("prod-shop-orders"))
                until(lambda: any("watch" in path for path in cluster.asked))
                began = time.monotonic()
                cluster.put("deployments", "stock", "shop", **ID)
                until(lambda: found("prod-shop-stock"))
                print(f"a new deployment is in the catalog after {time.monotonic() - began:.2f} s")
                assert time.monotonic() - began < 5
                cluster.put("deployments", "late", "shop", **ID)
                cluster.drop()
                until(lambda: found("prod-shop-late"))
            stop.set()
            running.platform.stopping.set()
            worker.stop()
            thread.join(4)
            assert not thread.is_alive()


def test_the_pause_after_a_break_grows_only_while_it_breaks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(threading.Event):
        waited: list[float] = []

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout or 0.0)
            if len(self.waited) == 6:
                self.set()
            return True

    lasted = iter([1.0, 1.0, 1.0, 1.0, 4000.0, 1.0])
    now = [0.0]

    def watch(service: WatchSources, settings: Any, stop: threading.Event) -> bool:
        now[0] += next(lasted)
        raise TaxiwayError("it broke")

    monkeypatch.setattr(WatchSources, "_watch", watch)
    monkeypatch.setattr(service_watching, "backoff_seconds", lambda failures, *_: float(failures))
    log = SimpleNamespace(warning=lambda *_, **__: None)
    platform: Any = SimpleNamespace(clock=SimpleNamespace(monotonic=lambda: now[0]), log=log)
    stop = Stop()
    WatchSources(platform)._follow(cast(Any, SimpleNamespace(name="prod")), stop)
    assert stop.waited == [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]
