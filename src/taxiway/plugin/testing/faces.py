"""Conformance of what users meet of a plugin: raw routes, operations, and the portal's cards and pages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any, get_args, get_type_hints

from taxiway.model.access import Principal
from taxiway.model.errors import NotAllowedError, TaxiwayError
from taxiway.plugin import MountedRoutes, PluginOperation, PortalCard, PortalPage
from taxiway.plugin.testing.displays import misfit

DISPLAYS = get_args(get_type_hints(PortalCard)["display"])
PLACEHOLDERS = frozenset({"kind", "namespace", "name", "ref"})
OWN_PREFIXES = frozenset({"api", "assets", "healthz", "metrics", "openapi.json", "readyz", "x"})
ANSWER_SECONDS = 10.0
Message = dict[str, Any]


class MountedRoutesConformance:
    """Give a fixture `routes`; `guarded` is a (method, path) below the prefix that asks for a permission."""

    guarded: tuple[str, str]

    def test_its_prefix_is_free_and_plain(self, routes: MountedRoutes) -> None:
        assert routes.key
        assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*", routes.prefix), "the prefix is one segment, without slashes"
        assert routes.prefix not in OWN_PREFIXES, "Taxiway answers there itself"

    def test_an_unknown_path_gets_a_whole_answer(self, routes: MountedRoutes) -> None:
        status, _ = call(routes, "GET", "/no/such/thing", _allow)
        assert 400 <= status < 500

    def test_it_asks_for_a_permission_and_refuses_without_it(self, routes: MountedRoutes) -> None:
        asked: list[str] = []

        def refuse(permission: str, owner: str | None) -> None:
            asked.append(permission)
            raise NotAllowedError("you may not: ask the owner")

        try:
            status, body = call(routes, *self.guarded, refuse)
        except NotAllowedError:
            status, body = 403, b""  # left to the host, which answers so
        assert asked, "it never called `authorize`"
        assert status in (403, 404), f"refused, and yet it answered {status}: {body[:200]!r}"

    def test_a_client_that_leaves_ends_the_call(self, routes: MountedRoutes) -> None:
        call(routes, *self.guarded, _allow, leaves=True)


class PortalCardConformance:
    """Give a fixture `card`."""

    def test_it_is_data_that_the_portal_can_draw(self, card: PortalCard) -> None:
        check_card(card)
        assert card.kinds, "a card on entity pages says on those of which kinds"
        assert not isinstance(card.kinds, str), "`kinds` is a list"

    def test_it_reads_this_server_and_fills_in_the_entity(self, card: PortalCard) -> None:
        unknown = placeholders(card) - PLACEHOLDERS
        assert not unknown, f"only {', '.join(sorted(PLACEHOLDERS))} are filled in, not {', '.join(sorted(unknown))}"


class PortalPageConformance:
    """Give a fixture `page`."""

    def test_it_has_an_address_and_cards(self, page: PortalPage) -> None:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*", page.key), "the key is the end of the page's address"
        assert page.title
        assert isinstance(page.navigation, bool)
        assert page.cards
        keys = [card.key for card in page.cards]
        assert len(keys) == len(set(keys)), "two cards with one key"
        json.dumps(asdict(page))

    def test_its_cards_need_no_entity(self, page: PortalPage) -> None:
        for card in page.cards:
            check_card(card)
            assert not placeholders(card), f"'{card.key}' asks for an entity, and a page has none"


class PluginOperationConformance:
    """Give a fixture `operation`; `query` holds parameters that it answers to, `display` that of the card it is for."""

    query: Mapping[str, str] = {}
    display: str | None = None

    def test_it_has_a_path_and_a_permission(self, operation: PluginOperation) -> None:
        assert operation.key
        assert re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", operation.path), "a plain path, without parameters"
        assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", operation.permission), "it names a permission"

    def test_it_answers_with_json_in_the_shape_of_its_card(self, operation: PluginOperation) -> None:
        answer = json.loads(json.dumps(operation.handler(dict(self.query)), allow_nan=False))
        if self.display is not None:
            assert not misfit(self.display, answer), misfit(self.display, answer)

    def test_other_parameters_are_an_answer_or_an_error_that_says_so(self, operation: PluginOperation) -> None:
        for query in ({}, {**self.query, "unknown": "x"}, dict.fromkeys(self.query, "\0 ? \u2603")):
            with contextlib.suppress(TaxiwayError):
                json.dumps(operation.handler(query))


def check_card(card: PortalCard) -> None:
    """What holds for every card, on an entity's page or a page of its own."""
    assert card.key
    assert card.title
    assert card.display in DISPLAYS, f"the portal draws {', '.join(DISPLAYS)}"
    assert card.operation.startswith("/api/"), "a card reads an operation of this server"
    assert not card.columns or card.display == "table", "only tables have columns"
    assert not isinstance(card.columns, str), "`columns` is a list"
    json.dumps(asdict(card))


def placeholders(card: PortalCard) -> set[str]:
    """The names in braces in the card's operation."""
    return set(re.findall(r"\{([^}]*)\}", card.operation))


def call(
    routes: MountedRoutes, method: str, path: str, authorize: Callable[[str, str | None], None], *, leaves: bool = False
) -> tuple[int, bytes]:
    """One request as the host hands it over; (status, body). `leaves`: the client is gone before it sends a body, and
    the status is 0 when nothing was answered."""
    inner, _, query = path.partition("?")
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": f"/{routes.prefix}{inner}",
        "raw_path": f"/{routes.prefix}{inner}".encode(),
        "root_path": f"/{routes.prefix}",
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 7007),
        "taxiway.principal": Principal("user:default/conformance", frozenset({"developer"})),
        "taxiway.authorize": authorize,
    }
    return asyncio.run(_call(routes.app, scope, leaves))


async def _call(app: Callable[..., Awaitable[None]], scope: Message, leaves: bool) -> tuple[int, bytes]:
    sent: list[Message] = []
    first = True

    async def receive() -> Message:
        nonlocal first
        if leaves:
            return {"type": "http.disconnect"}
        if not first:
            await asyncio.Event().wait()  # the client waits for its answer
        first = False
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await asyncio.wait_for(app(scope, receive, send), ANSWER_SECONDS)
    starts = [item for item in sent if item["type"] == "http.response.start"]
    if leaves and not starts:
        return 0, b""
    assert len(starts) == 1, "an answer begins once"
    assert sent[0] is starts[0]
    if not leaves:
        assert sent[-1]["type"] == "http.response.body"
        assert not sent[-1].get("more_body"), "the answer was not ended"
    return starts[0]["status"], b"".join(item.get("body", b"") for item in sent[1:])


def _allow(permission: str, owner: str | None) -> None:
    """May do everything."""
