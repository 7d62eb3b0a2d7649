"""Azure DevOps' API in the shapes that Microsoft documents: discovery, heads, trees, files, service hooks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from factories.outside import Asked, Said, answering
from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError
from taxiway.plugin import HookRequest, SourcedTree, SourceEnd, SourceGone, SourcePart, SourceProblem, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.azure.source import AzureSource, fits

TOKEN = "pat"
FILE = b"apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {owner: team-a}\n"


@dataclass
class Organisation:
    """Repositories by id: name, project, head, files. `broken` ones answer 500 for their tree."""

    url: str = ""
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(f":{TOKEN}".encode()).decode():
            return Said(203, b"<html>Sign in")
        base = "/acme/_apis/git/repositories"
        if asked.path == base:
            return Said(
                200, {"count": len(self.repositories), "value": [self._described(i) for i in self.repositories]}
            )
        identifier, _, what = asked.path.removeprefix(f"{base}/").partition("/")
        held = self.repositories.get(identifier)
        if held is None or identifier in self.broken:
            return Said(500 if held else 404, {"message": "TF401019: the repository is not there"})
        if what == "refs":
            assert asked.query["filter"] == "heads/main"
            refs = [("refs/heads/maintenance", "0" * 40), ("refs/heads/main", held["head"])]
            return Said(200, {"value": [{"name": name, "objectId": commit} for name, commit in refs if commit]})
        assert asked.query["versionDescriptor.version"] == held["head"]
        if "path" in asked.query:
            content = held["files"].get(asked.query["path"].lstrip("/"))
            return Said(404, {"message": "no file"}) if content is None else Said(200, content)
        items = [{"objectId": "1", "gitObjectType": "tree", "path": "/", "isFolder": True}]
        items += [{"objectId": "2", "gitObjectType": "blob", "path": f"/{path}"} for path in held["files"]]
        return Said(200, {"value": items})

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
    with answering(held.answer) as held.url:
        yield held


@pytest.fixture
def source() -> AzureSource:
    secrets = MemorySecrets()
    secrets.put("azure", TOKEN)
    secrets.put("wrong", "x")
    return AzureSource(secrets)


def options(organisation: Organisation, **more: Any) -> dict[str, Any]:
    return {"url": f"{organisation.url}/acme", "token": "secret://memory/azure", **more}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, organisation: Organisation) -> dict[str, Any]:
        return options(organisation)

    @pytest.fixture
    def missing(self, organisation: Organisation) -> dict[str, Any]:
        return options(organisation, token="secret://memory/wrong")


def read(source: AzureSource, given: dict[str, Any], before: list[Any] | None = None, **more: Any) -> list[Any]:
    states = {item.key: item.state for item in before or [] if isinstance(item, SourcePart)}
    request = SourceRequest("azure", source.options.model_validate(given))
    return list(source.read(replace(request, part=states.get, parts=lambda: list(states), **more)))


def trees(items: list[Any]) -> dict[str, list[str]]:
    return {item.tree.location(""): list(item.paths) for item in items if isinstance(item, SourcedTree)}


def test_descriptors_are_found_in_every_repository(source: AzureSource, organisation: Organisation) -> None:
    items = read(source, options(organisation, paths=["catalog-info.yaml", "**/catalog-info.yaml"]))
    found = [item for item in items if isinstance(item, SourcedTree)]
    assert [(one.tree.state, one.paths) for one in found] == [
        ("a" * 40, ["catalog-info.yaml"]),
        ("a" * 40, ["services/a/catalog-info.yaml"]),
    ]
    assert items[-1] == SourceEnd()


def test_a_file_is_read_at_its_commit(source: AzureSource, organisation: Organisation) -> None:
    from taxiway.plugins.azure.client import Client

    client = Client(source.options.model_validate(options(organisation)), TOKEN)
    first = next(client.repositories())
    assert client.file(first, "a" * 40, "catalog-info.yaml") == FILE
    with pytest.raises(TaxiwayError):
        client.file(first, "a" * 40, "gone.yaml")
    client.close()


def test_what_did_not_move_costs_one_question(source: AzureSource, organisation: Organisation) -> None:
    first = read(source, options(organisation))
    organisation.asked.clear()
    second = read(source, options(organisation), first)
    same = [item.key for item in second if isinstance(item, SourcePart) and item.same]
    assert same == ["r1", "r2", "r4"]
    assert len(organisation.asked) == 4
    organisation.repositories["r1"]["head"] = "b" * 40
    assert len(trees(read(source, options(organisation), first))) == 1
    assert len(trees(read(source, options(organisation, paths=["*.yaml"]), first))) == 2


def test_repositories_are_chosen(source: AzureSource, organisation: Organisation) -> None:
    chosen = read(source, options(organisation, projects=["shop"], exclude=["orders"]))
    assert [item.key for item in chosen if isinstance(item, SourcePart)] == ["r2", "r3"]


def test_one_that_is_broken_is_a_problem(source: AzureSource, organisation: Organisation) -> None:
    organisation.broken = {"r1"}
    items = read(source, options(organisation))
    assert [item.location for item in items if isinstance(item, SourceProblem)] == [
        f"url:{organisation.url}/acme/Shop/_git/orders"
    ]
    assert [item.key for item in items if isinstance(item, SourcePart)] == ["r1", "r2", "r3", "r4"]


def hook(secret: str, body: Any, **more: Any) -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization": "Basic " + base64.b64encode(f"azure:{secret}".encode()).decode()}
    given = {"url": "https://dev.azure.com/acme", "token": "secret://memory/azure", **more}
    return HookRequest("azure", AzureSource.options.model_validate(given), headers, raw)


def test_a_service_hook_names_what_was_pushed_to(source: AzureSource, organisation: Organisation) -> None:
    push = {"eventType": "git.push", "resource": {"repository": {"id": "r1", "name": "orders"}}}
    known = {"webhook_secret": "secret://memory/azure"}
    assert source.receive(hook(TOKEN, push, **known)) == [{"repository": "r1"}]
    for body in ({"eventType": "build.complete"}, b"{", b"[]", {"eventType": "git.push", "resource": 3}):
        assert source.receive(hook(TOKEN, body, **known)) == []
    for request in (hook("wrong", push, **known), hook(TOKEN, push)):
        with pytest.raises(NotAllowedError):
            source.receive(request)
    first = read(source, options(organisation))
    organisation.repositories["r1"]["head"] = "b" * 40
    del organisation.repositories["r2"]
    items = read(source, options(organisation), first, hints=[{"repository": "r1"}, {"repository": "r2"}])
    assert [item.key for item in items if isinstance(item, SourcePart)] == ["r1"]
    assert [item.part for item in items if isinstance(item, SourceGone)] == ["r2"]
    assert items[-1] == SourceEnd(complete=False)


def test_what_is_no_organisation_is_said(source: AzureSource, organisation: Organisation) -> None:
    with pytest.raises(InputError, match="credential"):
        read(source, options(organisation, token="secret://memory/wrong"))
    for body in (b"<html>", b"[]", b'{"value": 1}'):
        with answering(lambda asked, body=body: Said(200, body)) as url, pytest.raises(TaxiwayError):
            read(source, {"url": f"{url}/acme", "token": "secret://memory/azure"})


def test_paths_are_globs() -> None:
    assert fits("catalog-info.yaml", "/catalog-info.yaml")
    assert fits("a/b/catalog-info.yaml", "**/catalog-info.yaml")
    assert fits("catalog-info.yaml", "**/catalog-info.yaml")
    assert not fits("a/catalog-info.yaml", "*.yaml")
