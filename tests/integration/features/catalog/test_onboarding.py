"""Repositories without a descriptor: found, listed with a proposed one, and given pull requests in bulk."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import httpx
import pytest

from factories.catalog_desk import CatalogDesk, desk
from factories.forge_fakes import TOKEN, Repo, gitlab
from factories.served import served
from taxiway.cli.main import run
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import onboarding
from taxiway.features.catalog.service.onboarding_forge import ForgeRepositories
from taxiway.features.docs.contrib import FEATURE as DOCS
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.model.errors import NotFoundError, TimedOutError, TooLargeError
from taxiway.plugin import HostedRepository, RepositoryFacts, RepositorySource, testing
from taxiway.plugin.testing import memory_host
from taxiway.plugins.gitlab import contribute
from taxiway.plugins.gitlab.settings import GitLabHost, GitLabSettings
from taxiway.worker.main import Worker

__all__ = ["desk"]
BASE = "/api/catalog/v1/onboarding"
PEOPLE = """apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: shop}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: guards}
spec: {type: team, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: gil}
spec: {profile: {email: Gil@example.org}, memberOf: [guards]}
"""


def wait(desk: CatalogDesk, answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    path = f"/api/runs/v1/runs/{answer.json()['run_id']}"
    found: dict[str, Any] = desk.until(
        lambda: one if (one := desk.boss.get(path).json())["state"] in ("succeeded", "failed", "cancelled") else None
    )
    return found


def look(desk: CatalogDesk) -> dict[str, Any]:
    run = wait(desk, desk.boss.post(f"{BASE}/looks"))
    assert run["state"] == "succeeded", run["error"]
    found: dict[str, Any] = run["steps"][0]["output"]
    return found


def rows(client: httpx.Client, name: str) -> list[dict[str, Any]]:
    items = client.get(f"{BASE}/repositories", params={"text": name}).json()["items"]
    return [item for item in items if item["name"] == name]


def row(client: httpx.Client, name: str) -> dict[str, Any]:
    [found] = rows(client, name)
    return found


@pytest.fixture(scope="module")
def people(desk: CatalogDesk) -> None:
    name = desk.make({"people.yaml": PEOPLE})
    target = {"type": "git", "target": f"{name}//people.yaml"}
    answer = desk.boss.post("/api/catalog/locations", params={"trust": True}, json=target)
    assert answer.status_code == 201, answer.text


@pytest.mark.usefixtures("people")
def test_repositories_are_found_with_a_proposal_and_looked_at_once(desk: CatalogDesk) -> None:
    described = desk.registered()
    bare = desk.make({"pyproject.toml": "", "Dockerfile": "", "CODEOWNERS": "* @acme/guards\n"})
    found = look(desk)
    assert found["missing"] >= 1
    assert row(desk.ann, described)["status"] == "has"
    seen = row(desk.ann, bare)
    proposal = seen["proposal"]
    assert (seen["status"], proposal["type"], proposal["owner"]) == ("missing", "service", "group:default/guards")
    assert proposal["reasons"]["owner"] == "CODEOWNERS"
    assert proposal["is_ready"]
    assert rows(desk.guard, bare) == [], "it is the shop's repository"
    again = look(desk)
    assert (again["looked_at"], again["gone"]) == (0, 0)
    assert again["unchanged"] == found["looked_at"] + found["unchanged"]
    desk.commit(bare, "main", {"CODEOWNERS": None})
    assert look(desk)["looked_at"] == 1
    assert row(desk.ann, bare)["proposal"]["owner"] == "group:default/shop"


def test_a_first_descriptor_is_judged_without_what_it_leads_to() -> None:
    head = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: "
    assert not onboarding.problems_of(head + "{targets: ['./one.yaml', './sub/*.yaml']}\n")
    [elsewhere] = onboarding.problems_of(head + "{target: 'https://host.example/one.yaml'}\n")
    assert "not followed here" in elsewhere.detail
    assert "holds no entity" in onboarding.problems_of("# nothing yet\n")[0].detail


def test_an_unchanged_repository_costs_one_look_at_its_branch(
    desk: CatalogDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        desk.make({"LICENSE": ""})
    look(desk)
    calls: Counter[str] = Counter()

    def count(name: str) -> None:
        real = getattr(type(desk.forge), name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return real(*args, **kwargs)

        monkeypatch.setattr(type(desk.forge), name, counted)

    for name in ("resolve", "read_file", "list_files", "log", "get_repository"):
        count(name)
    found = look(desk)
    assert calls == {"resolve": found["unchanged"]}


def test_forges_of_configured_sources_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_TOKEN", TOKEN)
    with gitlab() as forge:
        forge.repositories = {
            "acme/orders": Repo({"Dockerfile": "", "README.md": "Takes the orders of all shops"}),
            "acme/stock": Repo({"catalog-info.yaml": "kind: Component"}),
        }
        code = {"name": "code", "type": "gitlab", "host": forge.host, "group": "acme"}
        broken = {"name": "broken", "type": "gitlab", "host": "nowhere.example", "group": "acme"}
        settings = GitLabSettings(hosts=(GitLabHost(host=forge.host, scheme="http", token="env:FORGE_TOKEN"),))
        made = contribute(memory_host(tmp_path / "host", "gitlab", settings).context)
        plugins = [EntryPoint("git_local", "taxiway.plugins.git_local:PLUGIN", "taxiway.plugins")]
        features = [ACCESS, PULLS, CATALOG, DOCS]
        with served(tmp_path, features=features, plugins=plugins, catalog={"sources": [code, broken]}) as running:
            running.platform.registry.add("entity_source", made[0][1], "gitlab")
            ctx = running.platform.system("test")
            told: list[str] = []
            found = onboarding.look(ctx, lambda: False, told.append)
            assert (found.missing, found.looked_at, found.failed) == (1, 2, 1)
            assert "source:broken: there is no GitLab nowhere.example" in told[0]
            assert onboarding.look(ctx, lambda: False, told.append).unchanged == 2
            began = running.platform.clock.now()
            assert onboarding.look(ctx, lambda: False, told.append, afresh_since=began).looked_at == 2
            again = onboarding.look(ctx, lambda: False, told.append, afresh_since=began)
            assert (again.looked_at, again.unchanged) == (0, 2), "tried again it goes on where it stopped"
            worker = Worker(running.platform, [])
            worker.start()
            with running.client(running.token()) as admin:
                [seen] = admin.get(f"{BASE}/repositories", params={"status": "missing"}).json()["items"]
                assert (seen["source"], seen["proposal"]["type"]) == ("source:code", "service")
                text = seen["proposal"]["text"] + "  owner: team-a\n"
                wish = {"source": "source:code", "name": "acme/orders", "text": text}
                run_id = admin.post(f"{BASE}/pulls", json={"items": [wish]}).json()["run_id"]
                deadline = time.monotonic() + 20
                while (run := admin.get(f"/api/runs/v1/runs/{run_id}").json())["state"] != "succeeded":
                    assert time.monotonic() < deadline, run
                    time.sleep(0.05)
                assert run["output"]["pulls"][0]["url"] == "https://forge/-/merge_requests/1"
                assert row(admin, "acme/orders")["status"] == "proposed"
            assert "Proposed by user:default/tester" in forge.repositories["acme/orders"].pulls[0]["description"]
            running.platform.stopping.set()
            worker.stop()


@pytest.mark.usefixtures("people")
def test_who_commits_is_known_by_mail(desk: CatalogDesk) -> None:
    source = ForgeRepositories(desk.server.platform)
    name = desk.make({"go.mod": "module x\n"})
    one = next(item for item in source.repositories() if item.name == name)
    from taxiway.features.catalog.service.onboarding_people import people_of, read_systems

    ctx = desk.server.platform.system("test")
    facts = RepositoryFacts(["go.mod"], {}, [("gil@example.org", 3), ("nobody@example.org", 9)])
    found = people_of(ctx, facts, one.owner, read_systems(ctx))
    assert found.committers == [("group:default/guards", 3)]


@pytest.mark.usefixtures("people")
def test_pull_requests_for_many_are_opened_merged_and_registered(desk: CatalogDesk) -> None:
    names = [desk.make({"Dockerfile": "", "n": str(number)}) for number in range(3)]
    look(desk)
    edited = row(desk.ann, names[1])["proposal"]["text"].replace("type: service", "type: website")
    items = [{"name": names[0]}, {"name": names[1], "text": edited}]
    assert desk.guard.post(f"{BASE}/pulls", json={"items": items}).status_code == 404
    wrong = desk.ann.post(f"{BASE}/pulls", json={"items": [{"name": names[2], "text": "kind: Component\n"}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "catalog.onboarding_invalid")
    run = wait(desk, desk.ann.post(f"{BASE}/pulls", json={"items": items}))
    assert (run["state"], len(run["output"]["pulls"])) == ("succeeded", 2)
    assert row(desk.ann, names[0])["status"] == "proposed"
    pull = desk.get(names[1], 1)
    assert pull["author"] == "user:default/ann"
    assert "type: website" in desk.text(names[1], pull["head"])
    merged = desk.bob.post(f"/api/pulls/v1/pulls/{names[1]}/1/merge", json={})
    assert merged.status_code == 200, merged.text
    path = f"/api/catalog/entities/by-name/component/default/{names[1]}"
    assert desk.until(lambda: desk.ann.get(path).json().get("kind") == "Component")
    look(desk)
    assert row(desk.ann, names[1])["status"] == "has"
    again = desk.ann.post(f"{BASE}/pulls", json={"items": [{"name": names[1]}]})
    assert (again.status_code, again.json()["code"]) == (422, "catalog.onboarding_invalid")
    undone = desk.ann.post(f"/api/runs/v1/runs/{run['id']}/undo")
    assert undone.status_code in (200, 202), undone.text
    assert desk.until(lambda: desk.get(names[0], 1)["state"] == "closed")
    assert desk.get(names[1], 1)["state"] == "merged"


@pytest.mark.usefixtures("people")
def test_the_command_line_plans_and_opens(
    desk: CatalogDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name = desk.make({"go.mod": "module x\n"})
    monkeypatch.setenv("TAXIWAY_URL", desk.server.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", desk.server.token("platform", "user:default/boss"))
    assert run(["catalog", "onboard", "--plan"]) == 0
    line = next(text for text in capsys.readouterr().out.splitlines() if text.startswith(f"{name} "))
    assert "library" in line
    assert run(["catalog", "onboard", name]) == 0
    assert f"/pulls/{name}/1" in capsys.readouterr().out


def test_a_look_that_ends_early_keeps_what_it_found(desk: CatalogDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, large, found, later = sorted(desk.make({"go.mod": "module x\n"}) for _ in range(4))
    stop, real = threading.Event(), ForgeRepositories.read

    def read(source: ForgeRepositories, one: HostedRepository, wanted: Sequence[str]) -> RepositoryFacts:
        if one.name == gone:
            raise NotFoundError("it was deleted just now")
        if one.name == large:
            raise TooLargeError("it has too many files")
        if one.name == found:
            stop.set()
        return real(source, one, wanted)

    monkeypatch.setattr(ForgeRepositories, "read", read)
    told: list[str] = []
    with pytest.raises(TimedOutError):
        onboarding.look(desk.server.platform.system("test"), stop.is_set, told.append)
    assert [bool(rows(desk.ann, name)) for name in (gone, large, found, later)] == [False, False, True, False]
    assert told == [f"{gone}: it was deleted just now", f"{large}: it has too many files"]


class TestForgeRepositories(testing.RepositorySourceConformance):
    @pytest.fixture
    def name(self, desk: CatalogDesk) -> str:
        return desk.make({"README.md": "x\n"})

    @pytest.fixture
    def source(self, desk: CatalogDesk) -> RepositorySource:
        return ForgeRepositories(desk.server.platform)
