"""What an overlay may not write, and what an entity would not be valid with: told, and left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.overlays import API, Script, get, layers, problems, push, said
from factories.served import Served
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.features.catalog.tasks import FollowKinds


def test_what_was_not_declared_is_not_written_and_told_with_a_remedy(
    admin: httpx.Client, register: Callable[[str, str], Path]
) -> None:
    register("five", component("five"))
    told = push(admin, "scan", said("five", title="T", description="no", spec={"owner": "me"}))
    assert "metadata.description, spec.owner" in told["problems"][0]["detail"]
    found = get(admin, "five")
    assert (found["metadata"]["title"], found["spec"]["owner"]) == ("T", "checkout")
    [problem] = problems(admin, "component:default/five")
    assert (problem["code"], problem["line"], problem["source_id"]) == ("undeclared", 1, "push:scan")
    assert "settings" in problem["remedy"]
    assert found["status"]["items"][0]["level"] == "error"
    whole = push(admin, "whole", said("five", title="W", description="no", spec={"owner": "me"}))
    assert (whole["created"], whole["problems"]) == (1, [])
    push(admin, "whole", complete=True)
    push(admin, "scan", said("five", title="T"))
    assert problems(admin, "component:default/five") == []
    push(admin, "scan", complete=True)


def test_a_file_of_overlays_tells_the_line_of_what_it_may_not_write(
    admin: httpx.Client, script: Script, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    register("fifteen", component("fifteen"))
    script.file = "# overlays\n---\nkind: Component\nmetadata:\n  name: fifteen\n  title: Filed\n  description: no\n"
    read()
    assert get(admin, "fifteen")["metadata"]["title"] == "Filed"
    [problem] = problems(admin, "component:default/fifteen")
    assert (problem["line"], problem["location"]) == (7, "url:https://forge.example/overlays/overlay.yaml")
    [item] = get(admin, "fifteen")["status"]["items"]
    assert "overlay.yaml, line 7). Add them to the overlay's fields" in item["message"]
    script.file = None
    read()
    assert problems(admin, "component:default/fifteen") == []


def test_an_overlay_that_would_make_an_entity_invalid_is_left_out_and_the_others_stay(
    admin: httpx.Client, register: Callable[[str, str], Path], read: Callable[..., Any]
) -> None:
    file = register("six", component("six"))
    read(said("six", tags=["NOT A TAG"], title="Bad"))
    push(admin, "scan", said("six", title="Good"))
    assert (get(admin, "six")["metadata"]["title"], get(admin, "six")["metadata"]["tags"]) == ("Good", ["python"])
    [problem] = problems(admin, "component:default/six")
    assert (problem["code"], problem["source_id"]) == ("overlay", "source:cmdb")
    assert "/metadata/tags/1" in problem["detail"]
    assert layers(admin, ref="component:default/six")[1][2] == "refused"
    file.write_text(component("six", kind="website"))
    admin.post(f"{API}/refresh", json={"entityRef": "component:default/six"})
    read(said("six", tags=["NOT A TAG"], title="Bad"))
    assert len(problems(admin, "component:default/six")) == 1, "told once, whoever wrote last"
    read(said("six", title="Mended"))
    assert (get(admin, "six")["metadata"]["title"], problems(admin, "component:default/six")) == ("Mended", [])
    read()
    push(admin, "scan", complete=True)


def test_an_overlay_may_not_touch_people_unless_it_is_trusted(admin: httpx.Client, read: Callable[..., Any]) -> None:
    lead = said("lead", kind="Group", spec={"type": "team", "children": []})
    push(admin, "owner", {"apiVersion": "backstage.io/v1alpha1", **lead})
    run = read(said("lead", kind="group", title="Mine"))
    assert run.steps[0].output["problems"] == 1
    [problem] = problems(admin, "group:default/lead")
    assert problem["code"] == "untrusted"
    read()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds are followed when the test says so, and not once more by the worker."""
    monkeypatch.setattr(FollowKinds, "handle", lambda *_: None)


def _declare(server: Served, admin: httpx.Client, type_: str) -> None:
    """Depots have a size of this type, and are judged by it."""
    schema = {"type": "object", "properties": {"size": {"type": type_}}}
    spec = {"apiVersions": ["acme.dev/v1"], "plural": "Depots", "schema": schema}
    push(admin, "depots", {"apiVersion": "taxiway.dev/v1", **said("Depot", kind="Kind", spec=spec)})
    follow_kind(server.platform.system("catalog"), "kind:default/depot")


def _depot(admin: httpx.Client, name: str) -> tuple[str | None, Any, list[str]]:
    """Its title, its size, and the codes of what is wrong with it."""
    found = admin.get(f"{API}/entities/by-name/depot/default/{name}").json()
    codes = [problem["code"] for problem in problems(admin, f"depot:default/{name}")]
    return found["metadata"].get("title"), found["spec"].get("size"), codes


@pytest.mark.usefixtures("by_hand")
def test_an_overlay_that_a_changed_kind_does_not_allow_is_left_out(server: Served, admin: httpx.Client) -> None:
    _declare(server, admin, "integer")
    push(admin, "plain", {"apiVersion": "acme.dev/v1", **said("north", kind="Depot", spec={"name": "North"})})
    push(admin, "defaults", said("north", kind="Depot", spec={"size": 5}))
    assert _depot(admin, "north") == (None, 5, [])
    _declare(server, admin, "string")
    assert _depot(admin, "north") == (None, None, ["overlay"]), "it is the overlay that is wrong, and told once"
    _declare(server, admin, "integer")
    assert _depot(admin, "north") == (None, 5, [])
    push(admin, "defaults", complete=True)


@pytest.mark.usefixtures("by_hand")
def test_what_a_kind_allows_again_is_not_told_as_invalid_after_its_overlay_changed(
    server: Served, admin: httpx.Client
) -> None:
    _declare(server, admin, "integer")
    push(admin, "plain", {"apiVersion": "acme.dev/v1", **said("south", kind="Depot", spec={"size": 5})})
    push(admin, "scan", said("south", kind="Depot", title="Old"))
    _declare(server, admin, "string")
    push(admin, "scan", said("south", kind="Depot", title="New"))
    assert _depot(admin, "south") == ("Old", 5, ["invalid"])
    _declare(server, admin, "integer")
    assert _depot(admin, "south") == ("New", 5, [])
    push(admin, "scan", complete=True)
