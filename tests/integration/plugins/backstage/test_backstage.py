"""A running Backstage's API, in the shape of its published description: pages, what its server adds, faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from factories.outside import Asked, Said, answering
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError, UnavailableError
from taxiway.plugin import SourcedEntity, SourceEnd, SourcePart, SourceProblem, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.backstage.source import BackstageSource

TOKEN = "t0ken"


def entity(kind: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {
            "namespace": "default",
            "name": name,
            "uid": f"uid-{name}",
            "etag": "abc",
            "annotations": {
                "backstage.io/managed-by-location": "url:https://git.example/x/catalog-info.yaml",
                "backstage.io/orphan": "true",
                "example.com/kept": "yes",
            },
        },
        "spec": {"type": "service", "owner": "team-a", "lifecycle": "production"},
        "relations": [{"type": "ownedBy", "targetRef": "group:default/team-a"}],
        "status": {"items": []},
    }


ENTITIES = [
    entity("Component", "orders"),
    entity("Location", "generated-1"),
    entity("API", "orders-api"),
    entity("Component", "web"),
]


def backstage(asked: Asked) -> Said:
    if asked.headers.get("authorization") != f"Bearer {TOKEN}":
        return Said(401, {"error": {"name": "AuthenticationError", "message": "Missing credentials"}})
    if asked.path != "/api/catalog/entities/by-query":
        return Said(404, {"error": {"name": "NotFoundError", "message": "Not found"}})
    start = int(asked.query.get("cursor", "0"))
    asked_for = [one for one in ENTITIES if asked.query.get("filter") in (None, f"kind={one['kind'].lower()}")]
    paging = {"nextCursor": str(start + 2)} if start + 2 < len(asked_for) else {}
    return Said(200, {"items": asked_for[start : start + 2], "totalItems": len(asked_for), "pageInfo": paging})


@pytest.fixture
def url() -> Iterator[str]:
    with answering(backstage) as address:
        yield address


@pytest.fixture
def source() -> BackstageSource:
    secrets = MemorySecrets()
    secrets.put("backstage", TOKEN)
    return BackstageSource(secrets)


def options(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "token": "secret://memory/backstage", **more}


def read(source: BackstageSource, given: dict[str, Any]) -> list[Any]:
    return list(source.read(SourceRequest("old-portal", source.options.model_validate(given))))


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, url: str) -> dict[str, Any]:
        return options(url)

    @pytest.fixture
    def missing(self, url: str) -> dict[str, Any]:
        return {"url": f"{url}/elsewhere", "token": "secret://memory/backstage"}


def test_entities_are_carried_over_as_they_were_written(source: BackstageSource, url: str) -> None:
    items = read(source, options(url))
    found = [item for item in items if isinstance(item, SourcedEntity)]
    assert [item.document["metadata"]["name"] for item in found] == ["orders", "orders-api", "web"]
    assert found[0].document == {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {
            "namespace": "default",
            "name": "orders",
            "annotations": {
                "taxiway.dev/imported-location": "url:https://git.example/x/catalog-info.yaml",
                "example.com/kept": "yes",
            },
        },
        "spec": {"type": "service", "owner": "team-a", "lifecycle": "production"},
    }
    assert found[0].location == f"url:{url}/api/catalog/entities/by-name/Component/default/orders"
    assert not found[0].vouched, "what others wrote is judged by the source's own trust"
    assert items[-1] == SourceEnd()
    pages = [item.key for item in items if isinstance(item, SourcePart)]
    assert pages == ["page-0", "page-1"], "so many are taken in at once, not all"


def test_filters_are_the_other_catalogs_own(source: BackstageSource, url: str) -> None:
    items = read(source, options(url, filters=["kind=api"]))
    assert [item.document["kind"] for item in items if isinstance(item, SourcedEntity)] == ["API"]


def test_what_goes_wrong_is_said(source: BackstageSource, url: str) -> None:
    with pytest.raises(InputError):
        read(source, {"url": url})
    with pytest.raises(NotFoundError, match="without /api"):
        read(source, options(f"{url}/api"))
    cases: list[tuple[Any, type[TaxiwayError]]] = [
        (b"<html>", UnavailableError),
        ([], UnavailableError),
        ({"items": 3}, UnavailableError),
        ({"items": [], "pageInfo": {"nextCursor": "again"}}, UnavailableError),
    ]
    for body, error in cases:
        with answering(lambda asked, body=body: Said(200, body)) as address, pytest.raises(error):
            read(source, options(address))


def test_what_is_no_entity_is_a_problem_and_the_rest_is_read(source: BackstageSource) -> None:
    items = [7, {"kind": "Component"}, {"kind": "Component", "metadata": {"annotations": 3}}]
    with answering(lambda asked: Said(200, {"items": items})) as address:
        found = read(source, options(address))
    assert sum(isinstance(item, SourceProblem) for item in found) == 2
    assert sum(isinstance(item, SourcedEntity) for item in found) == 1
