"""A real Gitea as a source of entities; skipped with what would bring one where there is none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from factories.catalog import component
from factories.engines import Gitea
from factories.other_system import Asked, Reply, other_system
from taxiway.model.errors import NotAllowedError
from taxiway.plugin import (
    EntitySource,
    HookRequest,
    RepositorySource,
    SourcedTree,
    SourceEnd,
    SourceGone,
    SourceItem,
    SourcePart,
    SourceRequest,
    UrlReader,
)
from taxiway.plugin.testing import (
    EntitySourceConformance,
    RepositorySourceConformance,
    UrlReaderConformance,
    memory_host,
)
from taxiway.plugins.gitea import contribute
from taxiway.plugins.gitea.settings import GiteaSettings


@dataclass
class Reading:
    """The source with what a host keeps for it."""

    forge: Gitea
    api: httpx.Client
    source: Any
    reader: Any
    parts: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.forge.url.partition("://")[2]

    def options(self, **more: Any) -> dict[str, Any]:
        return {"host": self.host, "org": "acme", "webhook_secret": "env:GITEA_HOOK", **more}

    def read(self, hints: Any = (), **more: Any) -> tuple[list[str], list[SourceItem]]:
        options = self.source.options.model_validate(self.options(**more))
        request = SourceRequest("t", options, hints=hints, part=self.parts.get, parts=lambda: list(self.parts))
        places, found = [], []
        for item in self.source.read(request):
            found.append(item)
            if isinstance(item, SourcedTree):
                assert all(item.tree.read(path).startswith(b"apiVersion") for path in item.paths)
                places.extend(item.tree.location(path) for path in item.paths)
            if isinstance(item, SourcePart) and item.state is not None:
                self.parts[item.key] = item.state
        return places, found

    def commit(self, name: str, path: str, text: str) -> None:
        content = base64.b64encode(text.encode()).decode()
        known = self.api.get(f"/repos/acme/{name}/contents/{path}")
        body = {"content": content, "message": "m", **({"sha": known.json()["sha"]} if known.is_success else {})}
        answer = self.api.request("PUT" if known.is_success else "POST", str(known.url), json=body)
        assert answer.is_success, answer.text


@pytest.fixture(scope="module")
def reading(forge: Gitea, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reading]:
    with forge.client() as api, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITEA_TOKEN", forge.token)
        patch.setenv("GITEA_HOOK", "hook-secret")
        assert api.post("/orgs", json={"username": "acme"}).status_code == 201
        host = {"host": forge.url.partition("://")[2], "scheme": "http", "token": "env:GITEA_TOKEN"}
        context = memory_host(
            tmp_path_factory.mktemp("host"), "gitea", GiteaSettings.model_validate({"hosts": [host]})
        ).context
        made = contribute(context)
        found = Reading(forge, api, made[0][1].made, made[1][1].made)
        for name in ("orders", "stock", "empty"):
            assert api.post("/orgs/acme/repos", json={"name": name, "default_branch": "main"}).status_code == 201
        found.commit("orders", "catalog-info.yaml", component("orders"))
        found.commit("orders", "services/a b/catalog-info.yaml", component("deep"))
        found.commit("stock", "catalog-info.yaml", component("stock"))
        assert api.put("/repos/acme/stock/topics", json={"topics": ["service"]}).is_success
        yield found


def test_an_organisation_is_read_and_only_what_changed_is_read_again(reading: Reading) -> None:
    reading.parts.clear()
    places, found = reading.read()
    web = f"url:{reading.forge.url}/acme"
    assert places == [f"{web}/{name}/src/branch/main/catalog-info.yaml" for name in ("orders", "stock")]
    assert sorted(item.key for item in found if isinstance(item, SourcePart)) == [
        "acme/empty",
        "acme/orders",
        "acme/stock",
    ]
    assert found[-1] == SourceEnd()
    assert reading.read()[0] == []
    reading.commit("stock", "README.md", "beside")
    assert reading.read()[0] == []
    reading.commit("stock", "catalog-info.yaml", component("stock", kind="website"))
    assert len(reading.read()[0]) == 1
    reading.parts.clear()
    deep, _ = reading.read(paths=["**/catalog-info.yaml"], repositories="orders")
    assert [place.partition("/main/")[2] for place in deep] == [
        "catalog-info.yaml",
        "services/a%20b/catalog-info.yaml",
    ]
    assert reading.read(topics=["service"])[1][-1] == SourceEnd()


def test_its_webhooks_are_signed_and_name_the_repository(reading: Reading) -> None:
    received: list[Asked] = []

    def take(asked: Asked) -> Reply:
        # Gitea may only now tell of what was pushed before.
        if b'"full_name":"acme/orders"' in asked.body.replace(b'": ', b'":'):
            received.append(asked)
        return Reply()

    with other_system(take) as listener:
        config = {"url": listener.url, "content_type": "json", "secret": "hook-secret"}
        hook = {"type": "gitea", "active": True, "events": ["push", "repository"], "config": config}
        assert reading.api.post("/orgs/acme/hooks", json=hook).status_code == 201
        reading.commit("orders", "catalog-info.yaml", component("orders", extra="  system: shop\n"))
        _wait_for(received)
    options = reading.source.options.model_validate(reading.options())
    sent = received[0]
    hints = reading.source.receive(HookRequest("t", options, sent.headers, sent.body))
    assert hints == [{"repository": "acme/orders"}]
    places, found = reading.read(hints)
    assert (len(places), found[-1]) == (1, SourceEnd(complete=False))
    with pytest.raises(NotAllowedError):
        reading.source.receive(HookRequest("t", options, sent.headers, sent.body + b" "))
    gone = json.dumps({"action": "deleted", "repository": {"full_name": "acme/gone"}}).encode()
    signature = hmac.new(b"hook-secret", gone, hashlib.sha256).hexdigest()
    headers = {"x-gitea-signature": signature, "x-gitea-event": "repository"}
    hints = reading.source.receive(HookRequest("t", options, headers, gone))
    assert reading.read(hints)[1] == [SourceGone(part="acme/gone"), SourceEnd(complete=False)]


def _wait_for(received: list[Asked]) -> None:
    import time

    deadline = time.monotonic() + 15
    while not received:
        assert time.monotonic() < deadline, "no webhook came"
        time.sleep(0.05)


def test_repositories_are_looked_at_once_and_given_a_descriptor(reading: Reading) -> None:
    reading.commit("stock", "CODEOWNERS", "* @acme/guards")
    options = reading.source.options.model_validate(reading.options())
    kept: dict[str, str] = {}
    source = reading.source.hosting("source:code", options, kept.get)
    found = {one.name: one for one in source.repositories()}
    assert sorted(found) == ["acme/orders", "acme/stock"]
    kept |= {name: one.state for name, one in found.items()}
    facts = source.read(found["acme/stock"], ["CODEOWNERS", "README.md", "no"])
    assert facts.files["CODEOWNERS"] == b"* @acme/guards"
    assert sum(count for _, count in facts.authors) >= 2
    assert {one.name: one.state for one in source.repositories()} == kept
    reading.commit("stock", "README.md", "changed")
    changed = [one.name for one in source.repositories() if kept[one.name] != one.state]
    assert changed == ["acme/stock"]


class TestRepositories(RepositorySourceConformance):
    @pytest.fixture
    def source(self, reading: Reading) -> RepositorySource:
        reading.commit("orders", "README.md", "Takes orders")
        found: RepositorySource = reading.source.hosting(
            "source:code", reading.source.options.model_validate(reading.options()), {}.get
        )
        return found

    @pytest.fixture
    def name(self) -> str:
        return "acme/orders"


class TestSource(EntitySourceConformance):
    @pytest.fixture
    def source(self, reading: Reading) -> EntitySource:
        found: EntitySource = reading.source
        return found

    @pytest.fixture
    def options(self, reading: Reading) -> dict[str, Any]:
        return reading.options()

    @pytest.fixture
    def missing(self, reading: Reading) -> dict[str, Any]:
        return reading.options(org="nobody")


class TestUrls(UrlReaderConformance):
    @pytest.fixture
    def reader(self, reading: Reading) -> UrlReader:
        found: UrlReader = reading.reader
        return found

    @pytest.fixture
    def url(self, reading: Reading) -> str:
        return f"{reading.forge.url}/acme/orders/src/branch/main/catalog-info.yaml"

    @pytest.fixture
    def missing(self, url: str) -> str:
        return url.replace("orders", "nowhere")
