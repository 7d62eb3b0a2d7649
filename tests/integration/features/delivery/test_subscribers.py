"""The conformance of delivery's subscribers: an event that comes twice starts nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taxiway.features.delivery.subscribers import ComponentSubscriber, PipelineSubscriber
from taxiway.model.event import Event
from taxiway.plugin.testing import EventSubscriberConformance


def pushed(name: str, sha: str) -> Event:
    data = {"repository": name, "ref": "refs/heads/main", "before": "0" * 40, "after": sha, "default_branch": "main"}
    kind, subject = "dev.taxiway.repository.pushed.v1", f"repository:{name}"
    return Event(1, "id", kind, "taxiway", subject, 1, data, "system:forge", None, "system", None, "hash")


class TestPushesStartPipelines(EventSubscriberConformance):
    @pytest.fixture
    def subscriber(self, world: Any) -> PipelineSubscriber:
        return PipelineSubscriber(world.platform)

    @pytest.fixture
    def event(self, world: Any) -> Event:
        return pushed("shop", world.push("shop"))

    @pytest.fixture
    def effects(self, world: Any) -> Callable[[], Any]:
        def runs() -> Any:
            with world.platform.store.read() as conn:
                return conn.exec_driver_sql("select id, kind, state from run order by id").all()

        return runs


class TestComponentsGetTheirRelease(EventSubscriberConformance):
    @pytest.fixture
    def subscriber(self, world: Any) -> ComponentSubscriber:
        return ComponentSubscriber(world.platform)

    @pytest.fixture
    def event(self, world: Any) -> Event:
        # Its pipeline ends before anything in the catalog names its repository.
        PipelineSubscriber(world.platform).handle(pushed("late", world.push("late")))
        world.start()
        (run_id,) = (row[0] for row in _rows(world, "select id from run"))
        assert world.wait(run_id).state == "succeeded"
        world.stop()
        late = {"name": "late", "annotations": {"taxiway.dev/repository": "late"}}
        spec = {"type": "service", "lifecycle": "production", "owner": "group:default/shop-team"}
        document = {"apiVersion": "backstage.io/v1alpha1", "kind": "Component", "metadata": late, "spec": spec}
        world.register(document, source="late")
        kind, subject = "dev.taxiway.entity.created.v1", "component:default/late"
        return Event(2, "id", kind, "taxiway", subject, 1, {"ref": subject}, "system:x", None, "system", None, "hash")

    @pytest.fixture
    def effects(self, world: Any) -> Callable[[], Any]:
        return lambda: _rows(world, "select id, service_ref from release order by id")


def _rows(world: Any, statement: str) -> Any:
    with world.platform.store.read() as conn:
        return conn.exec_driver_sql(statement).all()
