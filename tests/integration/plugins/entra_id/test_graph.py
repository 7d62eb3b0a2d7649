"""A tenant behind HTTP, in the shapes that Microsoft documents for delta queries: pages, changes, tokens, faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from factories.outside import Asked, Said, answering
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError, UnavailableError
from taxiway.plugin import SourcedEntity, SourceEnd, SourcePart, SourceRequest
from taxiway.plugin.testing import EntitySourceConformance, MemorySecrets
from taxiway.plugins.entra_id.source import EntraSource

SECRET = "s3cret"


@dataclass
class Tenant:
    """Answers as Graph does. `changes` is what the next delta says; `status` spoils every answer of Graph."""

    url: str = ""
    changes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    expire: int = 0
    status: int = 200
    body: bytes | None = None

    def answer(self, asked: Asked) -> tuple[int, Any]:
        kind, query = asked.path.split("/")[2], asked.query
        self.asked.append(asked.path)
        if asked.headers.get("authorization") != f"Bearer token-{self.expire}":
            return 401, {"error": {"code": "InvalidAuthenticationToken"}}
        if self.status != 200:
            return self.status, {"error": {"code": "syncStateNotFound"}}
        here = f"{self.url}/v1.0/{kind}/delta"
        if "$deltatoken" in query:
            return 200, {"value": self.changes.get(kind, []), "@odata.deltaLink": f"{here}?$deltatoken=next"}
        if kind == "groups":
            members = [{"@odata.type": "#microsoft.graph.user", "id": "u0"}]
            group = {"id": "g", "displayName": "Engines", "securityEnabled": True, "members@delta": members}
            return 200, {"value": [group], "@odata.deltaLink": f"{here}?$deltatoken=first"}
        page = int(query.get("$skiptoken", "0"))
        value = [{"id": f"u{page}", "userPrincipalName": f"u{page}@x.example", "mail": f"u{page}@x.example"}]
        more = {"@odata.nextLink": f"{here}?$skiptoken={page + 1}"} if page < 2 else {}
        return 200, {"value": value, **(more or {"@odata.deltaLink": f"{here}?$deltatoken=first"})}


@pytest.fixture
def tenant() -> Iterator[Tenant]:
    held = Tenant()

    def answer(asked: Asked) -> Said:
        if asked.method == "POST":
            said = parse_qs(asked.body.decode())
            if said["client_secret"] != [SECRET] or asked.path != "/t/oauth2/v2.0/token":
                return Said(401, {"error": "invalid_client"})
            return Said(200, held.body or {"access_token": f"token-{held.expire}"})
        status, value = held.answer(asked)
        return Said(status, value if held.body is None else held.body)

    with answering(answer) as held.url:
        yield held


@pytest.fixture
def source(tmp_path: Path) -> EntraSource:
    secrets = MemorySecrets()
    secrets.put("entra", SECRET)
    secrets.put("wrong", "wrong")
    return EntraSource(secrets, tmp_path)


def options(tenant: Tenant, **more: Any) -> dict[str, Any]:
    where = {"graph_url": tenant.url, "login_url": tenant.url}
    return {"tenant": "t", "client_id": "c", "client_secret": "secret://memory/entra", **where, **more}


class TestContract(EntitySourceConformance):
    @pytest.fixture
    def options(self, tenant: Tenant) -> dict[str, Any]:
        return options(tenant)

    @pytest.fixture
    def missing(self, tenant: Tenant) -> dict[str, Any]:
        return options(tenant) | {"tenant": "other"}


def read(source: EntraSource, given: dict[str, Any], part: Any = None) -> list[Any]:
    request = SourceRequest("people", source.options.model_validate(given))
    return list(source.read(replace(request, part=lambda key: part)))


def state_of(items: list[Any]) -> Any:
    return next(item.state for item in items if isinstance(item, SourcePart))


def names(items: list[Any]) -> list[str]:
    return [str(item.document["metadata"]["name"]) for item in items if isinstance(item, SourcedEntity)]


def test_the_first_reading_is_whole_and_the_next_ones_ask_for_changes(source: EntraSource, tenant: Tenant) -> None:
    first = read(source, options(tenant))
    assert names(first) == ["engines", "u0_x.example", "u1_x.example", "u2_x.example"]
    assert first[-1] == SourceEnd()
    tenant.asked.clear()
    second = read(source, options(tenant), state_of(first))
    assert [item.same for item in second if isinstance(item, SourcePart)] == [True]
    assert len(tenant.asked) == 2, "one question for people, one for groups"
    tenant.changes = {"users": [{"id": "u1", "@removed": {"reason": "deleted"}}]}
    tenant.expire = 1
    third = read(source, options(tenant), state_of(second))
    assert names(third) == ["engines", "u0_x.example", "u2_x.example"]


def test_a_state_that_graph_forgot_is_read_again(source: EntraSource, tenant: Tenant) -> None:
    state = state_of(read(source, options(tenant)))
    original = tenant.answer

    def forgetful(asked: Asked) -> tuple[int, Any]:
        return (410, {"error": {"code": "syncStateNotFound"}}) if "$deltatoken" in asked.query else original(asked)

    tenant.answer = forgetful
    assert len(names(read(source, options(tenant), state))) == 4


def test_an_emptied_cache_costs_a_whole_reading(source: EntraSource, tenant: Tenant, tmp_path: Path) -> None:
    state = state_of(read(source, options(tenant)))
    (tmp_path / "people.json").unlink()
    assert len(names(read(source, options(tenant), state))) == 4


def test_what_goes_wrong_is_said(source: EntraSource, tenant: Tenant) -> None:
    cases: list[tuple[dict[str, Any], int, bytes | None, type[TaxiwayError]]] = [
        ({"client_secret": "secret://memory/wrong"}, 200, None, InputError),
        ({"client_secret": "secret://memory/gone"}, 200, None, NotFoundError),
        ({}, 403, None, InputError),
        ({}, 200, b"<html>sign in", UnavailableError),
        ({}, 200, b'{"access_token": "token-0", "value": 7}', UnavailableError),
    ]
    for more, status, body, error in cases:
        tenant.status, tenant.body = status, body
        with pytest.raises(error) as caught:
            read(source, options(tenant, **more))
        assert SECRET not in caught.value.detail
