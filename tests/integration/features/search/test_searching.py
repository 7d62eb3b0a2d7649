"""Search over names, titles, tags, labels, annotations and API definitions, with a typing error, on both databases."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories import postgres
from taxiway.api.platform import build_platform, close_platform
from taxiway.core.context import OpContext, Platform
from taxiway.core.permissions import Grant
from taxiway.core.settings import load_settings
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.search.contrib import FEATURE as SEARCH
from taxiway.features.search.service import Question, refresh, search
from taxiway.kit.words import one_error_away
from taxiway.model.access import Principal
from taxiway.model.errors import InputError
from taxiway.plugin import SearchDocument, SourcedEntity


def _entity(name: str, kind: str = "Component", owner: str = "red", **more: Any) -> SourcedEntity:
    spec = {"type": "service", "lifecycle": "production", "owner": owner, **more.pop("spec", {})}
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **more},
        "spec": spec,
    }
    return SourcedEntity(document, f"file:/{name}.yaml")


ENTITIES = [
    _entity("payment-gateway", title="Payments in", description="Takes money from cards"),
    _entity("payments", description="All of them", tags=["money"]),
    _entity("ledger", description="Books every payment", labels={"tier": "gold"}),
    _entity("mail.relay_v2", annotations={"example.com/pager": "P1234567"}),
    _entity("orders", kind="API", spec={"type": "openapi", "definition": "paths:\n  /refunds/{id}: {}\n"}),
    _entity("menu", title="Café Menü"),
    _entity("hidden-payments", owner="blue", description="Nobody else's money"),
]
RED = Principal("user:default/rita", frozenset({"developer"}), frozenset({"group:default/red"}))


@pytest.fixture(scope="module")
def platforms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Platform]]:
    made: dict[str, Platform] = {}
    yield made
    for platform in made.values():
        close_platform(platform)


@pytest.fixture(params=["sqlite", "postgres"])
def platform(
    request: pytest.FixtureRequest, platforms: dict[str, Platform], tmp_path_factory: pytest.TempPathFactory
) -> Platform:
    kind = request.param
    if kind not in platforms:
        folder = tmp_path_factory.mktemp("search")
        url = None if kind == "sqlite" else str(request.getfixturevalue("postgres_database"))
        platforms[kind] = _platform(folder, url)
    return platforms[kind]


@pytest.fixture(scope="module")
def postgres_database(postgres_server: str, postgres_model: str) -> Iterator[str]:
    with postgres.database(postgres_server, "searching", model=postgres_model) as url:
        yield url


def _platform(folder: Path, url: str | None) -> Platform:
    loaded = load_settings({}, {"data": folder, "port": 0, **({"database_url": url} if url else {})})
    made = build_platform(loaded, plugins=(), features=[ACCESS, CATALOG, SEARCH])
    ctx = made.system("test")
    made.store.write(lambda tx: catalog.apply_entities(tx, ctx, ENTITIES, "test", full=True))
    made.registry.add("search_source", Notes(), "test")
    refresh(made)
    return made


class Notes:
    """A source of documents that a test changes."""

    key = "notes"
    permission = "catalog.entity.read"

    def __init__(self) -> None:
        self.state = "1"

    def collections(self) -> dict[str, str]:
        return {"all": self.state} if self.state else {}

    def documents(self, collection: str) -> list[SearchDocument]:
        return [
            SearchDocument("Payments runbook", "How to refund money, quickly", "/notes/1", fields={"kind": "note"}),
            SearchDocument("Blue secrets", "money of others", "/notes/2", owner="group:default/blue"),
            SearchDocument(
                "About hidden payments", "money", "/notes/3", entity_ref="component:default/hidden-payments"
            ),
        ]


def _found(ctx: OpContext, term: str, *, types: tuple[str, ...] = ("software-catalog",), **filters: str) -> list[str]:
    answer = search(ctx, Question(term, types, {key: [value] for key, value in filters.items()}, 100, 0))
    assert answer.total == len(answer.results)
    return [result["document"].get("name") or result["document"]["title"] for result in answer.results]


def _admin(platform: Platform) -> OpContext:
    return platform.system("test")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("payments", ["payments", "hidden-payments", "payment-gateway"]),
        ("pay", ["payments", "hidden-payments", "payment-gateway", "ledger"]),
        ("payment gateway", ["payment-gateway"]),
        ("money cards", ["payment-gateway"]),
        ("gold", ["ledger"]),
        ("P1234567", ["mail.relay_v2"]),
        ("relay", ["mail.relay_v2"]),
        ("mail.relay_v2", ["mail.relay_v2"]),
        ("component:default/ledger", ["ledger"]),
        ("refunds", ["orders"]),
        ("cafe menu", ["menu"]),
        ("CAFÉ", ["menu"]),
        ("m", ["menu", "mail.relay_v2"]),
        ("nothing-like-it", []),
        ('") xq *', []),
        ("' | x:*", []),
    ],
)
def test_words_find_what_has_them_anywhere_and_names_come_first(
    platform: Platform, term: str, expected: list[str]
) -> None:
    assert _found(_admin(platform), term) == expected


@pytest.mark.parametrize("name", ["payment-gateway", "ledger", "mail.relay_v2", "orders"])
def test_one_typing_error_anywhere_in_a_name_still_finds_it(platform: Platform, name: str) -> None:
    rng = random.Random(name)
    mistyped = sorted(one_error_away(name))
    for term in rng.sample(mistyped, 25):
        assert name in _found(_admin(platform), term), term


def test_typing_errors_do_not_disturb_what_is_found_exactly(platform: Platform) -> None:
    assert _found(_admin(platform), "orders") == ["orders"]
    assert _found(_admin(platform), "ordres money") == []
    assert _found(_admin(platform), "paymnts gateway") == ["payment-gateway"]
    assert _found(_admin(platform), "menz") == [], "four letters are too few to guess"


def test_filters_and_types_narrow(platform: Platform) -> None:
    assert _found(_admin(platform), "o", kind="api") == ["orders"]
    assert _found(_admin(platform), "payments", owner="group:default/blue") == ["hidden-payments"]
    assert _found(_admin(platform), "money", types=("notes",), kind="note") == ["Payments runbook"]
    assert _found(_admin(platform), "", **{"metadata.labels.tier": "gold"}) == ["ledger"]
    with pytest.raises(InputError, match="use one of software-catalog, notes"):
        _found(_admin(platform), "x", types=("nope",))


def test_nobody_finds_or_counts_what_they_may_not_read(platform: Platform) -> None:
    platform_of_red = OpContext(platform, RED, "r")
    before = platform.permissions["catalog.entity.read"]
    platform.permissions["catalog.entity.read"] = Grant(developer="own")
    try:
        assert "hidden-payments" not in _found(platform_of_red, "payments")
        assert _found(platform_of_red, "hiden-payments") == []
        assert _found(platform_of_red, "money", types=("notes",)) == []
        assert _found(OpContext(platform, Principal("user:default/x"), "r"), "money", types=()) == []
    finally:
        platform.permissions["catalog.entity.read"] = before
    assert len(_found(_admin(platform), "money", types=("notes",))) == 3


def test_documents_are_ranked_among_entities_and_marked(platform: Platform) -> None:
    answer = search(_admin(platform), Question("refund", (), {}, 10, 0))
    assert [result["type"] for result in answer.results] == ["notes", "software-catalog"]
    highlight = answer.results[0]["highlight"]
    mark = f"{highlight['preTag']}refund{highlight['postTag']}"
    assert highlight["fields"] == {"text": f"How to {mark} money, quickly"}
    assert f"{answer.results[1]['highlight']['preTag']}refund" in answer.results[1]["highlight"]["fields"]["text"]


def test_documents_follow_their_source(platform: Platform) -> None:
    notes = platform.registry.get("search_source", "notes", Notes)
    assert refresh(platform) == 0, "nothing is read again while its state stays"
    notes.state = ""
    assert refresh(platform) == 1
    assert _found(_admin(platform), "money", types=("notes",)) == []
    notes.state = "2"
    assert refresh(platform) == 1
    assert len(_found(_admin(platform), "money", types=("notes",))) == 3


def test_a_name_that_is_gone_is_not_meant_any_more(platform: Platform) -> None:
    ctx = _admin(platform)
    name = "temporary-" + "".join(random.Random(1).choices(string.ascii_lowercase, k=6))
    platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, [_entity(name)], "other", full=True))
    assert _found(ctx, name[:-1] + "9") == [name]
    platform.store.write(lambda tx: catalog.delete_entity(tx, ctx, f"component:default/{name}"))
    assert _found(ctx, name[:-1] + "9") == []
