from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from factories.platform import build_platform
from taxiway.api.mounts import plugin_operations
from taxiway.core.context import Platform
from taxiway.core.plugins.artifacts import FolderArtifacts
from taxiway.core.plugins.host import identity_for, plugin_context
from taxiway.core.plugins.loader import LoadedPlugin, background_services, check_exposure, load_plugins
from taxiway.core.plugins.records import StoredRecords
from taxiway.core.plugins.secrets import RegistrySecrets
from taxiway.core.settings import EngineSettings, Settings
from taxiway.core.store.database import Store
from taxiway.model.errors import InputError, InternalError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.plugin import (
    EventType,
    Identity,
    Later,
    Plugin,
    PluginContext,
    PluginOperation,
    PluginSettings,
    PortalCard,
)
from taxiway.plugin.testing import RecordsConformance


class Needs(PluginSettings):
    address: str


@dataclass
class Point:
    """An entry point without a distribution on disk."""

    name: str
    load: Callable[[], Any]
    value: str = "outside:PLUGIN"
    dist: Any = field(default_factory=lambda: SimpleNamespace(name="outside"))


def card(key: str) -> tuple[str, PortalCard]:
    return ("portal_card", PortalCard(key, key, ["component"], "table", "/api/x"))


def point(name: str, contribute: Callable[[PluginContext], Sequence[Any]] = lambda ctx: [], **options: Any) -> Point:
    return Point(name, lambda: Plugin(name, "1", contribute, **options))


@pytest.fixture
def platform(make_platform: Callable[..., Platform], tmp_path: Path) -> Platform:
    return make_platform(tmp_path / "data")


def load(platform: Platform, *points: Any) -> dict[str, LoadedPlugin]:
    platform.plugins = load_plugins(platform, lambda name: platform.log, points)
    return {item.name: item for item in platform.plugins}


def test_a_plugin_that_fails_is_shown_with_its_reason_and_costs_nothing_else(platform: Platform) -> None:
    def broken(ctx: PluginContext) -> Sequence[Any]:
        raise RuntimeError("no such engine")

    def missing() -> Any:
        raise ModuleNotFoundError("No module named 'gone'")

    found = load(
        platform,
        point("good", lambda ctx: [card("good")]),
        point("broken", broken),
        Point("missing", missing),
        Point("thing", lambda: "not a plugin"),
        point("old", api_version=0),
        point("needs", settings=Needs),
        Point("other", lambda: Plugin("misnamed", "1", lambda ctx: [])),
        point("wrong", lambda ctx: [card("half"), ("destination", object())]),
    )
    reasons = {name: item.reason for name, item in found.items() if item.state == "failed"}
    assert set(reasons) == {"broken", "missing", "thing", "old", "needs", "other", "wrong"}
    assert "no such engine" in reasons["broken"]
    assert "gone" in reasons["missing"]
    assert "version 0" in reasons["old"]
    assert "address: Field required" in reasons["needs"]
    assert "misnamed" in reasons["other"]
    assert [item.key for item in platform.registry.contributions() if item.owner != "feature"] == ["good"]


def test_two_plugins_with_one_name_or_one_key_are_refused_naming_both(platform: Platform) -> None:
    twin = point("twin")
    twin.dist = SimpleNamespace(name="second")
    platform.plugins = load_plugins(
        platform,
        lambda name: platform.log,
        [point("twin"), twin, point("a", lambda ctx: [card("same")]), point("b", lambda ctx: [card("same")])],
    )
    reasons = [item.reason for item in platform.plugins if item.state == "failed"]
    assert any("outside" in reason and "second" in reason for reason in reasons)
    assert any("both a and b" in reason for reason in reasons)


def test_a_disabled_plugin_is_not_even_imported(make_platform: Callable[..., Platform], tmp_path: Path) -> None:
    platform = make_platform(tmp_path / "data", disabled_plugins=("off",))

    def explode() -> Any:
        raise AssertionError

    assert load(platform, Point("off", explode))["off"].state == "disabled"


def test_a_plugin_gets_its_own_folders_records_and_settings(
    make_platform: Callable[..., Platform], tmp_path: Path
) -> None:
    platform = make_platform(tmp_path / "data", plugins={"mine": {"address": "here"}})
    seen: list[PluginContext] = []

    def contribute(ctx: PluginContext) -> Sequence[Any]:
        seen.append(ctx)
        return []

    load(platform, point("mine", contribute, settings=Needs), point("yours", contribute))
    mine, yours = seen
    mine.records.put("key", {"n": 1})
    assert yours.records.get("key") is None
    assert mine.settings.address == "here"
    assert mine.data_dir != yours.data_dir
    assert mine.data_dir.stat().st_mode & 0o777 == 0o700
    mine.emit(EventDraft("dev.taxiway.token.revoked.v1", "thing:1", {"name": "n"}))
    with platform.store.read() as conn:
        assert conn.exec_driver_sql("select actor, via from event").all() == [("system:plugin-mine", "plugin:mine")]


def test_a_plugin_emits_what_it_declared(make_platform: Callable[..., Platform], tmp_path: Path) -> None:
    seen: list[PluginContext] = []
    shape = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}

    def contribute(ctx: PluginContext) -> Sequence[Any]:
        seen.append(ctx)
        return [("event_type", EventType("com.example.thing.made.v1", shape))]

    load(make_platform(tmp_path / "data"), point("mine", contribute))
    (ctx,) = seen
    ctx.emit(EventDraft("com.example.thing.made.v1", "thing:1", {"n": 1}))
    for kind, data in (("com.example.thing.made.v1", {}), ("com.example.thing.gone.v1", {"n": 1})):
        with pytest.raises(InternalError, match=kind):
            ctx.emit(EventDraft(kind, "thing:1", data))


@pytest.mark.parametrize("name", ["thing", "dev.taxiway.thing.made.v1", "dev.cdevents.service.deployed.0.3.0", "a.b"])
def test_an_event_type_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(InputError):
        EventType(name, {"type": "object"})


def test_host_engines_keep_taxiway_on_loopback() -> None:
    engine = LoadedPlugin(
        "act", "taxiway", "loaded", plugin=Plugin("act", "1", lambda c: [], runs_repository_code=True)
    )
    check_exposure(Settings(host="127.0.0.1"), [engine])
    check_exposure(Settings(host="0.0.0.0"), [])
    check_exposure(Settings(host="0.0.0.0", engines=EngineSettings(allow_host_engines=True)), [engine])
    with pytest.raises(InputError, match="act run code"):
        check_exposure(Settings(host="0.0.0.0"), [engine])


def test_only_root_runs_code_as_another_user() -> None:
    engines = EngineSettings()
    assert identity_for(engines, is_root=True)("pipelines") == Identity(61001, 61001)
    assert identity_for(engines, is_root=False)("pipelines") == Identity(None, None)
    with pytest.raises(InputError):
        identity_for(engines, is_root=True)("mining")


def test_background_services_come_with_their_plugins_context(platform: Platform) -> None:
    service = SimpleNamespace(key="loop", exclusive=True, run=lambda ctx, stop: None)
    load(platform, point("looper", lambda ctx: [("background_service", Later("loop", lambda: service))]))
    platform.registry.add("background_service", SimpleNamespace(**{**vars(service), "key": "own"}), "feature:x")
    found = background_services(platform, lambda name: platform.log)
    assert {item.key: ctx.name for item, ctx in found} == {"loop": "looper", "own": "feature-x"}
    assert service in [item for item, _ in found], "what is made later is made to be run"


def test_an_operation_that_is_made_later_has_its_route(platform: Platform) -> None:
    operation = PluginOperation("now", "now", "catalog.entity.read", lambda values: {"at": 1})
    load(platform, point("watch", lambda ctx: [("operation", Later("now", lambda: operation))]))
    (route,) = plugin_operations(platform)
    assert (route.path, route.permission) == ("/api/plugins/v1/watch/now", "catalog.entity.read")


class TestStoredRecords(RecordsConformance):
    @pytest.fixture
    def records(self, store: Store) -> StoredRecords:
        StoredRecords(store, "other").put("a", {"not": "mine"})
        return StoredRecords(store, "mine")


def test_artifacts_are_immutable_and_found_by_digest(tmp_path: Path) -> None:
    artifacts, source = FolderArtifacts(tmp_path / "artifacts"), tmp_path / "file"
    source.write_bytes(b"wheel")
    digest = artifacts.put(source)
    assert artifacts.put(source) == digest
    path = artifacts.path(digest)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"wheel", 0o444)
    assert list((tmp_path / "artifacts" / "incoming").iterdir()) == []
    with pytest.raises(NotFoundError):
        artifacts.path("sha256:" + "0" * 64)
    with pytest.raises(InputError):
        artifacts.path("sha256:../../etc/passwd")


def test_secrets_are_addressed_by_store_and_name(tmp_path: Path) -> None:
    platform = build_platform(tmp_path)
    values: dict[str, str] = {}
    keeper = SimpleNamespace(
        key="secrets_local", put=values.__setitem__, get=values.get, delete=lambda name: values.pop(name, None)
    )
    platform.registry.add("secret_store", keeper, "test")
    secrets = RegistrySecrets(platform.registry)
    reference = secrets.put("environments/dev/db/password", "hunter2")
    assert reference == "secret://secrets_local/environments/dev/db/password"
    assert secrets.get(reference) == "hunter2"
    secrets.delete(reference)
    with pytest.raises(NotFoundError):
        secrets.get(reference)
    for wrong in ("hunter2", "secret://", "secret://nowhere"):
        with pytest.raises(InputError):
            secrets.get(wrong)
    platform.store.close()


def test_a_second_process_leaves_the_mode_of_a_plugins_folder_alone(tmp_path: Path) -> None:
    platform = build_platform(tmp_path / "data")
    folder = plugin_context(platform, "engine", None, platform.log).data_dir
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o710)
    assert plugin_context(platform, "engine", None, platform.log).data_dir.stat().st_mode & 0o777 == 0o710
    platform.store.close()
