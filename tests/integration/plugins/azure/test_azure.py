"""Azure DevOps' API in the shapes that Microsoft documents: discovery, heads, trees, files, service hooks, URLs."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.outside import Asked, Said, answering
from taxiway.model.errors import ConflictError, InputError, NotAllowedError, NotFoundError, TaxiwayError
from taxiway.plugin import HookRequest, RepositorySource, SourcedTree, SourceEnd, SourceGone, SourcePart, SourceRequest
from taxiway.plugin.testing import (
    EntitySourceConformance,
    RepositorySourceConformance,
    UrlReaderConformance,
    memory_host,
)
from taxiway.plugins.azure import PLUGIN
from taxiway.plugins.azure.repositories import AzureSource
from taxiway.plugins.azure.settings import AzureSettings
from taxiway.plugins.azure.urls import AzureUrls

TOKEN = "pat"
FILE = b"apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {owner: team-a}\n"


@dataclass
class Organisation:
    """Repositories by id: name, project, head, files. `broken` ones answer 500 for their tree."""

    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    branch: dict[str, Any] = field(default_factory=lambda: {"success": True, "updateStatus": "succeeded"})
    """What is said of a branch that is made."""

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(f":{TOKEN}".encode()).decode():
            return Said(203, b"<html>Sign in")
        where, _, rest = asked.path.partition("/_apis/git/repositories")
        if not where.startswith("/acme"):
            return Said(404, {"message": "TF400813: no such organisation"})
        project = where.removeprefix("/acme").strip("/").replace("%20", " ")
        if not rest:
            chosen = [i for i, held in self.repositories.items() if project in ("", held["project"])]
            return Said(200, {"count": len(chosen), "value": [self._described(i) for i in chosen]})
        identifier, _, what = rest.strip("/").partition("/")
        by_name = {held["name"]: i for i, held in self.repositories.items()}
        identifier = by_name.get(identifier, identifier)
        if not what and identifier in self.repositories:
            return Said(200, self._described(identifier))
        held = self.repositories.get(identifier)
        if held is None or identifier in self.broken:
            return Said(500 if held else 404, {"message": "TF401019: the repository is not there"})
        if what.split("/")[0] in ("commits", "pushes", "pullrequests") or (what == "refs" and self._is_new(asked)):
            return self._proposing(held, what, asked)
        if what == "refs":
            assert asked.query["filter"] == "heads/main"
            refs = [("refs/heads/maintenance", "0" * 40), ("refs/heads/main", held["head"])]
            return Said(200, {"value": [{"name": name, "objectId": commit} for name, commit in refs if commit]})
        assert asked.query.get("versionDescriptor.version", "main") in (held["head"], "main")
        if "path" in asked.query:
            content = held["files"].get(asked.query["path"].lstrip("/"))
            return Said(404, {"message": "no file"}) if content is None else Said(200, content)
        items = [{"objectId": "1", "gitObjectType": "tree", "path": "/", "isFolder": True}]
        items += [
            {"objectId": str(hash(content)), "gitObjectType": "blob", "path": f"/{path}"}
            for path, content in held["files"].items()
        ]
        return Said(200, {"value": items})

    def _is_new(self, asked: Asked) -> bool:
        return asked.method == "POST" or "taxiway" in asked.query["filter"]

    def _proposing(self, held: dict[str, Any], what: str, asked: Asked) -> Said:
        branches, pulls = held.setdefault("branches", {}), held.setdefault("pulls", [])
        body = json.loads(asked.body) if asked.body else None
        if what == "commits":
            assert asked.query["searchCriteria.itemVersion.version"] == "main"
            return Said(200, {"value": [{"commitId": held["head"], "author": {"email": "gil@example.org"}}]})
        if what == "refs" and body:
            assert (body[0]["oldObjectId"], body[0]["newObjectId"]) == ("0" * 40, held["head"])
            branches[body[0]["name"]] = held["head"]
            return Said(200, {"value": [self.branch]})
        if what == "refs":
            found = [{"name": name, "objectId": tip} for name, tip in branches.items()]
            return Said(200, {"value": [one for one in found if asked.query["filter"] in one["name"]]})
        if what == "pushes":
            [update], [commit] = body["refUpdates"], body["commits"]
            assert branches[update["name"]] == update["oldObjectId"]
            assert commit["changes"][0]["item"]["path"] == "/proposed.yaml"
            branches[update["name"]] = "b" * 40
            return Said(201, {"pushId": 1})
        if body:
            assert branches[body["sourceRefName"]] == "b" * 40
            pulls.append({"pullRequestId": 7, **body})
            return Said(201, pulls[-1])
        named = asked.query["searchCriteria.sourceRefName"]
        return Said(200, {"value": [one for one in pulls if one["sourceRefName"] == named]})

    def _described(self, identifier: str) -> dict[str, Any]:
        held = self.repositories[identifier]
        web = f"{self.url}/acme/{held['project']}/_git/{held['name']}"
        found = {"id": identifier, "name": held["name"], "project": {"name": held["project"]}, "webUrl": web}
        return {**found, **({"defaultBranch": "refs/heads/main"} if held["head"] else {}), **held.get("more", {})}


def repository(name: str, project: str = "Shop", head: str = "a" * 40, **files: bytes) -> dict[str, Any]:
    return {"name": name, "project": project, "head": head, "files": files or {"catalog-info.yaml": FILE}}


@pytest.fixture
def organisation() -> Iterator[Organisation]:
    held = Organisation(
        repositories={
            "r1": repository("orders"),
            "r2": repository("docs", **{"README.md": b"x"}),
            "r3": repository("empty", head=""),
            "r4": repository("web", project="Other Team", **{"services/a/catalog-info.yaml": FILE, "x.yaml": b""}),
            "r5": repository("off") | {"more": {"isDisabled": True}},
        }
    )
    with answering(held.answer, api=Described("azure", "")) as held.url:
        yield held


@pytest.fixture
def parts(organisation: Organisation, tmp_path: Path) -> dict[str, Any]:
    host = memory_host(tmp_path, "azure")
    host.context.secrets.put("azure", TOKEN)
    hosts = [{"host": organisation.url.partition("://")[2], "scheme": "http", "token": "secret://memory/azure"}]
    host.context.secrets.put("wrong", "x")
    hosts.append({**hosts[0], "host": hosts[0]["host"].replace("127.0.0.1", "localhost")})
    hosts[1]["token"] = "secret://memory/wrong"
    ctx = replace(host.context, settings=AzureSettings.model_validate({"hosts": hosts}))
    return {point: later.made for point, later in PLUGIN.contribute(ctx)}


@pytest.fixture
def source(parts: dict[str, Any]) -> AzureSource:
    found: AzureSource = parts["entity_source"]
    return found


def options(organisation: Organisation, **more: Any) -> dict[str, Any]:
    return {"host": organisation.url.partition("://")[2], "organization": "acme", **more}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, organisation: Organisation) -> dict[str, Any]:
        return options(organisation)

    @pytest.fixture
    def missing(self, organisation: Organisation) -> dict[str, Any]:
        return options(organisation, organization="other")


class TestOnboarding(RepositorySourceConformance):
    @pytest.fixture
    def source(self, source: AzureSource, organisation: Organisation) -> RepositorySource:
        chosen = source.options.model_validate(options(organisation))
        return source.hosting("source:code", chosen, {}.get)

    @pytest.fixture
    def name(self) -> str:
        return "acme/Shop/docs"

    def test_the_page_of_a_proposal_is_its_address(self, source: RepositorySource, name: str) -> None:
        said = {"title": "t", "body": "", "by": "user:default/ann", "key": "k"}
        url = source.propose(name, "proposed.yaml", b"a", **said)["url"]
        assert str(url).endswith("/acme/Shop/_git/docs/pullrequest/7")

    def test_a_branch_that_may_not_be_made_is_said(
        self, source: RepositorySource, organisation: Organisation, name: str
    ) -> None:
        organisation.branch = {"success": False, "updateStatus": "createBranchPermissionRequired"}
        with pytest.raises(ConflictError, match="createBranchPermissionRequired"):
            source.propose(name, "proposed.yaml", b"a", title="t", body="", by="user:default/ann", key="k")


class TestUrls(UrlReaderConformance):
    @pytest.fixture
    def reader(self, parts: dict[str, Any]) -> AzureUrls:
        found: AzureUrls = parts["url_reader"]
        return found

    @pytest.fixture
    def url(self, organisation: Organisation) -> str:
        return f"{organisation.url}/acme/Shop/_git/orders?path=/catalog-info.yaml&version=GBmain"

    @pytest.fixture
    def missing(self, organisation: Organisation) -> str:
        return f"{organisation.url}/acme/Shop/_git/orders?path=/gone.yaml"

    def test_what_names_no_file_is_said(self, reader: AzureUrls, organisation: Organisation) -> None:
        for tail in ("", "?path=", "?path=/*.yaml", "?path=/a&version=main"):
            with pytest.raises(InputError):
                reader.open(f"{organisation.url}/acme/Shop/_git/orders{tail}")

    def test_the_scheme_is_that_of_the_settings(self, reader: AzureUrls, organisation: Organisation) -> None:
        other = organisation.url.replace("http:", "https:")
        tree, path = reader.open(f"{other}/acme/Shop/_git/orders?path=/catalog-info.yaml&version=GBmain")
        assert tree.read(path) == FILE, "the credential goes where the settings say, not where an address says"
        assert tree.location(path).startswith(f"url:{organisation.url}/acme/")


def read(source: AzureSource, given: dict[str, Any], before: list[Any] | None = None, **more: Any) -> list[Any]:
    states = {item.key: item.state for item in before or [] if isinstance(item, SourcePart)}
    request = SourceRequest("azure", source.options.model_validate(given))
    found = source.read(replace(request, part=states.get, parts=lambda: list(states), **more))
    items = []
    for item in found:
        items.append(item)
        if isinstance(item, SourcedTree):
            assert [item.tree.read(path) for path in item.paths], "the host reads files while they are yielded"
    return items


def places(items: list[Any]) -> list[str]:
    return [item.tree.location(path) for item in items if isinstance(item, SourcedTree) for path in item.paths]


def test_descriptors_are_found_in_every_repository(source: AzureSource, organisation: Organisation) -> None:
    items = read(source, options(organisation, paths=["**/catalog-info.yaml"]))
    web = f"url:{organisation.url}/acme"
    assert places(items) == [
        f"{web}/Shop/_git/orders?path=/catalog-info.yaml&version=GBmain",
        f"{web}/Other%20Team/_git/web?path=/services/a/catalog-info.yaml&version=GBmain",
    ]
    assert items[-1] == SourceEnd()


def test_what_did_not_move_costs_one_question(source: AzureSource, organisation: Organisation) -> None:
    first = read(source, options(organisation))
    organisation.asked.clear()
    second = read(source, options(organisation), first)
    same = [item.key for item in second if isinstance(item, SourcePart) and item.same]
    assert same == ["acme/Shop/orders", "acme/Shop/docs", "acme/Other Team/web"]
    assert len(organisation.asked) == 4
    organisation.repositories["r1"]["head"] = "b" * 40
    organisation.repositories["r1"]["files"]["catalog-info.yaml"] = FILE + b"# new"
    assert len(places(read(source, options(organisation), first))) == 1


def test_repositories_are_chosen(source: AzureSource, organisation: Organisation) -> None:
    chosen = read(source, options(organisation, project="Shop", exclude="orders"))
    assert [item.key for item in chosen if isinstance(item, SourcePart)] == ["acme/Shop/docs", "acme/Shop/empty"]


def hook(secret: str, body: Any, **more: Any) -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization": "Basic " + base64.b64encode(f"azure:{secret}".encode()).decode()}
    return HookRequest("azure", AzureSource.options.model_validate({"organization": "acme", **more}), headers, raw)


def test_a_service_hook_names_what_was_pushed_to(source: AzureSource, organisation: Organisation) -> None:
    repository = {"id": "r1", "name": "orders", "project": {"name": "Shop"}, "defaultBranch": "refs/heads/main"}
    push = {
        "eventType": "git.push",
        "resource": {"repository": repository, "refUpdates": [{"name": "refs/heads/main"}]},
    }
    known = {"webhook_secret": "secret://memory/azure"}
    assert source.receive(hook(TOKEN, push, **known)) == [{"repository": "acme/Shop/orders"}]
    aside = {**push, "resource": {"repository": repository, "refUpdates": [{"name": "refs/heads/aside"}]}}
    for body in (aside, {"eventType": "build.complete"}, {}, {"eventType": "git.push", "resource": 3}):
        assert source.receive(hook(TOKEN, body, **known)) == []
    for request in (hook("wrong", push, **known), hook(TOKEN, push)):
        with pytest.raises(NotAllowedError):
            source.receive(request)
    for body in (b"{", b"[]"):
        with pytest.raises(InputError):
            source.receive(hook(TOKEN, body, **known))
    first = read(source, options(organisation))
    organisation.repositories["r1"]["head"] = "b" * 40
    del organisation.repositories["r2"]
    hints = [{"repository": "acme/Shop/orders"}, {"repository": "acme/Shop/docs"}, {"repository": "evil/x/y"}]
    items = read(source, options(organisation), first, hints=hints)
    assert [item.key for item in items if isinstance(item, SourcePart)] == ["acme/Shop/orders"]
    assert [item.part for item in items if isinstance(item, SourceGone)] == ["acme/Shop/docs", "evil/x/y"]
    assert items[-1] == SourceEnd(complete=False)


def test_what_goes_wrong_is_said(source: AzureSource, organisation: Organisation, parts: dict[str, Any]) -> None:
    local = organisation.url.partition("://")[2].replace("127.0.0.1", "localhost")
    with pytest.raises(InputError, match="credential"):
        read(source, options(organisation, host=local))
    with pytest.raises(NotFoundError, match="in the settings"):
        read(source, options(organisation, host="elsewhere.example"))
    organisation.broken = {"r1"}
    with pytest.raises(TaxiwayError):
        read(source, options(organisation))


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"value": 1}'])
def test_what_is_no_azure_devops_is_said(tmp_path: Path, body: bytes) -> None:
    with answering(lambda asked: Said(200, body)) as url:
        host = memory_host(tmp_path, "azure")
        host.context.secrets.put("azure", TOKEN)
        name = url.partition("://")[2]
        hosts = [{"host": name, "scheme": "http", "token": "secret://memory/azure"}]
        ctx = replace(host.context, settings=AzureSettings.model_validate({"hosts": hosts}))
        source = dict(PLUGIN.contribute(ctx))["entity_source"].made
        with pytest.raises(TaxiwayError):
            read(source, {"host": name, "organization": "acme"})
