"""Descriptions behind HTTP: read once, asked for again by entity tag, and one that is down takes nothing along."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from factories.outside import Asked, Said, answering
from taxiway.plugin import SourcedEntity, SourceEnd, SourcePart, SourceProblem, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.api_descriptions.source import ApiSource

ORDERS = b'{"openapi": "3.0.3", "info": {"title": "Orders API", "version": "2.1", "description": "Takes orders."}}'


@dataclass
class Service:
    """Serves /orders (with an entity tag) and /events (without); `down` ones answer 503."""

    down: set[str] = field(default_factory=set)
    orders: bytes = ORDERS
    sent: list[tuple[str, int]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Said:
        said = self._answer(asked)
        self.sent.append((asked.path, said.status))
        return said

    def _answer(self, asked: Asked) -> Said:
        if asked.headers.get("x-api-key") != "s3cret":
            return Said(401)
        if asked.path in self.down:
            return Said(503)
        if asked.path == "/orders":
            tag = f'"{len(self.orders)}"'
            return Said(304) if asked.headers.get("if-none-match") == tag else Said(200, self.orders, {"etag": tag})
        if asked.path == "/events":
            return Said(200, b"asyncapi: 3.0.0\ninfo: {title: Events, version: 1}\n")
        return Said(200, b"type Query { a: Int }") if asked.path == "/graph" else Said(404)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with answering(service.answer) as address:
        yield address


@pytest.fixture
def source() -> ApiSource:
    secrets = MemorySecrets()
    secrets.put("key", "s3cret")
    return ApiSource(secrets)


def options(url: str, *paths: str, **more: Any) -> dict[str, Any]:
    apis = [{"url": f"{url}{path}"} for path in paths or ("/orders", "/events")]
    return {"apis": apis, "owner": "team-a", "token": "secret://memory/key", "header": "x-api-key", **more}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, url: str) -> dict[str, Any]:
        return options(url)

    @pytest.fixture
    def missing(self, url: str) -> dict[str, Any]:
        return options(url, "/nothing")


def read(source: ApiSource, given: dict[str, Any], before: list[Any] | None = None) -> list[Any]:
    states = {item.key: item.state for item in before or [] if isinstance(item, SourcePart)}
    request = SourceRequest("apis", source.options.model_validate(given))
    return list(source.read(replace(request, part=states.get)))


def names(items: list[Any]) -> list[str]:
    return [str(item.document["metadata"]["name"]) for item in items if isinstance(item, SourcedEntity)]


def test_descriptions_become_apis(source: ApiSource, url: str) -> None:
    apis = [{"url": f"{url}/graph", "type": "graphql", "name": "graph", "owner": "team-b", "system": "shop"}]
    items = read(source, options(url))
    found = {item.document["metadata"]["name"]: item.document for item in items if isinstance(item, SourcedEntity)}
    assert found["Orders-API"]["spec"] == {
        "type": "openapi",
        "lifecycle": "production",
        "owner": "team-a",
        "definition": ORDERS.decode(),
    }
    assert found["Orders-API"]["metadata"]["description"] == "Takes orders."
    assert found["Events"]["spec"]["type"] == "asyncapi"
    graph = next(item.document for item in read(source, options(url, apis=apis)) if isinstance(item, SourcedEntity))
    assert (graph["metadata"], graph["spec"]["type"]) == ({"name": "graph"}, "graphql")
    assert (graph["spec"]["owner"], graph["spec"]["system"]) == ("team-b", "shop")


def test_only_what_changed_is_read_again(source: ApiSource, url: str, service: Service) -> None:
    first = read(source, options(url))
    service.sent.clear()
    second = read(source, options(url), first)
    assert [item.same for item in second if isinstance(item, SourcePart)] == [True, True]
    assert ("/orders", 304) in service.sent
    service.orders = ORDERS.replace(b"Takes orders.", b"Takes all orders.")
    assert names(read(source, options(url), first)) == ["Orders-API"]
    assert len(names(read(source, options(url, owner="team-c"), first))) == 2


def test_one_that_is_down_takes_nothing_along(source: ApiSource, url: str, service: Service) -> None:
    service.down = {"/orders"}
    service.orders = b"<html>"
    items = read(source, options(url, "/orders", "/events", "/nothing"))
    problems = [item.location for item in items if isinstance(item, SourceProblem)]
    assert problems == [f"url:{url}/orders", f"url:{url}/nothing"]
    assert names(items) == ["Events"]
    assert items[-1] == SourceEnd()


@pytest.mark.parametrize(
    "body", [b"<html>", b"\xff", b'{"openapi": "3.0.0"}', b'{"info": {"title": "x"}}', b"x" * 2000]
)
def test_what_is_no_description_is_a_problem(source: ApiSource, url: str, service: Service, body: bytes) -> None:
    service.orders = body
    items = read(source, options(url, "/orders", most_bytes=1000))
    assert [item.location for item in items if isinstance(item, SourceProblem)] == [f"url:{url}/orders"]
    assert not names(items)
