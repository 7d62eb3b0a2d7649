"""`catalog:register`, `catalog:write` and the ingest run, as the engine calls them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.catalog import Publish, component
from factories.host import step_context
from factories.platform import principal
from factories.served import Served
from taxiway.features.catalog import service
from taxiway.features.catalog.service import ingesting, locations
from taxiway.features.catalog.tasks import IngestHandler
from taxiway.kit.yaml12 import load
from taxiway.model.errors import InputError, NotAllowedError
from taxiway.model.run import Created, Run, Step
from taxiway.plugin import Action

BEA = principal("bea", owns=frozenset({"group:default/checkout"}))


def _action(server: Served, key: str) -> Action:
    return server.platform.registry.get("action", key)


def test_register_brings_the_entity_and_undo_takes_it_away(server: Served, publish: Publish, tmp_path: Path) -> None:
    publish("orders", {"catalog-info.yaml": component("orders")})
    ctx = step_context(tmp_path, principal=BEA)
    action, values = (
        _action(server, "catalog:register"),
        {"repository": "orders", "catalogInfoPath": "/catalog-info.yaml"},
    )
    expected = {
        "entityRef": "component:default/orders",
        "catalogInfoUrl": "http://127.0.0.1:7007/git/orders.git/catalog-info.yaml",
    }
    assert action.run(ctx, values) == expected
    assert action.run(ctx, values) == expected, "an interrupted step runs again"
    made = [Created(*item) for item in ctx.made]
    action.undo(ctx, made)
    action.undo(ctx, made)
    assert service.get_entity(server.platform, "component:orders") is None
    assert service.list_locations(server.platform) == []


def test_register_leaves_alone_what_was_registered_before(server: Served, publish: Publish, tmp_path: Path) -> None:
    publish("orders", {"catalog-info.yaml": component("orders")})
    service.register_location(server.platform.system("t"), "git", "orders//catalog-info.yaml")
    ctx = step_context(tmp_path, principal=BEA)
    _action(server, "catalog:register").run(ctx, {"repository": "orders"})
    assert ctx.made == []


def test_register_of_anothers_repository_or_of_rubbish_is_refused(
    server: Served, publish: Publish, tmp_path: Path
) -> None:
    publish("theirs", {"catalog-info.yaml": component("theirs")}, owner="group:default/payments")
    publish("rubbish", {"catalog-info.yaml": "kind: Component\n"})
    ctx = step_context(tmp_path, principal=BEA)
    with pytest.raises(NotAllowedError):
        _action(server, "catalog:register").run(ctx, {"repository": "theirs"})
    with pytest.raises(InputError, match="apiVersion"):
        _action(server, "catalog:register").run(ctx, {"repository": "rubbish"})


def test_write_puts_a_valid_entity_into_the_workspace_only(server: Served, tmp_path: Path) -> None:
    entity: Any = load(component("orders"))
    ctx = step_context(tmp_path)
    _action(server, "catalog:write").run(ctx, {"entity": entity, "filePath": "a/catalog-info.yaml"})
    assert load((tmp_path / "a" / "catalog-info.yaml").read_text()) == entity
    with pytest.raises(InputError):
        _action(server, "catalog:write").run(ctx, {"entity": entity, "filePath": "../x.yaml"})
    dry = step_context(tmp_path, is_dry_run=True)
    output = _action(server, "catalog:register").run(dry, {"repository": "x", "catalogInfoPath": "a/catalog-info.yaml"})
    assert output["entityRef"] == "component:default/orders"


def test_a_large_source_is_taken_in_by_a_run(
    server: Served, publish: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "AT_ONCE", 50)
    monkeypatch.setattr(ingesting, "BATCH", 30)
    names = [f"service-{number:04}" for number in range(70)]
    publish("big", {"catalog-info.yaml": "---\n".join(component(name) for name in names)})
    done = service.register_location(server.platform.system("t"), "git", "big//")
    assert done.run_id is not None
    assert len(service.list_entities(server.platform, kind="component")) == 0
    run = server.platform.runs.get(done.run_id)
    assert _ingest(server, run, tmp_path)["created"] == 70
    assert _ingest(server, run, tmp_path)["unchanged"] == 71
    publish("big", {"catalog-info.yaml": "---\n".join(component(name) for name in names[:60])})
    assert _ingest(server, run, tmp_path)["orphaned"] == 10
    publish("big", {"catalog-info.yaml": "---\n".join(component(name) for name in names[:40])})
    assert _ingest(server, run, tmp_path)["held"] == 20
    found = service.list_entities(server.platform, kind="component")
    orphans = [one for one in found if one["metadata"].get("annotations", {}).get("backstage.io/orphan") == "true"]
    assert (len(found), len(orphans)) == (70, 10)


def _ingest(server: Served, run: Run, folder: Path) -> Any:
    step: Step = run.steps[0]
    return IngestHandler(server.platform).execute(run, step, step_context(folder)).output
