"""Large sources: taken in by batches, unchanged files left alone, and always the same outcome as a first reading."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from factories.host import step_context
from factories.served import Served
from taxiway.features.catalog import service
from taxiway.features.catalog.model import ApplyResult
from taxiway.features.catalog.service import ingesting, locations
from taxiway.features.catalog.sources.forms import FORMS, YAML
from taxiway.features.catalog.tasks import IngestHandler
from taxiway.kit.turns import Turns
from taxiway.kit.yaml_documents import documents_and_faults
from taxiway.model.errors import NotFoundError, TimedOutError
from taxiway.model.run import Run, Step

NAMES = [f"c{number}" for number in range(12)]


def _text(name: str, extra: str = "") -> str:
    return f"""apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: {name}}}
spec: {{type: service, lifecycle: production, owner: checkout{extra}}}
"""


@pytest.fixture
def folder(tmp_path: Path, server: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ingesting, "BATCH", 3)
    for number in range(4):
        (tmp_path / "files" / f"part-{number}.yaml").write_text(
            "---\n".join(_text(name) for name in NAMES[number * 3 : number * 3 + 3])
        )
    targets = ", ".join(f"./part-{number}.yaml" for number in range(4))
    (tmp_path / "files" / "all.yaml").write_text(
        f"apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {{name: all}}\nspec: {{targets: [{targets}]}}\n"
    )
    return tmp_path / "files"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts documents as they are parsed."""
    counts = [0]
    real = documents_and_faults

    def counted(content: bytes) -> object:
        for document in real(content):
            counts[0] += 1
            yield document

    monkeypatch.setitem(cast("dict[bytes, object]", FORMS), YAML, counted)
    return counts


def _location(server: Served, folder: Path) -> str:
    ctx = server.platform.system("test")
    return service.register_location(ctx, "file", str(folder / "all.yaml")).location.id


def _follow(server: Served, location_id: str) -> ApplyResult:
    ctx = server.platform.system("test")
    current = locations.get_location(server.platform, location_id)
    return ingesting.follow_in_batches(ctx, current, lambda: False, lambda *_: None)


def _names(server: Served) -> list[str]:
    found = service.list_entities(server.platform, kind="component")
    return sorted(item["metadata"]["name"] for item in found)


def test_files_that_did_not_change_are_not_parsed_again(server: Served, folder: Path, parsed: list[int]) -> None:
    location_id = _location(server, folder)
    assert len(_follow(server, location_id).unchanged) == 14
    parsed[0] = 0
    again = _follow(server, location_id)
    assert (again.created, again.updated, again.orphaned, again.problems) == ([], [], [], [])
    assert len(again.unchanged) == 14
    assert parsed[0] == 1, "only the file that leads to the others"
    (folder / "part-1.yaml").write_text(_text("c3", ", system: shop") + "---\n" + _text("new"))
    changed = _follow(server, location_id)
    assert (changed.created, changed.updated) == (["component:default/new"], ["component:default/c3"])
    assert sorted(changed.orphaned) == ["component:default/c4", "component:default/c5"]
    (folder / "part-2.yaml").unlink()
    gone = _follow(server, location_id)
    assert (gone.orphaned, gone.held) == ([], [])
    assert "there is no file" in gone.problems[0].detail
    assert _names(server) == sorted({*NAMES, "new"})


def test_what_was_deleted_by_hand_comes_back_from_a_file_that_did_not_change(server: Served, folder: Path) -> None:
    location_id = _location(server, folder)
    _follow(server, location_id)
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: service.delete_entity(tx, ctx, "component:default/c1"))
    assert _follow(server, location_id).created == ["component:default/c1"]


def test_a_faulty_file_is_read_each_time_and_its_problems_stay(server: Served, folder: Path) -> None:
    location_id = _location(server, folder)
    (folder / "part-3.yaml").write_text(_text("c9") + "---\n" + _text("c0") + "---\nkind: Component\n")
    first = _follow(server, location_id)
    second = _follow(server, location_id)
    assert [problem.code for problem in first.problems] == [problem.code for problem in second.problems]
    assert {problem.code for problem in second.problems} == {"duplicate", "invalid"}
    (folder / "part-3.yaml").write_text(_text("c9"))
    assert _follow(server, location_id).problems == []


def test_a_second_description_never_replaces_the_first_one(server: Served, folder: Path) -> None:
    location_id = _location(server, folder)
    _follow(server, location_id)
    (folder / "part-3.yaml").write_text(_text("c0", ", system: stolen"))
    for _ in range(2):
        found = _follow(server, location_id)
        assert [problem.code for problem in found.problems] == ["duplicate"]
        entity = service.get_entity(server.platform, "component:default/c0")
        assert entity is not None
        assert "system" not in entity["spec"]


def test_a_refresh_of_a_small_source_forgets_what_files_held(
    server: Served, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location_id = _location(server, folder)
    _follow(server, location_id)
    before = (folder / "part-0.yaml").read_text()
    (folder / "part-0.yaml").write_text(before.replace("type: service", "type: website"))
    ctx = server.platform.system("test")
    service.refresh_location(ctx, location_id)
    (folder / "part-0.yaml").write_text(before)
    monkeypatch.setattr(locations, "AT_ONCE", 5)
    assert len(service.refresh_location(ctx, location_id).updated) == 3
    parts = [entity["spec"]["type"] for entity in service.list_entities(server.platform, kind="component")]
    assert set(parts) == {"service"}


def test_a_large_source_is_handed_to_a_run_without_being_read_to_its_end(
    server: Served, folder: Path, parsed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "AT_ONCE", 4)
    ctx = server.platform.system("test")
    done = service.register_location(ctx, "file", str(folder / "all.yaml"))
    assert done.run_id is not None
    assert parsed[0] < 9


def test_a_source_of_many_bytes_is_handed_to_a_run_without_parsing_more_than_its_first_file(
    server: Served, folder: Path, parsed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "MOST_BYTES", 500)
    ctx = server.platform.system("test")
    assert service.register_location(ctx, "file", str(folder / "all.yaml")).run_id is not None
    assert parsed[0] == 1
    monkeypatch.setattr(locations, "MOST_BYTES", 1)
    assert service.register_location(ctx, "file", str(folder / "part-0.yaml")).run_id is None


def test_who_refreshes_one_location_at_once_takes_turns(
    server: Served, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    location_id, ctx = _location(server, folder), server.platform.system("test")
    for at_once in (1000, 5):  # as a small one, and as a large one is read
        monkeypatch.setattr(locations, "AT_ONCE", at_once)
        (folder / "part-0.yaml").write_text(_text(f"new-{at_once}"))
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: service.refresh_location(ctx, location_id), range(8)))
        assert sorted(len(result.created) for result in results) == [0] * 7 + [1]
    with Turns().of("a", 1, 0) as came:
        assert not came


def test_a_run_waits_for_its_turn_and_can_be_cancelled_meanwhile(server: Served, folder: Path, tmp_path: Path) -> None:
    location_id = _location(server, folder)
    run = cast("Run", SimpleNamespace(id="r", input={"location_id": location_id}))
    step, handler = step_context(tmp_path), IngestHandler(server.platform)
    with ThreadPoolExecutor(1) as pool, locations.turn(server.platform, location_id, 1):
        cancelled = pool.submit(handler.execute, run, cast("Step", None), step)
        assert not wait([cancelled], 0.2).done
        step.cancelled.set()
        with pytest.raises(TimedOutError, match="cancelled"):
            cancelled.result(10)
    with ThreadPoolExecutor(1) as pool:
        with locations.turn(server.platform, location_id, 1):
            waiting = pool.submit(handler.execute, run, cast("Step", None), step_context(tmp_path))
            assert not wait([waiting], 0.2).done
        assert waiting.result(10).output["unchanged"] == 14


def test_what_is_unregistered_while_it_is_read_brings_nothing_any_more(server: Served, folder: Path) -> None:
    location_id, ctx = _location(server, folder), server.platform.system("test")
    current, asked = locations.get_location(server.platform, location_id), iter(range(9))

    def unregister() -> bool:
        if next(asked) == 2:
            service.unregister_location(ctx, location_id)
        return False

    with pytest.raises(NotFoundError, match="was unregistered while it was read"):
        ingesting.follow_in_batches(ctx, current, unregister, lambda *_: None)
    assert _names(server) == []


ROBOT = "apiVersion: example.com/v1\nkind: Robot\nmetadata: {name: %s}\nspec: {}\n"
KIND = {
    "apiVersion": "taxiway.dev/v1",
    "kind": "Kind",
    "metadata": {"name": "Robot"},
    "spec": {"apiVersions": ["example.com/v1"], "plural": "Robots", "schema": {"type": "object"}},
}


@pytest.mark.parametrize("is_own", [True, False])
def test_a_kind_that_is_declared_while_a_location_is_read_counts_for_the_rest_of_it(
    server: Served, folder: Path, is_own: bool
) -> None:
    location_id = _location(server, folder)
    if is_own:
        (folder / "part-1.yaml").write_text(json.dumps(KIND) + "\n---\n" + ROBOT % "first")
    (folder / "part-3.yaml").write_text(ROBOT % "marvin")
    batches: list[int] = []

    def stopped() -> bool:
        batches.append(1)
        if len(batches) == 2 and not is_own:  # somebody else does
            with server.client(server.token()) as client:
                client.post("/api/catalog/v1/push/kinds", content=json.dumps(KIND)).raise_for_status()
        return False

    current = locations.get_location(server.platform, location_id)
    ctx = server.platform.system("test")
    assert ingesting.follow_in_batches(ctx, current, stopped, lambda *_: None).problems == []
    robots = [one["metadata"]["name"] for one in service.list_entities(server.platform, kind="robot")]
    assert sorted(robots) == (["first", "marvin"] if is_own else ["marvin"])
