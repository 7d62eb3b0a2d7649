"""Services that run are started anew, scaled, given new credentials, and taken out of use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from factories.platform import principal
from taxiway.features.catalog import service as catalog
from taxiway.features.environments.service import views
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, NotFoundError
from taxiway.model.run import Created

from .conftest import World, component
from .test_environment_actions import acting, call
from .test_main_job import SERVICE_EVENTS, SHOP, deployed, released

PLACE = {"entityRef": SHOP, "environment": "staging"}


def spec(world: World) -> dict[str, Any]:
    (item,) = world.destination.live("staging")
    found: dict[str, Any] = item["spec"]
    return found


def history(world: World) -> list[tuple[str, str]]:
    rows = views.deployments(world.ctx, SHOP, "staging", None, 10).items
    return [(row["action"], row["state"]) for row in rows]


def test_a_restart_brings_the_same_release_live_anew(world: World, tmp_path: Path) -> None:
    world.start()
    with pytest.raises(NotFoundError, match="is not live in staging"):
        call(world, acting(world, tmp_path), "environment:restart", **PLACE)
    release = released(world)
    deployed(world, release)
    before = spec(world)
    ctx = acting(world, tmp_path)
    done = call(world, ctx, "environment:restart", **PLACE)
    assert done["release"] == release
    assert spec(world)["template"] != before["template"], "new processes"
    assert history(world) == [("restart", "live"), ("deploy", "superseded")]
    assert call(world, ctx, "environment:restart", **PLACE) == done  # done again, nothing starts twice
    assert [event["type"].split(".")[3] for event in world.events(SERVICE_EVENTS)] == ["deployed"]


def test_a_number_of_copies_stays_until_it_is_taken_back(world: World, tmp_path: Path) -> None:
    world.start()
    deployed(world, released(world, "v1"))
    ctx = acting(world, tmp_path)
    assert call(world, ctx, "environment:scale", **PLACE, replicas=3)["before"] == 1
    assert spec(world)["replicas"] == 3
    deployed(world, released(world, "v2"))
    assert spec(world)["replicas"] == 3, "the next release keeps it"
    (made,) = {name: Created(kind, name, data) for kind, name, data in ctx.made}.values()
    world.platform.registry.get("action", "environment:scale").undo(acting(world, tmp_path), [made])
    assert spec(world)["replicas"] == 1


def test_new_credentials_reach_the_service(world: World, tmp_path: Path) -> None:
    world.start()
    deployed(world, released(world))
    (secret,) = (item for item in world.destination.live("staging", "ExternalSecret"))
    reference = next(one["remoteRef"]["key"] for one in secret["spec"]["data"] if one["secretKey"] == "password")
    old, before = world.platform.secrets.get(reference), spec(world)
    call(world, acting(world, tmp_path), "resource:rotate", **PLACE, resource="db")
    assert world.platform.secrets.get(reference) == f"{old}-and-another"
    assert spec(world)["template"] != before["template"], "the service starts anew with it"
    with pytest.raises(NotFoundError, match="it has: db, env, route"):
        call(world, acting(world, tmp_path), "resource:rotate", **PLACE, resource="cache")
    with pytest.raises(InputError, match="gives no new credentials"):
        call(world, acting(world, tmp_path), "resource:rotate", **PLACE, resource="route")


def test_a_service_goes_when_nobody_needs_it_and_what_is_lost_was_confirmed(world: World, tmp_path: Path) -> None:
    world.start()
    deployed(world, released(world, "v1"))
    released(world, "v2")
    needing = component("web")
    needing["spec"]["dependsOn"] = [SHOP]
    world.register(needing, source="web")
    trying = acting(world, tmp_path, is_dry_run=True)
    with pytest.raises(ConflictError, match="still needed by component:default/web"):
        call(world, trying, "service:decommission", entityRef=SHOP)
    ctx = world.platform.system("test")
    world.platform.store.write(lambda tx: catalog.delete_entity(tx, ctx, "component:default/web"))
    with pytest.raises(ConflictError, match=r"'shop' \(1 commits since .*'staging/db' \(postgres") as refused:
        call(world, trying, "service:decommission", entityRef=SHOP)
    assert refused.value.code == "delivery.unconfirmed"
    names = ["shop", "staging/db", "staging/env", "staging/route"]
    assert call(world, trying, "service:decommission", entityRef=SHOP, confirm=names)["removed"] == [SHOP]
    assert world.destination.live("staging"), "a dry run removes nothing"
    acts = acting(world, tmp_path)
    done = call(world, acts, "service:decommission", entityRef=SHOP, confirm=names)
    assert call(world, acts, "service:decommission", entityRef=SHOP, confirm=names) == done, (
        "called again behind its wait"
    )
    assert world.platform.runs.get(done["runId"]).state == "succeeded"
    assert (world.destination.live("staging"), world.database.there) == ([], {})
    assert catalog.get_entity(world.platform, SHOP) is None


def test_who_does_not_own_the_service_does_none_of_it(world: World, tmp_path: Path) -> None:
    stranger = acting(world, tmp_path)
    stranger.principal = principal("kim", "developer", owns=frozenset())
    for key in ("environment:restart", "environment:scale", "resource:rotate", "service:decommission"):
        with pytest.raises(NotAllowedError):
            call(world, stranger, key, **PLACE, replicas=1, resource="db")
