"""From a push to a live service, and away again, with the real engine of runs, store, events and catalog."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from factories.delivery import RecordingDriver
from factories.host import step_context
from taxiway.features.delivery.service import views as delivery
from taxiway.features.environments.service import deploy, destroy, rollback, views
from taxiway.features.infrastructure.repository import change as change_resource
from taxiway.model.errors import Changed, ChangedSinceError, ConflictError, NotAllowedError, UnavailableError
from taxiway.model.workload import FileChange

from .conftest import World, component

SHOP = "component:default/shop"
SERVICE_EVENTS = "dev.cdevents.service."


def released(world: World, app: str = "v1") -> str:
    """Push and wait for the release; its id."""
    sha = world.push("shop", app=app)
    world.announce("shop", sha)

    def found() -> str | None:
        rows = views.releases(world.ctx, SHOP, None, 10).items
        return next((row["id"] for row in rows if row["commit"] == sha), None)

    return str(world.until(found))


def deployed(world: World, release: str, environment: str = "staging") -> dict[str, str]:
    started = deploy(world.ctx, SHOP, environment, release)
    run = world.wait(started["run_id"])
    assert run.state == "succeeded", run.error
    return started


def test_a_push_becomes_a_release_and_a_deployment_answers_at_its_url(world: World) -> None:
    world.start()
    release = released(world)
    started = deployed(world, release)
    (live,) = views.deployments(world.ctx, SHOP, "staging", None, 10).items
    assert (live["state"], live["health"], live["url"]) == ("live", "healthy", "http://shop.staging.localhost:8000")
    assert live["id"] == started["deployment_id"]
    assert [e["type"] for e in world.events(SERVICE_EVENTS)] == ["dev.cdevents.service.deployed.0.3.0"]
    (pipeline,) = delivery.pipelines(world.ctx, None, SHOP, None, 10).items
    assert (pipeline["state"], pipeline["release_id"], pipeline["jobs"][0]["state"]) == (
        "succeeded",
        release,
        "succeeded",
    )


def test_no_secret_value_is_in_git_rows_or_answers(world: World) -> None:
    world.start()
    deployed(world, released(world))
    (secret,) = world.database.there.values()
    raw = world.forge.read_file("env-staging", "main", "shop/manifests.yaml") or b""
    objects = {item["kind"]: item for item in yaml.safe_load_all(raw)}
    env = {item["name"]: item for item in objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env["DATABASE_PASSWORD"]["valueFrom"]["secretKeyRef"] == {"name": "shop-db", "key": "password"}
    assert "$(__ref_" in env["DATABASE_URL"]["value"]
    assert objects["ExternalSecret"]["spec"]["data"][0]["remoteRef"]["key"].startswith("secret://")
    shown = views.resources(world.ctx, SHOP, "staging", None, 10).items
    assert next(item for item in shown if item["type"] == "postgres")["outputs"]["password"] == "********"
    database = b"".join(path.read_bytes() for path in world.platform.settings.data.glob("taxiway.db*"))
    assert secret.encode() not in raw + database + json.dumps(shown).encode()


def test_a_hand_made_push_to_the_environment_repository_changes_what_is_live(world: World) -> None:
    world.start()
    deployed(world, released(world))
    raw = (world.forge.read_file("env-staging", "main", "shop/manifests.yaml") or b"").decode()
    edited = raw.replace("value: info", "value: debug").encode()
    assert edited != raw.encode()
    change = {"shop/manifests.yaml": FileChange(edited)}
    world.forge.commit("env-staging", "main", change, message="by hand", author="dev")
    world.until(lambda: "'value': 'debug'" in repr(world.destination.live("staging")), 5)


def test_a_broken_folder_is_shown_and_stops_no_other_service(world: World) -> None:
    world.start()
    deployed(world, released(world))
    change = {"broken/manifests.yaml": FileChange(b"{not yaml")}
    world.forge.commit("env-staging", "main", change, message="oops", author="dev")
    from taxiway.features.environments import repository

    def status() -> object:
        with world.platform.store.read() as conn:
            return repository.status(conn, "staging", "broken")

    row = world.until(status)
    assert row["sync"] == "unknown"
    assert "not valid YAML" in row["message"]
    assert len(world.destination.live("staging")) == 1


def test_rollback_brings_the_release_before_back_and_says_so(world: World) -> None:
    world.start()
    first, second = released(world, "v1"), released(world, "v2")
    assert first != second
    deployed(world, first)
    deployed(world, second)
    run = world.wait(rollback(world.ctx, SHOP, "staging", None)["run_id"])
    assert run.state == "succeeded", run.error
    newest = views.deployments(world.ctx, SHOP, "staging", None, 10).items
    assert [item["state"] for item in newest] == ["live", "superseded", "superseded"]
    assert newest[0]["release_id"] == first
    kinds = [event["type"].split(".")[3] for event in world.events(SERVICE_EVENTS)]
    assert kinds == ["deployed", "upgraded", "rolledback"]


def test_a_release_that_never_gets_healthy_leaves_the_old_one_live(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taxiway.features.delivery.tasks import deploy as module

    monkeypatch.setattr(module, "GRACE_SECONDS", 0.3)
    world.start()
    first, second = released(world, "v1"), released(world, "v2")
    deployed(world, first)
    world.destination.unhealthy.add(second)
    run = world.wait(deploy(world.ctx, SHOP, "staging", second)["run_id"])
    assert run.state == "failed"
    assert "it exits with 1" in (run.error or "")
    world.until(lambda: first in repr(world.destination.live("staging")))
    cell = views.matrix(world.ctx)["services"][0]["cells"]["staging"]
    assert (cell["release_id"], cell["state"], cell["latest_state"]) == (first, "live", "failed")
    world.destination.unhealthy.clear()
    world.platform.runs.retry(world.ctx, run.id)
    assert world.wait(run.id).state == "succeeded"
    assert second in repr(world.destination.live("staging"))


def test_services_that_are_deployed_at_once_all_get_into_git(world: World) -> None:
    world.start()
    names = [f"s{number}" for number in range(4)]
    world.register(*[component(name) for name in names])
    shas = {name: world.push(name) for name in names}
    for name in names:
        world.announce(name, shas[name])
    found = world.until(lambda: (rows := views.releases(world.ctx, None, None, 10).items) and len(rows) == 4 and rows)
    runs = [deploy(world.ctx, row["service_ref"], "staging", row["id"])["run_id"] for row in found]
    assert [world.wait(run).state for run in runs] == ["succeeded"] * 4
    assert len(world.destination.live("staging")) == 4
    assert world.destination.most_active == 1


def test_undo_of_a_first_deployment_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(inventory: Any) -> None:
        raise UnavailableError("the server is away")

    world.start()
    started = deployed(world, released(world))
    world.database.held = "rows: 3 in items"
    with pytest.raises(ChangedSinceError, match=r"'staging/db': the postgres holds rows: 3 in items"):
        world.platform.runs.undo(world.ctx, started["run_id"])
    told = "cannot tell what is in the postgres, which is destroyed with all of it: "
    with monkeypatch.context() as silent:
        silent.setattr(world.database, "contents", fails)
        (change,) = world.platform.runs.changed_since(started["run_id"])
        assert change == Changed("staging/db", told + "the server is away")
        silent.delattr(RecordingDriver, "contents")
        silent.delattr(world.database, "contents")
        (uid,) = world.database.there
        for inventory in ([], [{"kind": "database", "uid": uid}]):  # without one all of it may be manifests
            world.platform.store.write(lambda tx, kept=inventory: change_resource(tx, uid, inventory=kept))
            (change,) = world.platform.runs.changed_since(started["run_id"])
            assert change == Changed("staging/db", told + "the driver postgres_local does not look into it")
    world.platform.runs.undo(world.ctx, started["run_id"], ["staging/db"])
    assert world.wait(started["run_id"]).state == "undone"
    assert world.destination.objects == {}
    assert world.database.there == {}
    assert world.forge.list_files("env-staging", "main") == []
    assert views.resources(world.ctx, SHOP, None, None, 10).items == []
    assert world.events(SERVICE_EVENTS)[-1]["type"].startswith("dev.cdevents.service.removed")


def test_undo_of_a_second_deployment_puts_the_first_back(world: World) -> None:
    world.start()
    first, second = released(world, "v1"), released(world, "v2")
    deployed(world, first)
    started = deployed(world, second)
    world.platform.runs.undo(world.ctx, started["run_id"])
    assert world.wait(started["run_id"]).state == "undone"
    (cell,) = [row["cells"]["staging"] for row in views.matrix(world.ctx)["services"]]
    assert (cell["release_id"], cell["state"], cell["health"]) == (first, "live", "healthy")
    assert len(world.database.there) == 1


def test_a_failing_driver_is_told_and_undo_works_without_an_inventory(world: World) -> None:
    world.start()
    release = released(world)
    world.database.fail_with = ConflictError("the server has no room: add some")
    started = deploy(world.ctx, SHOP, "staging", release)
    run = world.wait(started["run_id"])
    assert run.state == "failed"
    assert "no room" in (run.error or "")
    world.platform.runs.undo(world.ctx, run.id)
    assert world.wait(run.id).state == "undone"
    assert views.resources(world.ctx, SHOP, None, None, 10).items == []


def test_destroy_removes_workloads_resources_and_secrets(world: World) -> None:
    world.start()
    release = released(world)
    deployed(world, release, "staging")
    deployed(world, release, "development")
    run = world.wait(destroy(world.ctx, SHOP, "staging")["run_id"])
    assert run.state == "succeeded", run.error
    assert world.destination.live("staging") == []
    assert len(world.destination.live("development")) == 1
    assert len(world.database.there) == 1
    run = world.wait(destroy(world.ctx, SHOP, None)["run_id"])
    assert run.state == "succeeded", run.error
    assert world.destination.objects == {}
    assert world.database.there == {}
    assert views.matrix(world.ctx)["services"] == []
    removed = [event for event in world.events(SERVICE_EVENTS) if ".removed." in event["type"]]
    assert len(removed) == 2


def test_decommission_also_removes_repository_and_entity(world: World) -> None:
    world.start()
    deployed(world, released(world))
    run = world.wait(delivery.decommission(world.ctx, SHOP)["run_id"])
    assert run.state == "succeeded", run.error
    assert world.forge.get_repository("shop") is None
    assert world.destination.objects == {}
    from taxiway.features.catalog import service as catalog

    assert catalog.get_entity(world.platform, SHOP) is None


def test_a_service_is_deployed_by_its_owners_only(world: World) -> None:
    from factories.platform import principal

    world.start()
    release = released(world)
    stranger = world.ctx.acting_as(principal("stranger"))
    with pytest.raises(NotAllowedError):
        deploy(stranger, SHOP, "staging", release)
    with pytest.raises(NotAllowedError):
        destroy(stranger, SHOP, None)


def test_a_new_release_follows_auto_deploy_where_the_service_stands(world: World) -> None:
    world.start()
    deployed(world, released(world, "v1"), "development")
    second = released(world, "v2")
    world.until(lambda: second in repr(world.destination.live("development")))
    world.until(lambda: len(views.deployments(world.ctx, SHOP, None, None, 10).items) == 2)
    assert world.destination.live("staging") == []


def test_a_red_pipeline_says_which_job_failed_and_makes_no_release(world: World) -> None:
    world.start()
    sha = world.push("shop", workflow="fail")
    world.announce("shop", sha)
    pipeline = world.until(
        lambda: [p for p in delivery.pipelines(world.ctx, "shop", None, None, 5).items if p["ended_at"]]
    )[0]
    assert (pipeline["state"], pipeline["reason"]) == ("failed", "job build failed: tests fail")
    assert views.releases(world.ctx, SHOP, None, 10).items == []


def test_a_pipeline_that_the_engine_could_not_run_says_why_and_has_no_job_at_work(world: World) -> None:
    world.start()
    world.announce("shop", world.push("shop", workflow="no host"))
    pipeline = world.until(
        lambda: [p for p in delivery.pipelines(world.ctx, "shop", None, None, 5).items if p["ended_at"]]
    )[0]
    reason = "step build failed: this host cannot run pipelines"
    assert (pipeline["state"], pipeline["reason"]) == ("failed", reason)
    assert [(job["state"], job["reason"]) for job in pipeline["jobs"]] == [
        ("failed", reason),
        ("cancelled", "the run ended before it"),
    ]


def test_a_push_that_is_announced_twice_runs_once(world: World) -> None:
    world.start()
    sha = world.push("shop")
    world.announce("shop", sha)
    world.announce("shop", sha)
    world.until(lambda: views.releases(world.ctx, SHOP, None, 10).items)
    world.until(lambda: delivery.pipelines(world.ctx, "shop", None, None, 5).items[0]["ended_at"])
    assert world.engine.calls == 1
    assert len(world.events("dev.cdevents.artifact.published")) == 1


def test_a_component_that_is_registered_later_gets_its_release(world: World) -> None:
    world.start()
    sha = world.push("later")
    world.announce("later", sha)
    world.until(lambda: [p for p in delivery.pipelines(world.ctx, "later", None, None, 5).items if p["ended_at"]])
    world.register(component("later"))
    world.until(lambda: views.releases(world.ctx, "component:default/later", None, 10).items)


def test_explain_ranks_recipes_with_reasons(world: World) -> None:
    world.start()
    released(world)
    recipe = {
        "apiVersion": "taxiway.dev/v1",
        "kind": "Recipe",
        "metadata": {"name": "postgres-staging"},
        "spec": {"resourceType": "postgres", "driver": "postgres_local", "match": {"environment": "staging"}},
    }
    world.register(recipe, source="library-2")
    told = views.explain(world.ctx, SHOP, "staging", "db")
    assert told["chosen"] == "recipe:default/postgres-staging"
    assert [c["specificity"] for c in told["candidates"]] == [4, 0]
    told = views.explain(world.ctx, SHOP, "development", "db")
    assert told["chosen"] == "recipe:default/postgres-local"
    assert "wants environment staging" in told["candidates"][1]["reason"]


def test_the_action_takes_a_commit_to_a_url_and_its_undo_leaves_nothing(world: World, tmp_path: object) -> None:
    from taxiway.model.run import Created

    world.start()
    sha = world.push("shop")
    action = world.platform.registry.get("action", "taxiway:deploy")

    def wait_for_run(run_id: str) -> tuple[str, object]:
        run = world.wait(run_id)
        return run.state, run.output or {}

    ctx = step_context(tmp_path, principal=world.ctx.principal, wait_for_run=wait_for_run)
    values = {"entityRef": SHOP, "environment": "staging", "repository": "shop", "commit": sha}
    first = action.run(ctx, values)
    again = action.run(ctx, values)
    assert first == again
    assert first["url"] == "http://shop.staging.localhost:8000"
    assert len(views.deployments(world.ctx, SHOP, None, None, 10).items) == 1
    action.undo(ctx, [Created(*item) for item in ctx.made])
    assert world.destination.objects == {}
    assert world.database.there == {}


def test_the_action_fails_with_the_failing_jobs_reason(world: World, tmp_path: object) -> None:
    world.start()
    world.push("shop", workflow="fail")
    action = world.platform.registry.get("action", "taxiway:deploy")

    def wait_for_run(run_id: str) -> tuple[str, object]:
        run = world.wait(run_id)
        return run.state, run.output or {}

    ctx = step_context(tmp_path, principal=world.ctx.principal, wait_for_run=wait_for_run)
    values = {"entityRef": SHOP, "environment": "staging", "repository": "shop"}
    with pytest.raises(ConflictError, match="job build failed: tests fail"):
        action.run(ctx, values)


def test_trying_the_action_again_tries_a_failed_pipeline_again_once(world: World, tmp_path: object) -> None:
    world.start()
    world.push("shop", workflow="fail")
    action = world.platform.registry.get("action", "taxiway:deploy")

    def wait_for_run(run_id: str) -> tuple[str, object]:
        run = world.wait(run_id)
        return run.state, run.output or {}

    values = {"entityRef": SHOP, "environment": "staging", "repository": "shop"}
    checkpoints: dict[str, object] = {}

    def checkpoint(key: str, compute: Callable[[], object]) -> object:
        return checkpoints[key] if key in checkpoints else checkpoints.setdefault(key, compute())

    for attempt, calls in ((1, 1), (2, 2), (2, 2)):
        options = {"wait_for_run": wait_for_run, "attempt": attempt, "checkpoint": checkpoint}
        ctx = step_context(tmp_path, principal=world.ctx.principal, **options)
        with pytest.raises(ConflictError, match="tests fail"):
            action.run(ctx, values)
        assert world.engine.calls == calls
