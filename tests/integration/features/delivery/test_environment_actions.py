"""Golden paths wait for pipelines, deploy, roll back and remove, and undo brings back what was live."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.host import step_context
from taxiway.features.environments.service import views
from taxiway.model.errors import ConflictError, InputError, NotAllowedError
from taxiway.model.run import Created
from taxiway.plugin import StepContext

from .conftest import World, component
from .test_main_job import SHOP, deployed, released

PLACE = {"entityRef": SHOP, "environment": "staging"}


def acting(world: World, folder: Path, **changes: Any) -> StepContext:
    def wait(run_id: str) -> tuple[str, Any]:
        run = world.wait(run_id)
        return run.state, run.output or {}

    return step_context(folder, principal=world.ctx.principal, wait_for_run=wait, **changes)


def call(world: World, ctx: StepContext, key: str, **values: Any) -> Any:
    return world.platform.registry.get("action", key).run(ctx, values)


def live(world: World) -> str | None:
    rows = views.deployments(world.ctx, SHOP, "staging", None, 10).items
    return next((row["release_id"] for row in rows if row["state"] == "live"), None)


def test_a_deployment_and_a_rollback_are_taken_back_to_what_was_live(world: World, tmp_path: Path) -> None:
    world.start()
    first, second = released(world, "v1"), released(world, "v2")
    deployed(world, first)
    ctx = acting(world, tmp_path)
    done = call(world, ctx, "environment:deploy", **PLACE, release=second)
    assert (done["release"], live(world)) == (second, second)
    assert call(world, ctx, "environment:deploy", **PLACE, release=second) == done  # done again, nothing starts twice
    (made,) = {name: Created(kind, name, data) for kind, name, data in ctx.made}.values()
    back = acting(world, tmp_path)
    assert call(world, back, "environment:rollback", **PLACE)["release"] == first
    call(world, acting(world, tmp_path), "environment:deploy", **PLACE, release=second)
    world.platform.registry.get("action", "environment:deploy").undo(acting(world, tmp_path), [made])
    assert live(world) == first
    call(world, acting(world, tmp_path), "environment:destroy", **PLACE)
    assert live(world) is None


def test_pipelines_are_waited_for_and_one_that_fails_fails_the_step(world: World, tmp_path: Path) -> None:
    world.start()
    good = world.push("shop")
    done = call(world, acting(world, tmp_path), "pipeline:wait", repository="shop")
    assert (done["commit"], len(done["runs"])) == (good, 1)
    bad = world.push("shop", workflow="fail", app="v2")
    with pytest.raises(ConflictError, match=bad[:7]):
        call(world, acting(world, tmp_path), "pipeline:wait", repository="shop", commit=bad)


def test_who_does_not_own_the_service_deploys_and_removes_nothing(world: World, tmp_path: Path) -> None:
    from factories.platform import principal

    stranger = acting(world, tmp_path)
    stranger.principal = principal("kim", "developer", owns=frozenset())
    for key in ("environment:rollback", "environment:destroy"):
        with pytest.raises(NotAllowedError):
            call(world, stranger, key, **PLACE)
    world.push("shop")
    with pytest.raises(NotAllowedError):
        call(world, stranger, "pipeline:wait", repository="shop")


@pytest.mark.parametrize("key", ["pipeline:wait", "taxiway:deploy"])
def test_a_component_of_ours_that_names_their_repository_runs_nothing_there(
    world: World, tmp_path: Path, key: str
) -> None:
    world.forge.create_repository(
        "theirs", description="", owner="group:default/others", default_branch="main", request_key="theirs"
    )
    world.push("theirs")
    world.register(component("ours", "theirs"))
    with pytest.raises(NotAllowedError):
        call(
            world, acting(world, tmp_path), key, repository="theirs", **{**PLACE, "entityRef": "component:default/ours"}
        )
    assert world.events("dev.cdevents.pipelinerun.started") == []


def test_a_commit_that_is_not_merged_is_not_run_as_if_it_were(world: World, tmp_path: Path) -> None:
    world.push("shop")
    unmerged = world.push("other")
    with pytest.raises(InputError, match="merge it"):
        call(world, acting(world, tmp_path), "pipeline:wait", repository="shop", commit=unmerged)
    assert world.events("dev.cdevents.pipelinerun.started") == []
