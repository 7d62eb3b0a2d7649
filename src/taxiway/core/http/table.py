"""The routes of all operations behind one look at the beginning of a path: no request is held against all of them.

The router asks one route after another; with this one in their place it finds the few that may match at once. Nothing
else changes: they are tried in the order in which they were declared, and a wrong method is told as before.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

BEGINNING = 4
"""Parts of a path that are looked up: the empty one before the first slash, and three more."""
CHOSEN = "taxiway.route"


class RouteTable(BaseRoute):
    """One route in front of `routes`, whose paths begin with a slash."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        begins = [_beginning(route.path) for route in self.routes]
        self._anywhere = self._of(begins, None)
        self._by_beginning = {begin: self._of(begins, begin) for begin in begins if begin is not None}

    def _of(self, begins: Sequence[str | None], wanted: str | None) -> tuple[Route, ...]:
        return tuple(
            route for route, begin in zip(self.routes, begins, strict=True) if begin is None or begin == wanted
        )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """How well the best of the routes fits, and what it adds to the scope."""
        if scope["type"] != "http":
            return Match.NONE, {}
        partial: Scope | None = None
        begin = "/".join(scope["path"].split("/", BEGINNING)[:BEGINNING])
        for route in self._by_beginning.get(begin, self._anywhere):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, CHOSEN: route}
            if match is Match.PARTIAL and partial is None:
                partial = {**child, CHOSEN: route}
        return (Match.NONE, {}) if partial is None else (Match.PARTIAL, partial)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the route that matched answer."""
        await scope[CHOSEN].handle(scope, receive, send)


def _beginning(path: str) -> str | None:
    """What every path begins with that the template `path` matches; None when it is not known whole."""
    begin = "/".join(path.split("/", BEGINNING)[:BEGINNING])
    return None if "{" in begin else begin
