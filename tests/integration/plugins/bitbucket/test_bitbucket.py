"""Both of Bitbucket's APIs in the shapes that Atlassian documents: discovery, heads, trees, files, webhooks."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from pydantic import ValidationError

from factories.outside import Asked, Said, answering
from taxiway.model.errors import NotAllowedError, NotFoundError, TaxiwayError
from taxiway.plugin import HookRequest, SourcedTree, SourceEnd, SourceGone, SourcePart, SourceProblem, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.bitbucket.source import BitbucketSource

TOKEN = "t0ken"
FILE = b"apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {owner: team-a}\n"


@dataclass
class Repositories:
    """What both kinds serve: head and files by slug; `broken` ones answer 500."""

    held: dict[str, tuple[str, dict[str, bytes]]]
    url: str = ""
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def cloud(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, {"type": "error", "error": {"message": "Token is invalid"}})
        base = "/2.0/repositories/acme"
        if asked.path == base:
            start = int(asked.query.get("page", "1"))
            slugs = sorted(self.held)[start - 1 : start + 1]
            following = {"next": f"{self.url}{base}?page={start + 2}"} if start + 2 <= len(self.held) else {}
            return Said(200, {"pagelen": 2, "values": [self._of_cloud(slug) for slug in slugs], **following})
        slug, _, what = asked.path.removeprefix(f"{base}/").partition("/")
        if slug in self.broken:
            return Said(500)
        head, files = self.held[slug]
        if what == "refs/branches/main":
            return Said(200, {"name": "main", "target": {"hash": head}}) if head else Said(404)
        path = what.removeprefix(f"src/{head}/")
        if not path:
            return Said(200, {"values": [{"path": one} for one in files]})
        return Said(200, files[path]) if path in files else Said(404, {"type": "error"})

    def _of_cloud(self, slug: str) -> dict[str, Any]:
        main = {"type": "branch", "name": "main"} if self.held[slug][0] else None
        return {"slug": slug, "full_name": f"acme/{slug}", "mainbranch": main, "project": {"key": "SHOP"}}

    def data_center(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, {"errors": [{"message": "Authentication failed"}]})
        path = asked.path.removeprefix("/rest/api/1.0/")
        start = int(asked.query.get("start", "0"))
        if path == "repos":
            slugs = sorted(self.held)
            more = {"archived": True}
            values = [
                {"slug": slug, "project": {"key": "SHOP"}, **(more if slug == "old" else {})}
                for slug in slugs[start : start + 2]
            ]
            return Said(200, self._page(values, start + 2 if start + 2 < len(slugs) else None))
        slug, _, what = path.removeprefix("projects/SHOP/repos/").partition("/")
        if slug in self.broken:
            return Said(500, {"errors": []})
        head, files = self.held[slug]
        if what == "default-branch":
            return Said(200, {"id": "refs/heads/main", "displayId": "main"}) if head else Said(204)
        if what == "branches":
            branches = [("main", head), ("main-old", "0" * 40)]
            values = [{"id": f"refs/heads/{name}", "latestCommit": commit} for name, commit in branches]
            return Said(200, self._page(values, None))
        assert asked.query["at"] == head
        if what == "files":
            return Said(200, self._page(list(files)[start : start + 1], start + 1 if start + 1 < len(files) else None))
        found = files.get(what.removeprefix("raw/"))
        return Said(404, {"errors": []}) if found is None else Said(200, found)

    def _page(self, values: list[Any], following: int | None) -> dict[str, Any]:
        more = {"isLastPage": True} if following is None else {"isLastPage": False, "nextPageStart": following}
        return {"values": values, "size": len(values), **more}


@pytest.fixture(params=["cloud", "data_center"])
def forge(request: pytest.FixtureRequest) -> Iterator[tuple[Repositories, dict[str, Any]]]:
    held = Repositories(
        {
            "orders": ("a" * 40, {"catalog-info.yaml": FILE}),
            "docs": ("a" * 40, {"README.md": b"x", "docs/catalog-info.yaml": FILE}),
            "empty": ("", {}),
        }
    )
    with answering(getattr(held, request.param)) as held.url:
        given: dict[str, Any] = {"token": "secret://memory/token"}
        given |= {"workspace": "acme", "cloud_api": held.url} if request.param == "cloud" else {"url": held.url}
        yield held, given


@pytest.fixture
def source() -> BitbucketSource:
    secrets = MemorySecrets()
    secrets.put("token", TOKEN)
    secrets.put("wrong", "x")
    return BitbucketSource(secrets)


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, forge: tuple[Repositories, dict[str, Any]]) -> dict[str, Any]:
        return forge[1]

    @pytest.fixture
    def missing(self, forge: tuple[Repositories, dict[str, Any]]) -> dict[str, Any]:
        return {**forge[1], "token": "secret://memory/wrong"}


def read(source: BitbucketSource, given: dict[str, Any], before: list[Any] | None = None, **more: Any) -> list[Any]:
    states = {item.key: item.state for item in before or [] if isinstance(item, SourcePart)}
    request = SourceRequest("bitbucket", source.options.model_validate(given))
    return list(source.read(replace(request, part=states.get, parts=lambda: list(states), **more)))


def found(items: list[Any]) -> list[str]:
    return [path for item in items if isinstance(item, SourcedTree) for path in item.paths]


def test_descriptors_are_found_and_read(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    _, given = forge
    items = read(source, {**given, "paths": ["**/catalog-info.yaml"]})
    assert sorted(found(items)) == ["catalog-info.yaml", "docs/catalog-info.yaml"]
    assert len([item for item in items if isinstance(item, SourcePart)]) == 3
    assert items[-1] == SourceEnd()


def test_a_file_is_read_at_its_commit(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    from taxiway.plugins.bitbucket.client import client_of

    _, given = forge
    client = client_of(source.options.model_validate(given), TOKEN)
    orders = next(one for one in client.repositories() if one.slug == "orders")
    assert client.file(orders, "a" * 40, "catalog-info.yaml") == FILE
    assert client.place(orders, "main", "catalog-info.yaml").startswith("http")
    with pytest.raises(NotFoundError):
        client.file(orders, "a" * 40, "gone.yaml")
    client.close()


def test_what_did_not_move_is_not_read(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    held, given = forge
    first = read(source, given)
    held.asked.clear()
    second = read(source, given, first)
    assert [item.same for item in second if isinstance(item, SourcePart)].count(True) == 2
    assert not [path for path in held.asked if "/src/" in path or path.endswith("/files")]
    held.held["docs"] = ("b" * 40, {"catalog-info.yaml": FILE})
    assert found(read(source, given, first)) == ["catalog-info.yaml"]


def test_repositories_are_chosen(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    _, given = forge
    items = read(source, {**given, "projects": ["shop"], "repositories": ["o*", "d*"], "exclude": ["docs"]})
    assert [item.key.partition("/")[2] for item in items if isinstance(item, SourcePart)] == ["orders"]
    assert not read(source, {**given, "projects": ["x"]})[:-1]


def test_one_that_is_broken_is_a_problem(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    held, given = forge
    held.broken = {"docs"}
    items = read(source, given)
    assert len([item for item in items if isinstance(item, SourceProblem)]) == 1
    assert found(items) == ["catalog-info.yaml"]


def hook(body: Any, secret: str = TOKEN, event: str = "repo:push", **more: Any) -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
    given = {"workspace": "acme", "token": "secret://memory/token", **more}
    headers = {"x-hub-signature": signature, "x-event-key": event}
    return HookRequest("bitbucket", BitbucketSource.options.model_validate(given), headers, raw)


def test_a_webhook_names_what_was_pushed_to(source: BitbucketSource) -> None:
    known = {"webhook_secret": "secret://memory/token"}
    cloud = {"repository": {"full_name": "acme/orders"}, "push": {"changes": []}}
    own = {"eventKey": "repo:refs_changed", "repository": {"slug": "orders", "project": {"key": "SHOP"}}}
    assert source.receive(hook(cloud, **known)) == [{"repository": "acme/orders"}]
    assert source.receive(hook(own, event="repo:refs_changed", **known)) == [{"repository": "SHOP/orders"}]
    assert source.receive(hook(cloud, event="diagnostics:ping", **known)) == []
    for body in (b"{", b"[]", {}, {"repository": 7}):
        assert source.receive(hook(body, **known)) == []
    for request in (hook(cloud, secret="x", **known), hook(cloud)):
        with pytest.raises(NotAllowedError):
            source.receive(request)


def test_hints_read_only_what_they_name(source: BitbucketSource, forge: tuple[Repositories, dict[str, Any]]) -> None:
    held, given = forge
    first = read(source, given)
    keys = [item.key for item in first if isinstance(item, SourcePart)]
    held.held["orders"] = ("b" * 40, {"catalog-info.yaml": FILE})
    gone = next(key for key in keys if key.endswith("/docs"))
    del held.held["docs"]
    moved = next(key for key in keys if key.endswith("/orders"))
    items = read(source, given, first, hints=[{"repository": moved}, {"repository": gone}])
    assert [item.key for item in items if isinstance(item, SourcePart)] == [moved]
    assert [item.part for item in items if isinstance(item, SourceGone)] == [gone]
    assert items[-1] == SourceEnd(complete=False)


def test_archived_repositories_are_left_out(source: BitbucketSource) -> None:
    held = Repositories({"old": ("a" * 40, {"catalog-info.yaml": FILE}), "new": ("a" * 40, {})})
    with answering(held.data_center) as url:
        given = {"url": url, "token": "secret://memory/token"}
        assert not found(read(source, given))
        assert found(read(source, {**given, "archived": True})) == ["catalog-info.yaml"]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"values": 1}', b"{}"])
def test_what_is_no_bitbucket_is_said(source: BitbucketSource, body: bytes) -> None:
    with answering(lambda asked: Said(200, body)) as url:
        for given in ({"url": url}, {"workspace": "acme", "cloud_api": url}):
            with pytest.raises(TaxiwayError):
                read(source, {"token": "secret://memory/token", **given})


def test_one_kind_is_named() -> None:
    for given in ({}, {"url": "https://x", "workspace": "acme"}):
        with pytest.raises(ValidationError):
            BitbucketSource.options.model_validate({"token": "env:X", **given})
