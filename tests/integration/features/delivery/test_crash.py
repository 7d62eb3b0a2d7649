"""A step that is interrupted at its very end runs again from its start. Here every step runs twice, on both stores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from factories.host import step_context
from taxiway.core.runs.handler import RunHandler
from taxiway.features.delivery.reconciler import Reconciler
from taxiway.features.delivery.service.pipelines import start_pipelines
from taxiway.features.environments.service import deploy, destroy, views
from taxiway.features.environments.tables import deployment, release
from taxiway.features.infrastructure.tables import resource
from taxiway.model.errors import ConflictError
from taxiway.model.run import RunState
from taxiway.model.workload import FileChange

from .conftest import World, component

SHOP = "component:default/shop"


def twice(world: World, run_id: str, workspace: Path, after: Callable[[str], None] = lambda step: None) -> None:
    """Every step of a run, each called twice with nothing kept but what it wrote; then the end, once."""
    handler: RunHandler = world.platform.runs.parts.handlers[world.platform.runs.get(run_id).kind]
    run = world.platform.runs.get(run_id)
    for step in run.steps:
        for attempt in (1, 2):
            ctx = step_context(
                workspace, run_id=run_id, step_id=step.id, attempt=attempt, principal=world.ctx.principal
            )
            result = handler.execute(run, step, ctx)
        steps = [replace(s, output=result.output, state="succeeded") if s.id == step.id else s for s in run.steps]
        run = replace(run, steps=steps)
        after(step.id)
    end: RunState = "succeeded"
    world.platform.store.write(lambda tx: handler.finish(tx, run, end))


def reconciled(world: World) -> Callable[[str], None]:
    reconciler: Reconciler = world.platform.registry.get("background_service", "delivery.reconciler")
    return lambda step: reconciler.turn() and None if step in ("commit", "remove") else None


def count(world: World, table: Any) -> int:
    with world.platform.store.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def test_every_step_may_run_twice_and_nothing_is_doubled(world_on_both: World, tmp_path: Path) -> None:
    world = world_on_both
    sha = world.push("shop")
    (pipeline,) = start_pipelines(world.ctx, "shop", sha, "main")
    assert start_pipelines(world.ctx, "shop", sha, "main") == [pipeline]
    twice(world, pipeline, tmp_path)
    assert count(world, release) == 1
    assert len(world.events("dev.cdevents.artifact.published")) == 1

    (row,) = views.releases(world.ctx, SHOP, None, 10).items
    started = deploy(world.ctx, SHOP, "staging", row["id"], request_key="once")
    assert deploy(world.ctx, SHOP, "staging", row["id"], request_key="once") == started
    twice(world, started["run_id"], tmp_path, reconciled(world))
    assert count(world, deployment) == 1
    assert count(world, resource) == 3
    assert len(world.database.there) == 1
    assert len(world.forge.repositories["env-staging"]["commits"]) == 1
    assert len(world.events("dev.cdevents.service.deployed")) == 1
    assert len(world.destination.applied) == len(set(world.destination.applied))

    twice(world, destroy(world.ctx, SHOP, "staging")["run_id"], tmp_path, reconciled(world))
    assert world.destination.objects == {}
    assert world.database.there == {}
    assert len(world.events("dev.cdevents.service.removed")) == 1


def test_a_resource_that_was_made_but_not_noted_is_found_and_destroyed(world: World, tmp_path: Path) -> None:
    from taxiway.features.infrastructure.service import destroy_made_by_run

    sha = world.push("shop")
    (pipeline,) = start_pipelines(world.ctx, "shop", sha, "main")
    twice(world, pipeline, tmp_path)
    (row,) = views.releases(world.ctx, SHOP, None, 10).items
    run = world.platform.runs.get(deploy(world.ctx, SHOP, "staging", row["id"])["run_id"])
    handler = world.platform.runs.parts.handlers["deploy"]
    put = world.platform.secrets.put

    def crash(name: str, value: str) -> str:
        raise KeyboardInterrupt

    world.platform.secrets.put = crash
    ctx = step_context(tmp_path, run_id=run.id, principal=world.ctx.principal)
    try:
        handler.execute(run, run.steps[1], ctx)
    except KeyboardInterrupt:
        world.platform.secrets.put = put
    assert len(world.database.there) == 1
    destroy_made_by_run(world.ctx, ctx, run.id)
    assert world.database.there == {}


def test_an_environment_whose_repository_vanished_is_not_emptied(world: World, tmp_path: Path) -> None:
    sha = world.push("shop")
    (pipeline,) = start_pipelines(world.ctx, "shop", sha, "main")
    twice(world, pipeline, tmp_path)
    (row,) = views.releases(world.ctx, SHOP, None, 10).items
    twice(world, deploy(world.ctx, SHOP, "staging", row["id"])["run_id"], tmp_path, reconciled(world))
    del world.forge.repositories["env-staging"]
    reconciler: Reconciler = world.platform.registry.get("background_service", "delivery.reconciler")
    reconciler.forget()
    reconciler.turn()
    assert len(world.destination.live("staging")) == 1
    change = {"other/manifests.yaml": FileChange(b"")}
    world.forge.commit("env-staging", "main", change, message="another history", author="x")
    reconciler.turn()
    assert len(world.destination.live("staging")) == 1


def test_a_repository_that_somebody_else_made_under_the_name_is_never_followed(world: World) -> None:
    world.forge.create_repository("env-staging", description="", owner="x", default_branch="main", request_key="squat")
    text = b"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: evil}\n"
    change = {"evil/manifests.yaml": FileChange(text)}
    world.forge.commit("env-staging", "main", change, message="mine", author="x")
    reconciler: Reconciler = world.platform.registry.get("background_service", "delivery.reconciler")
    reconciler.turn()
    reconciler.turn()
    assert world.destination.objects == {}


def test_a_deployment_that_is_overtaken_by_a_removal_leaves_nothing(world: World, tmp_path: Path) -> None:
    sha = world.push("shop")
    (pipeline,) = start_pipelines(world.ctx, "shop", sha, "main")
    twice(world, pipeline, tmp_path)
    (row,) = views.releases(world.ctx, SHOP, None, 10).items
    run = world.platform.runs.get(deploy(world.ctx, SHOP, "staging", row["id"])["run_id"])
    provision, handlers = world.database.provision, world.platform.runs.parts.handlers

    def slow(ctx: Any, request: Any) -> Any:
        world.database.provision = provision
        twice(world, destroy(world.ctx, SHOP, "staging")["run_id"], tmp_path, reconciled(world))
        return provision(ctx, request)

    world.database.provision = slow
    with pytest.raises(ConflictError, match="removed from staging meanwhile"):
        handlers["deploy"].execute(run, run.steps[1], step_context(tmp_path, run_id=run.id))
    assert world.database.there == {}
    with pytest.raises(ConflictError, match="removed from staging meanwhile"):
        handlers["deploy"].execute(run, run.steps[3], step_context(tmp_path, run_id=run.id))


def test_a_shared_resource_goes_with_its_last_user(world: World, tmp_path: Path) -> None:
    score = """
apiVersion: score.dev/v1b1
metadata: {name: NAME}
containers: {main: {image: ., variables: {PW: "${resources.db.password}"}}}
resources: {db: {type: postgres, id: shared}}
"""
    world.register(component("other"))
    for name in ("shop", "other"):
        sha = world.push(name, score=score.replace("NAME", name))
        (pipeline,) = start_pipelines(world.ctx, name, sha, "main")
        twice(world, pipeline, tmp_path)
        (row,) = views.releases(world.ctx, f"component:default/{name}", None, 10).items
        ref = f"component:default/{name}"
        twice(world, deploy(world.ctx, ref, "staging", row["id"])["run_id"], tmp_path, reconciled(world))
    assert len(world.database.there) == 1
    twice(world, destroy(world.ctx, SHOP, "staging")["run_id"], tmp_path, reconciled(world))
    assert len(world.database.there) == 1
    twice(world, destroy(world.ctx, "component:default/other", None)["run_id"], tmp_path, reconciled(world))
    assert world.database.there == {}
