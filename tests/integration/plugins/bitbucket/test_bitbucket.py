"""Both of Bitbucket's APIs in the shapes that Atlassian documents: discovery, heads, trees, files, webhooks, URLs."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from factories.described import Described
from factories.outside import Asked, Said, answering
from taxiway.model.errors import InputError, NotAllowedError, TaxiwayError
from taxiway.plugin import HookRequest, RepositorySource, SourcedTree, SourceEnd, SourceGone, SourcePart, SourceRequest
from taxiway.plugin.testing import (
    EntitySourceConformance,
    RepositorySourceConformance,
    UrlReaderConformance,
    memory_host,
)
from taxiway.plugins.bitbucket import PLUGIN
from taxiway.plugins.bitbucket.repositories import BitbucketSource
from taxiway.plugins.bitbucket.settings import BitbucketSettings
from taxiway.plugins.bitbucket.urls import BitbucketUrls

TOKEN = "t0ken"
DESCRIPTIONS = {
    "cloud": lambda: Described("bitbucket-cloud", "/2.0"),
    "data_center": lambda: Described("bitbucket-data-center", "/rest"),
}
FILE = b"apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: shop}\nspec: {owner: team-a}\n"


@dataclass
class Repositories:
    """What both kinds serve: head and files by slug; `broken` ones answer 500."""

    held: dict[str, tuple[str, dict[str, bytes]]]
    url: str = ""
    broken: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    branches: dict[str, str] = field(default_factory=dict)
    pulls: list[dict[str, Any]] = field(default_factory=list)

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
        if slug not in self.held or not asked.path.startswith(base):
            return Said(404, {"type": "error", "error": {"message": "Repository not found"}})
        head, files = self.held[slug]
        if (said := self._cloud_proposing(what, head, asked)) is not None:
            return said
        if not what:
            return Said(200, self._of_cloud(slug))
        if what == "refs/branches/main":
            return Said(200, {"name": "main", "target": {"hash": head}}) if head else Said(404)
        path = what.removeprefix(f"src/{head}/").removeprefix("src/main/")
        if not path:
            return Said(200, {"values": [{"path": one} for one in files]})
        return Said(200, files[path]) if path in files else Said(404, {"type": "error"})

    def _cloud_proposing(self, what: str, head: str, asked: Asked) -> Said | None:
        if what == "commits/main":
            return Said(200, {"values": [{"hash": head, "author": {"raw": "Gil <gil@example.org>"}}]})
        if what.startswith("refs/branches/taxiway"):
            return Said(200, {"name": what}) if what.rpartition("/")[2] in self.branches else Said(404)
        if what == "src" and asked.method == "POST":
            assert asked.headers["content-type"].startswith("multipart/form-data")
            form = asked.body.decode()
            assert f'name="parents"\r\n\r\n{head}' in form
            assert 'name="/proposed.yaml"\r\n\r\na: 1' in form
            self.branches[form.partition('name="branch"\r\n\r\n')[2].split("\r\n")[0]] = form
            return Said(201)
        if what == "pullrequests" and asked.method == "POST":
            body = json.loads(asked.body)
            assert body["source"]["branch"]["name"] in self.branches
            links = {"html": {"href": f"{self.url}/pull-requests/1"}}
            self.pulls.append({"id": 1, "links": links, **body})
            return Said(201, self.pulls[-1])
        if what == "pullrequests":
            found = [one for one in self.pulls if f'"{one["source"]["branch"]["name"]}"' in asked.query["q"]]
            return Said(200, {"values": found})
        return None

    def _own_proposing(self, what: str, head: str, asked: Asked) -> Said | None:
        if what == "commits":
            assert asked.query["until"] == "refs/heads/main"
            return Said(200, self._page([{"id": head, "author": {"emailAddress": "gil@example.org"}}], None))
        if what == "branches" and asked.query["filterText"].startswith("taxiway"):
            return Said(
                200, self._page([{"id": f"refs/heads/{name}", "latestCommit": head} for name in self.branches], None)
            )
        if what == "browse/proposed.yaml" and asked.method == "PUT":
            form = asked.body.decode()
            assert 'name="sourceBranch"\r\n\r\nmain' in form
            self.branches[form.partition('name="branch"\r\n\r\n')[2].split("\r\n")[0]] = form
            return Said(200, {"id": "b" * 40})
        if what == "pull-requests" and asked.method == "POST":
            body = json.loads(asked.body)
            assert body["fromRef"]["id"].removeprefix("refs/heads/") in self.branches
            self.pulls.append({"id": 1, "links": {"self": [{"href": f"{self.url}/pull-requests/1"}]}, **body})
            return Said(201, self.pulls[-1])
        if what == "pull-requests":
            found = [one for one in self.pulls if one["fromRef"]["id"] == asked.query["at"]]
            return Said(200, self._page(found, None))
        return None

    def _of_cloud(self, slug: str) -> dict[str, Any]:
        main = {"type": "branch", "name": "main"} if self.held[slug][0] else None
        return {"full_name": f"acme/{slug}", "mainbranch": main, "project": {"key": "SHOP"}}

    def data_center(self, asked: Asked) -> Said:
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Said(401, {"errors": [{"message": "Authentication failed"}]})
        path = asked.path.removeprefix("/rest/api/1.0/")
        start = int(asked.query.get("start", "0"))
        if path == "projects/SHOP/repos":
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
        if slug not in self.held or not path.startswith("projects/SHOP/"):
            return Said(404, {"errors": [{"message": "Repository does not exist."}]})
        head, files = self.held[slug]
        if (said := self._own_proposing(what, head, asked)) is not None:
            return said
        if not what:
            return Said(200, {"slug": slug, "project": {"key": "SHOP"}})
        if what == "default-branch":
            return Said(200, {"id": "refs/heads/main", "displayId": "main"}) if head else Said(204)
        if what == "branches":
            branches = [("main", head), ("main-old", "0" * 40)]
            values = [{"id": f"refs/heads/{name}", "latestCommit": commit} for name, commit in branches]
            return Said(200, self._page(values, None))
        assert asked.query.get("at", head) in (head, "refs/heads/main")
        if what == "files":
            return Said(200, self._page(list(files)[start : start + 1], start + 1 if start + 1 < len(files) else None))
        found = files.get(what.removeprefix("raw/"))
        return Said(404, {"errors": []}) if found is None else Said(200, found)

    def _page(self, values: list[Any], following: int | None) -> dict[str, Any]:
        more = {"isLastPage": True} if following is None else {"isLastPage": False, "nextPageStart": following}
        return {"values": values, "size": len(values), **more}


def configured(url: str, kind: str, folder: Path, token: str = TOKEN) -> tuple[dict[str, Any], str]:
    """The plugin's contributions, and the name of its host."""
    made = memory_host(folder, "bitbucket")
    made.context.secrets.put("token", token)
    host = url.partition("://")[2]
    settings: dict[str, Any] = {"host": host, "scheme": "http", "token": "secret://memory/token"}
    if kind == "cloud":
        settings |= {"cloud": True, "api_url": f"{url}/2.0"}
    ctx = replace(made.context, settings=BitbucketSettings.model_validate({"hosts": [settings]}))
    return {point: later.made for point, later in PLUGIN.contribute(ctx)}, host


@dataclass
class Setup:
    """One of both kinds with the plugin on it."""

    held: Repositories
    parts: dict[str, Any]
    options: dict[str, Any]
    kind: str

    @property
    def source(self) -> BitbucketSource:
        found: BitbucketSource = self.parts["entity_source"]
        return found

    def read(self, before: list[Any] | None = None, hints: Any = (), **more: Any) -> list[Any]:
        states = {item.key: item.state for item in before or [] if isinstance(item, SourcePart)}
        request = SourceRequest("bitbucket", self.source.options.model_validate({**self.options, **more}))
        found = self.source.read(replace(request, part=states.get, parts=lambda: list(states), hints=hints))
        items = []
        for item in found:
            items.append(item)
            if isinstance(item, SourcedTree):
                assert [item.tree.read(path) for path in item.paths], "the host reads files while they are yielded"
        return items


@pytest.fixture(params=["cloud", "data_center"])
def setup(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Setup]:
    held = Repositories(
        {
            "orders": ("a" * 40, {"catalog-info.yaml": FILE}),
            "docs": ("a" * 40, {"README.md": b"x", "docs/catalog-info.yaml": FILE}),
            "empty": ("", {}),
        }
    )
    with answering(getattr(held, request.param), api=DESCRIPTIONS[request.param]()) as held.url:
        parts, host = configured(held.url, request.param, tmp_path)
        workspace = "acme" if request.param == "cloud" else "SHOP"
        yield Setup(held, parts, {"host": host, "workspace": workspace}, request.param)


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def source(self, setup: Setup) -> BitbucketSource:
        return setup.source

    @pytest.fixture
    def options(self, setup: Setup) -> dict[str, Any]:
        return setup.options

    @pytest.fixture
    def missing(self, setup: Setup) -> dict[str, Any]:
        return {**setup.options, "workspace": "other"}


class TestOnboarding(RepositorySourceConformance):
    @pytest.fixture
    def source(self, setup: Setup) -> RepositorySource:
        chosen = setup.source.options.model_validate(setup.options)
        return setup.source.hosting("source:code", chosen, {}.get)

    @pytest.fixture
    def name(self, setup: Setup) -> str:
        return f"{setup.options['workspace']}/docs"


class TestUrls(UrlReaderConformance):
    @pytest.fixture
    def reader(self, setup: Setup) -> BitbucketUrls:
        found: BitbucketUrls = setup.parts["url_reader"]
        return found

    @pytest.fixture
    def url(self, setup: Setup) -> str:
        if setup.kind == "cloud":
            return f"{setup.held.url}/acme/orders/src/main/catalog-info.yaml"
        return f"{setup.held.url}/projects/SHOP/repos/orders/browse/catalog-info.yaml?at=refs%2Fheads%2Fmain"

    @pytest.fixture
    def missing(self, url: str) -> str:
        return url.replace("catalog-info", "gone")

    def test_what_names_no_file_is_said(self, reader: BitbucketUrls, url: str, setup: Setup) -> None:
        for wrong in (setup.held.url, f"{setup.held.url}/acme/orders", url.replace("catalog-info", "*")):
            with pytest.raises(InputError):
                reader.open(wrong)


def places(items: list[Any]) -> list[str]:
    return [item.tree.location(path) for item in items if isinstance(item, SourcedTree) for path in item.paths]


def test_descriptors_are_found_and_read(setup: Setup) -> None:
    items = setup.read(paths=["**/catalog-info.yaml"])
    found = sorted(places(items))
    assert len(found) == 2
    url = setup.held.url
    assert found[1] == (
        f"url:{url}/acme/orders/src/main/catalog-info.yaml"
        if setup.kind == "cloud"
        else f"url:{url}/projects/SHOP/repos/orders/browse/catalog-info.yaml?at=refs%2Fheads%2Fmain"
    )
    assert len([item for item in items if isinstance(item, SourcePart)]) == 3
    assert items[-1] == SourceEnd()
    reader: BitbucketUrls = setup.parts["url_reader"]
    tree, path = reader.open(found[1].removeprefix("url:"))
    assert tree.location(path) == found[1], "a file's place is an address that it can be read by"


def test_what_did_not_move_is_not_read(setup: Setup) -> None:
    first = setup.read()
    setup.held.asked.clear()
    second = setup.read(first)
    assert [item.same for item in second if isinstance(item, SourcePart)].count(True) == 2
    assert not [path for path in setup.held.asked if "/src/" in path or path.endswith("/files")]
    setup.held.held["docs"] = ("b" * 40, {"catalog-info.yaml": FILE})
    assert len(places(setup.read(first))) == 1


def test_repositories_are_chosen(setup: Setup) -> None:
    items = setup.read(repositories="[od].*", exclude="docs")
    assert [item.key.partition("/")[2] for item in items if isinstance(item, SourcePart)] == ["orders"]


def test_one_that_is_broken_ends_the_reading(setup: Setup) -> None:
    setup.held.broken = {"orders"}
    with pytest.raises(TaxiwayError):
        setup.read()


def hook(body: Any, secret: str = TOKEN, event: str = "repo:push", **more: Any) -> HookRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = "sha256=" + hmac.digest(secret.encode(), raw, "sha256").hex()
    given = {"workspace": "acme", **more}
    headers = {"x-hub-signature": signature, "x-event-key": event}
    return HookRequest("bitbucket", BitbucketSource.options.model_validate(given), headers, raw)


def test_a_webhook_names_what_was_pushed_to(setup: Setup) -> None:
    known = {"webhook_secret": "secret://memory/token"}
    changes = [{"new": {"type": "branch", "name": "main"}, "old": None}]
    cloud = {"repository": {"full_name": "acme/orders"}, "push": {"changes": changes}}
    own = {
        "eventKey": "repo:refs_changed",
        "repository": {"slug": "orders", "project": {"key": "SHOP"}},
        "changes": [{"ref": {"id": "refs/heads/main", "displayId": "main"}}],
    }
    receive = setup.source.receive
    assert receive(hook(cloud, **known)) == [{"repository": "acme/orders"}]
    assert receive(hook(own, event="repo:refs_changed", workspace="SHOP", **known)) == [{"repository": "SHOP/orders"}]
    assert receive(hook(cloud, branch="main", **known)) == [{"repository": "acme/orders"}]
    assert receive(hook(cloud, branch="other", **known)) == []
    assert receive(hook(cloud, event="diagnostics:ping", **known)) == []
    for body in ({}, {"repository": 7}, {"repository": {"full_name": "evil/x"}}, {"repository": {"project": 1}}):
        assert receive(hook(body, **known)) == []
    for request in (hook(cloud, secret="x", **known), hook(cloud)):
        with pytest.raises(NotAllowedError):
            receive(request)


def test_hints_read_only_what_they_name(setup: Setup) -> None:
    first = setup.read()
    workspace = setup.options["workspace"]
    setup.held.held["orders"] = ("b" * 40, {"catalog-info.yaml": FILE})
    del setup.held.held["docs"]
    hints = [{"repository": f"{workspace}/{name}"} for name in ("orders", "docs")] + [{"repository": "evil/x"}]
    items = setup.read(first, hints=hints)
    assert [item.key for item in items if isinstance(item, SourcePart)] == [f"{workspace}/orders"]
    assert [item.part for item in items if isinstance(item, SourceGone)] == [f"{workspace}/docs", "evil/x"]
    assert items[-1] == SourceEnd(complete=False)


def test_archived_repositories_are_left_out(tmp_path: Path) -> None:
    held = Repositories({"old": ("a" * 40, {"catalog-info.yaml": FILE}), "new": ("a" * 40, {})})
    with answering(held.data_center, api=DESCRIPTIONS["data_center"]()) as url:
        parts, host = configured(url, "data_center", tmp_path)
        setup = Setup(held, parts, {"host": host, "workspace": "SHOP"}, "data_center")
        assert not places(setup.read())
        assert len(places(setup.read(archived=True))) == 1


@pytest.mark.parametrize("kind", ["cloud", "data_center"])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"values": 1}', b"{}"])
def test_what_is_no_bitbucket_is_said(tmp_path: Path, body: bytes, kind: str) -> None:
    with answering(lambda asked: Said(200, body)) as url:
        parts, host = configured(url, kind, tmp_path)
        with pytest.raises(TaxiwayError):
            Setup(Repositories({}), parts, {"host": host, "workspace": "acme"}, kind).read()


def test_a_token_that_is_refused_is_said(setup: Setup, tmp_path: Path) -> None:
    parts, host = configured(setup.held.url, setup.kind, tmp_path / "other", token="wrong")
    with pytest.raises(InputError, match="credential"):
        Setup(setup.held, parts, {"host": host, "workspace": setup.options["workspace"]}, setup.kind).read()
