"""Forges are asked with the token of the person who fills in the form, and with no other where that is required."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from factories.git_host import GitHost
from factories.other_system import Asked, OtherSystem, Reply, other_system
from factories.scaffolding import FEATURES, PLUGINS, Desk, desk, entity
from taxiway.cli.catalog import register
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder.upgrades import newest_of
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, SourcedEntity
from taxiway.plugin.forging.smart_http import basic

ANSWERS: dict[str, Any] = {
    "/api/v3/user/orgs?per_page=100": [{"login": "acme"}],
    "/api/v3/user/repos?per_page=100": [{"full_name": "acme/shop"}],
    "/api/v3/repos/acme/a%2Fb/branches?per_page=100": [{"name": "main"}, {"name": "next"}],
    "/api/v4/groups?per_page=100": [{"id": 7, "full_path": "acme/tools"}],
    "/api/v4/user": {"id": 9, "username": "ann"},
    "/api/v4/groups/7/projects?per_page=100": [{"id": 70, "name": " shop "}],
    "/api/v4/users/9/projects?per_page=100": [{"id": 90, "name": "own"}],
    "/2.0/workspaces?pagelen=100": {"values": [{"slug": "acme"}]},
    "/2.0/workspaces/acme/projects?pagelen=100": {"values": [{"key": "SHOP"}]},
    "/2.0/repositories/acme?pagelen=100&q=project.key%3D%22a%5C%22b%22": {"values": [{"slug": "orders"}]},
    "/2.0/repositories/acme/orders/refs/branches?pagelen=100": {"values": [{"name": "main"}]},
    "/api/v1/user": {"login": "ann"},
    "/api/v1/user/orgs?limit=50": [{"username": "makers"}],
    "/acme/_apis/projects?%24top=1000&api-version=7.0": {"value": [{"name": "The shop"}]},
    "/acme/The%20shop/_apis/git/repositories?api-version=7.0": {"value": [{"name": "orders"}]},
}
ASKED: list[tuple[str, str, dict[str, str], list[tuple[str, str]]]] = [
    ("github", "owners", {}, [("acme", "acme")]),
    ("github", "repositoriesWithOwner", {}, [("acme/shop", "acme/shop")]),
    ("github", "branches", {"owner": "acme", "repository": "a/b"}, [("main", "main"), ("next", "next")]),
    ("gitlab", "groups", {}, [("7", "acme/tools"), ("9", "ann")]),
    ("gitlab", "repositories", {"id": "7"}, [("70", "shop")]),
    ("gitlab", "repositories", {"id": "9"}, [("90", "own")]),
    ("bitbucket-cloud", "workspaces", {}, [("acme", "acme")]),
    ("bitbucket-cloud", "projects", {"workspace": "acme"}, [("SHOP", "SHOP")]),
    ("bitbucket-cloud", "repositories", {"workspace": "acme", "project": 'a"b'}, [("orders", "orders")]),
    ("bitbucket-cloud", "branches", {"workspace": "acme", "repository": "orders"}, [("main", "main")]),
    ("gitea", "owners", {}, [("ann", "ann"), ("makers", "makers")]),
    ("azure", "projects", {"organization": "acme"}, [("The shop", "The shop")]),
    ("azure", "repositories", {"organization": "acme", "project": "The shop"}, [("orders", "orders")]),
]
PICKED = {
    "title": "Where",
    "properties": {
        "at": {
            "type": "string",
            "ui:field": "RepoUrlPicker",
            "ui:options": {"requestUserCredentials": {"secretsKey": "USER_OAUTH_TOKEN"}},
        },
        "elsewhere": {"type": "string"},
    },
}
MINE, OURS = "token-of-ann", "token-of-the-settings"


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> GitHost:
    accepts = {basic("x-access-token", token) for token in (MINE, OURS)}
    return GitHost(tmp_path_factory.mktemp("git") / "hosted", accepts)


@pytest.fixture(scope="module")
def forge(git: GitHost) -> Iterator[OtherSystem]:
    def respond(asked: Asked) -> Reply:
        if asked.path not in ANSWERS:
            return git.answer(asked) or Reply({"message": "Not Found"}, 404)
        return Reply(ANSWERS[asked.path])

    with other_system(respond) as there:
        yield there


@pytest.fixture(scope="module")
def at(forge: OtherSystem) -> Iterator[Desk]:
    set_up = pytest.MonkeyPatch()
    set_up.setenv("FORGE_TOKEN", OURS)
    host = {"host": forge.host, "scheme": "http", "token": "env:FORGE_TOKEN"}
    other = {**host, "host": f"localhost:{forge.host.partition(':')[2]}"}
    hosts: dict[str, Any] = {name: {"hosts": [host]} for name in ("gitlab", "gitea", "azure")}
    hosts["github"] = {"hosts": [host, other]}
    hosts["bitbucket"] = {"hosts": [{**host, "cloud": True, "api_url": f"{forge.url}/2.0"}]}
    # What delivery brings of it.
    reading = Feature("repositories", {"repositories.read": READ}, (), lambda platform: None)
    with desk([*FEATURES, reading], [*PLUGINS, *hosts], plugin_settings=hosts) as there:
        yield there
    set_up.undo()


def test_pickers_are_suggested_what_the_persons_own_token_sees(at: Desk, forge: OtherSystem) -> None:
    forge.asked.clear()
    with at.client() as client:

        def ask(provider: str, resource: str, token: str = MINE, **context: str) -> Any:
            path = f"/api/scaffolder/v2/autocomplete/{provider}/{resource}"
            return client.post(path, json={"token": token, "context": context})

        for provider, resource, context, wanted in ASKED:
            answer = ask(provider, resource, **context)
            assert answer.status_code == 200, f"{provider} {resource}: {answer.text}"
            assert [(one["id"], one["title"]) for one in answer.json()["results"]] == wanted
        assert forge.asked
        mine = {f"Bearer {MINE}", f"token {MINE}", "Basic " + base64.b64encode(f":{MINE}".encode()).decode()}
        assert {one.headers["authorization"] for one in forge.asked} <= mine
        assert ask("nowhere", "owners").status_code == 400
        assert "Unsupported provider: nowhere" in ask("nowhere", "owners").json()["error"]["message"]
        assert "it suggests branches, owners" in ask("github", "teams").json()["error"]["message"]
        assert "Missing workspace context parameter" in ask("bitbucket-cloud", "projects").json()["error"]["message"]
        asked = len(forge.asked)
        assert ask("github", "owners", host="elsewhere.example.com").status_code == 404
        assert ask("github", "owners", token="").status_code == 400
        assert len(forge.asked) == asked, "no token goes to a host that is not in the settings"
    with at.client("viewer") as client:
        assert ask("github", "owners").status_code == 403


def test_a_step_on_the_picked_host_acts_as_the_person_and_no_other_step_does(at: Desk, forge: OtherSystem) -> None:
    there, elsewhere = f"{forge.host}?owner=acme&repo=shop", f"localhost:{forge.host.partition(':')[2]}?owner=a&repo=b"
    label = {"number": 1, "labels": ["a"]}
    steps = [
        {"id": name, "action": "github:issues:label", "input": {**label, "repoUrl": f"${{{{ parameters.{name} }}}}"}}
        for name in ("at", "elsewhere")
    ]
    steps[0]["input"] = {**label, "repoUrl": "${{ parameters.places[0].at }}"}
    places = {"type": "array", "items": {"type": "object", "properties": {"at": PICKED["properties"]["at"]}}}
    deep: dict[str, Any] = {"title": "Where", "properties": {"elsewhere": {"type": "string"}}}
    deep["dependencies"] = {"elsewhere": {"properties": {"places": places}}}
    ref = at.template({"parameters": [deep], "steps": steps}, "labels")
    values = {"places": [{"at": there}], "elsewhere": elsewhere}
    forge.asked.clear()
    made = at.post(ref, values=values, secrets={"USER_OAUTH_TOKEN": MINE})
    assert made.status_code == 201, made.text
    run = at.end(made.json()["id"])
    used = {(one.headers["host"], one.headers["authorization"]) for one in forge.asked}
    assert used == {(forge.host, f"Bearer {MINE}"), (elsewhere.partition("?")[0], f"Bearer {OURS}")}
    assert MINE not in at.log(run.id)
    scaffolder = at.served.platform.settings.scaffolder
    with pytest.MonkeyPatch.context() as strict:
        strict.setitem(scaffolder.__dict__, "require_user_credentials", True)
        with at.client() as client:
            body = {"template_ref": ref, "values": values, "secrets": {"USER_OAUTH_TOKEN": MINE}}
            checks = client.post("/api/scaffolder/v1/plans", json=body).json()["checks"]
        refused = [one["id"] for one in checks if "No user credentials provided" in one["detail"]]
        assert refused == ["step:elsewhere"]
        assert at.post(ref, values=values, secrets={"USER_OAUTH_TOKEN": MINE}).status_code == 403


def plan(at: Desk, ref: str, **body: Any) -> dict[str, Any]:
    with at.client() as client:
        made = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref, **body})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def test_what_is_fetched_by_a_url_is_read_with_the_persons_token_where_one_is_given(
    at: Desk, forge: OtherSystem, git: GitHost
) -> None:
    git.create("acme/parts")
    git.commit("acme/parts", "main", {"name.txt": "${{ values.name }}\n"})
    host = f"localhost:{forge.host.partition(':')[2]}"  # of which only GitHub is in the settings
    url, wish = f"http://{host}/acme/parts", {"values": {"name": "orders"}}
    steps = [
        {"id": "all", "action": "fetch:template", "input": {"url": url, "targetPath": "all", **wish}},
        {"id": "one", "action": "fetch:template:file",
         "input": {"url": f"{url}/blob/main/name.txt", "targetPath": "one.txt", **wish}},
        {"id": "as", "action": "fetch:plain:file",
         "input": {"url": f"{url}/blob/main/name.txt", "targetPath": "as.txt", "token": "${{ secrets.MORE }}"}},
        {"id": "read", "action": "roadiehq:utils:fs:parse", "input": {"path": "${{ parameters.elsewhere }}"}},
    ]  # fmt: skip
    output = {"links": [], "text": [{"title": "Read", "content": "${{ steps.read.output.content }}"}]}
    ref = at.template({"parameters": [PICKED], "steps": steps[:2] + steps[3:], "output": output}, "fetched")
    picked = {"at": f"{host}?owner=acme&repo=new", "elsewhere": "all/name.txt"}
    mine = {"USER_OAUTH_TOKEN": MINE}

    def used() -> set[str]:
        found = {one.headers["authorization"] for one in forge.asked}
        forge.asked.clear()
        return {token for token in (MINE, OURS) if basic("x-access-token", token) in found}

    forge.asked.clear()
    run = at.end(at.post(ref, values=picked, secrets=mine).json()["id"])
    assert (run.state, used()) == ("succeeded", {MINE})
    assert run.output["text"][0]["content"] == "orders\n"
    assert MINE not in at.log(run.id)
    assert at.end(at.post(ref, values={**picked, "elsewhere": "one.txt"}).json()["id"]).state == "succeeded"
    assert used() == {OURS}
    files = {one["path"] for one in plan(at, ref, values=picked)["files"]}
    assert (files, used()) == ({"all/name.txt", "one.txt"}, {OURS})
    tried = plan(at, ref, values=picked, secrets=mine)
    assert (tried["files"], used()) == ([], set()), "nothing stands in for a token that nobody gave yet"
    with_token = at.template({"steps": [steps[2]], "secrets": {"schema": {}}}, "with-token")
    run = at.end(at.post(with_token, secrets={"MORE": MINE}).json()["id"])
    assert (run.state, used()) == ("succeeded", {MINE})
    with pytest.MonkeyPatch.context() as strict:
        strict.setitem(at.served.platform.settings.scaffolder.__dict__, "require_user_credentials", True)
        refused = [one for one in plan(at, ref, values=picked)["checks"] if "No user credentials" in one["detail"]]
        assert ([one["id"] for one in refused], used()) == (["step:all", "step:one"], set())
        assert at.post(ref, values=picked).status_code == 403
        run = at.end(at.post(ref, values=picked, secrets=mine).json()["id"])
        assert (run.state, used()) == ("succeeded", {MINE})
    with other_system(lambda asked: Reply(b"hello")) as site, pytest.MonkeyPatch.context() as listed:
        listed.setitem(at.served.platform.settings.catalog.__dict__, "url_hosts", (site.host,))
        taken = {"url": f"{site.url}/a.txt?b=1", "targetPath": "a.txt"}
        only = at.template({"steps": [{"id": "f", "action": "fetch:plain:file", "input": taken}]}, "only")
        assert [one["path"] for one in plan(at, only, values={})["files"]] == ["a.txt"]
        assert [one.headers.get("authorization") for one in site.asked] == [None]
    for wrong, told in (
        ("http://169.254.169.254/latest", "its host is no forge of the settings"),
        (f"{url}/blob/main/name.txt", "is a file: fetch it with fetch:plain:file"),
        (f"{url}/tree/main/nowhere", "has no 'nowhere' at"),
    ):
        bad = at.template({"steps": [{"id": "f", "action": "fetch:plain", "input": {"url": wrong}}]}, "bad")
        (check,) = [one for one in plan(at, bad, values={})["checks"] if one["id"] == "step:f"]
        assert told in check["detail"]


def reading(folder: str) -> dict[str, Any]:
    """The spec of a golden path that tells what `name.txt` in a folder of its own holds."""
    steps = [
        {"id": "fetch", "action": "fetch:plain", "input": {"url": folder}},
        {"id": "read", "action": "roadiehq:utils:fs:parse", "input": {"path": "name.txt"}},
    ]
    output = {"name": "${{ steps.read.output.content }}"}
    return {"type": "service", "owner": "makers", "steps": steps, "output": output}


def test_a_template_on_a_forge_brings_its_files_as_they_are_at_each_run(
    at: Desk, forge: OtherSystem, git: GitHost
) -> None:
    git.create("acme/paths")
    host = f"localhost:{forge.host.partition(':')[2]}"
    location = f"url:http://{host}/acme/paths/blob/main/template.yaml"
    item = SourcedEntity(entity("Template", "elsewhere", reading(".")), location)
    platform = at.served.platform
    platform.store.write(lambda tx: catalog.apply_entities(tx, platform.system("test"), [item], "elsewhere", full=True))
    for text in ("one", "two"):
        git.commit("acme/paths", "main", {"template.yaml": "kind: Template", "name.txt": text})
        run = at.end(at.post("template:default/elsewhere").json()["id"])
        assert (run.state, run.output) == ("succeeded", {"name": text})
    forge.asked.clear()
    assert newest_of(platform.services["scaffolder"], "template:default/elsewhere")
    assert not forge.asked, "a list does not wait for a forge that was asked just now"
    with at.client() as client:
        opened = client.get("/api/scaffolder/v1/templates/default/elsewhere/files")
    assert opened.status_code == 200, opened.text
    assert (opened.json()["entry"], len(opened.json()["files"])) == ("template.yaml", 2)


def test_a_template_in_a_repository_of_the_built_in_forge_brings_its_files(
    at: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built_in = at.served.platform.registry.get("forge", "git_local", Forge)
    built_in.create_repository("kept", description="", owner=None, default_branch="main", request_key="kept")
    texts = {
        "one/template.yaml": yaml.safe_dump(entity("Template", "kept", reading("./files"))),
        "one/files/name.txt": "mine",
    }
    changes = {path: FileChange(text.encode()) for path, text in texts.items()}
    built_in.commit("kept", "main", changes, message="Begin", author="user:default/dev")
    monkeypatch.setenv("TAXIWAY_URL", at.served.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("admin", "user:default/admin"))
    register("git:kept//one/template.yaml")
    assert "nothing was taken in" in capsys.readouterr().err, "only with trust"
    with at.client("admin") as client:
        (found,) = [one for one in client.get("/api/catalog/locations").json() if "kept" in one["data"]["target"]]
        assert client.delete(f"/api/catalog/locations/{found['data']['id']}").status_code == 204
    register("git:kept//one/template.yaml", trust=True)
    run = at.end(at.post("template:default/kept").json()["id"])
    assert (run.state, run.output) == ("succeeded", {"name": "mine"})
    url = built_in.get_repository("kept").clone_url
    pieces = [
        {"id": "all", "action": "fetch:plain", "input": {"url": f"{url}/one/files", "targetPath": "all"}},
        {"id": "f", "action": "fetch:plain:file", "input": {"url": f"{url}/one/files/name.txt", "targetPath": "a.txt"}},
    ]
    by_url = at.template({"steps": pieces}, "by-url")
    assert {one["path"] for one in plan(at, by_url, values={})["files"]} == {"all/name.txt", "a.txt"}
    new = url.replace("kept", "new-one")

    def told(step: dict[str, Any]) -> dict[str, Any]:
        checks = plan(at, at.template({"steps": [step]}, "by-url"), values={})["checks"]
        found: dict[str, Any] = next(one for one in checks if one["id"] == f"step:{step['id']}")
        return found

    assert "kept has no 'one/fil'" in told({**pieces[0], "input": {"url": f"{url}/one/fil"}})["detail"]
    again = {"id": "again", "action": "fetch:plain", "input": {"url": new, "targetPath": "again"}}
    assert "new-one.git: publish it before it is fetched" in told(again)["detail"]
    make = [
        {"id": "get", "action": "fetch:plain", "input": {"url": f"{url}/one/files"}},
        {"id": "publish", "action": "publish:git", "input": {"name": "new-one"}},
        again,
        {"id": "read", "action": "roadiehq:utils:fs:parse", "input": {"path": "again/name.txt"}},
    ]
    made = at.template({"steps": make, "output": {"name": "${{ steps.read.output.content }}"}}, "made")
    run = at.end(at.post(made).json()["id"])
    assert (run.state, run.output) == ("succeeded", {"name": "mine"})
    monkeypatch.delitem(at.served.platform.permissions, "repositories.read")
    assert "repositories.read" in told(pieces[0])["detail"], "nobody reads by a golden path what they may not read"
    with at.client() as client:
        opened = client.get("/api/scaffolder/v1/templates/default/kept/files").json()
    assert (opened["entry"], sorted(one["path"] for one in opened["files"])) == (
        "template.yaml",
        ["files/name.txt", "template.yaml"],
    )
