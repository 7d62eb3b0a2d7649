"""Conformance of plugins as a whole, and of what acts, provisions, runs and judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from taxiway.model.run import Created
from taxiway.model.workload import ResourceRequest, Target, object_key
from taxiway.plugin import (
    API_VERSION,
    POINTS,
    Action,
    CheckResult,
    Destination,
    Later,
    MetricSource,
    PlanCheck,
    Plugin,
    ResourceDriver,
    SearchDocument,
    SearchSource,
)
from taxiway.plugin.testing.host import memory_host, step_context


class PluginConformance:
    """Give a fixture `plugin`; `values` are the settings that it needs."""

    values: Mapping[str, Any] = {}

    def test_it_names_itself_and_its_contract(self, plugin: Plugin) -> None:
        assert plugin.name.replace("_", "").isalnum()
        assert plugin.version
        assert plugin.api_version == API_VERSION

    def test_it_contributes_what_it_says_under_unique_keys(self, plugin: Plugin, tmp_path: Path) -> None:
        host = memory_host(tmp_path, plugin.name, plugin.settings.model_validate(self.values))
        found = [(point, value.key) for point, value in plugin.contribute(host.context)]
        assert len(found) == len(set(found))
        for point, value in plugin.contribute(host.context):
            made: Any = value.made if isinstance(value, Later) else value
            assert made.key == value.key
            assert isinstance(made, POINTS[point]), f"{value} lacks parts of {point}"


class ActionConformance:
    """Give fixtures `action` and `values` (an input that it accepts)."""

    def test_it_says_what_it_is(self, action: Action) -> None:
        assert ":" in action.key
        assert action.description
        assert action.recovery in ("idempotent", "probe", "manual")
        assert action.input_schema.get("type", "object") == "object"

    def test_an_interrupted_call_is_recovered_as_it_says(
        self, action: Action, values: Mapping[str, Any], tmp_path: Path
    ) -> None:
        # What a crash right before the step's result was stored leads to. The step's checkpoints are kept.
        made: list[tuple[str, str, Mapping[str, Any]]] = []
        ctx = step_context(tmp_path, made)
        first = action.run(ctx, values)
        if action.recovery == "idempotent":
            assert action.run(replace(ctx, attempt=2), values) == first
        elif action.recovery == "probe":
            assert action.probe(replace(ctx, attempt=2), values) == first, "`probe` does not see what `run` did"
        action.undo(ctx, [Created(*item) for item in reversed(made)])

    def test_a_dry_run_makes_nothing(self, action: Action, values: Mapping[str, Any], tmp_path: Path) -> None:
        if not action.supports_dry_run:
            pytest.skip("it says that it has no dry run")
        made: list[tuple[str, str, Mapping[str, Any]]] = []
        assert isinstance(action.run(replace(step_context(tmp_path, made), is_dry_run=True), values), Mapping)
        assert not made, f"a dry run recorded {made}"

    def test_its_undo_can_be_repeated(self, action: Action, values: Mapping[str, Any], tmp_path: Path) -> None:
        made: list[tuple[str, str, Mapping[str, Any]]] = []
        ctx = step_context(tmp_path, made)
        output = action.run(ctx, values)
        assert isinstance(output, Mapping)
        inventory = [Created(kind, name, data) for kind, name, data in made]
        action.undo(ctx, inventory[::-1])
        action.undo(ctx, inventory[::-1])


class ResourceDriverConformance:
    """Give fixtures `driver` and `request_` (a resource that it can provision)."""

    def test_provisioning_twice_gives_the_same(
        self, driver: ResourceDriver, request_: ResourceRequest, tmp_path: Path
    ) -> None:
        first = driver.provision(step_context(tmp_path), request_)
        second = driver.provision(step_context(tmp_path), request_)
        assert first == second
        driver.destroy(step_context(tmp_path), first.inventory)
        driver.destroy(step_context(tmp_path), first.inventory)


class DestinationConformance:
    """Give fixtures `destination`, `target` and `objects` (a workload that it can run)."""

    @pytest.fixture(autouse=True)
    def _leave_nothing(self, destination: Destination, target: Target, objects: Sequence[Any]) -> Any:
        yield
        destination.prune(target, [object_key(item) for item in objects])

    def test_it_answers_for_every_object_and_settles(
        self, destination: Destination, target: Target, objects: Sequence[Any]
    ) -> None:
        keys = {object_key(item) for item in objects}
        assert {status.key for status in destination.apply(target, objects)} == keys
        assert {status.key for status in destination.observe(target, objects)} == keys
        again = destination.apply(target, objects)
        assert all(status.synced for status in again)

    def test_pruned_objects_are_missing_and_pruning_can_be_repeated(
        self, destination: Destination, target: Target, objects: Sequence[Any]
    ) -> None:
        destination.apply(target, objects)
        keys = [object_key(item) for item in objects]
        destination.prune(target, keys)
        destination.prune(target, keys)
        assert {status.health for status in destination.observe(target, objects)} == {"missing"}


class PlanCheckConformance:
    """Give a fixture `check`."""

    def test_it_judges_an_empty_plan_without_failing(self, check: PlanCheck) -> None:
        nobody = {"subject": "user:default/conformance", "roles": [], "ownership": []}
        lists: Mapping[str, Any] = {name: [] for name in ("files", "resources", "names")}
        template = "template:default/conformance"
        verdict = check.check({"kind": "scaffold", "template": template, "values": {}, **lists, "principal": nobody})
        assert isinstance(verdict, CheckResult)
        assert verdict.title
        assert verdict.verdict == "passed" or verdict.detail, "a verdict that is not 'passed' says why"


class MetricSourceConformance:
    """Give a fixture `source`."""

    def test_what_is_not_known_is_empty_and_not_zero(self, source: MetricSource) -> None:
        for series in source.query("nowhere", "component:default/nothing", 3600):
            assert all(value is None for _, value in series.points), f"{series.name} claims to know nothing as 0"


class SearchSourceConformance:
    """Give a fixture `source` that has at least one document."""

    def test_it_names_collections_with_a_state_that_stays(self, source: SearchSource) -> None:
        first = dict(source.collections())
        assert first == dict(source.collections())
        assert all(isinstance(state, str) and state for state in first.values())

    def test_its_documents_have_a_title_and_a_place(self, source: SearchSource) -> None:
        found = [document for collection in source.collections() for document in source.documents(collection)]
        assert found
        for document in found:
            assert isinstance(document, SearchDocument)
            assert document.title
            assert document.location.startswith(("/", "https://", "http://"))

    def test_a_collection_that_is_gone_is_empty(self, source: SearchSource) -> None:
        assert list(source.documents("conformance-no-such-collection")) == []
