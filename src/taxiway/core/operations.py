"""Operations are declared once: OpenAPI, the CLI and MCP derive from these values.

A feature's `routes.py` makes one `Operations(name)` and decorates plain functions; `api` mounts them. The id of an
operation is `<feature>.<function name>`; its summary is the first line of the function's docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from taxiway.core.context import OpContext, Platform
from taxiway.core.permissions import Grant

JSON = ("application/json",)
Effect = Literal["read", "write", "destroy"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """One entry of the API. `permission` None means that nobody needs to sign in: a test holds the short list of these.

    `errors` picks the error body: RFC 9457 problems, or Backstage's on its own paths. `response` is the body's type
    where the function's return annotation does not say it, `media` the types of answers that are not JSON; none of
    them: answers have no body. `others` are the types of bodies by other statuses, beside refusals as usual. `streams`
    marks SSE, an endless answer. `hidden`
    operations are mounted but are no part of the described API. `fast` may answer a plain request before it is parsed,
    on the event loop, so without waiting for anything; with None it leaves it to the handler.
    """

    id: str
    method: str
    path: str
    permission: str | None
    effect: Effect
    handler: Callable[..., Any]
    status: int = 200
    response: Any = None
    media: Sequence[str] = JSON
    others: Mapping[int, Any] = field(default_factory=dict)
    errors: Literal["problem", "backstage"] = "problem"
    streams: bool = False
    hidden: bool = False
    fast: Callable[[OpContext, Any], Any] | None = None


@dataclass
class Operations:
    """Collects the operations of one feature."""

    feature: str
    items: list[Operation] = field(default_factory=list)

    def _add(self, method: str, usual: Effect, path: str, permission: str | None, **options: Any) -> Callable[[F], F]:
        def decorate(function: F) -> F:
            identifier = f"{self.feature}.{function.__name__}"
            chosen = options.pop("effect", usual)
            self.items.append(Operation(identifier, method, path, permission, chosen, function, **options))
            return function

        return decorate

    def get(self, path: str, permission: str | None, **options: Any) -> Callable[[F], F]:
        """Declare a GET."""
        return self._add("GET", "read", path, permission, **options)

    def post(self, path: str, permission: str | None, **options: Any) -> Callable[[F], F]:
        """Declare a POST; `effect="read"` for queries by POST."""
        return self._add("POST", "write", path, permission, **options)

    def put(self, path: str, permission: str | None, **options: Any) -> Callable[[F], F]:
        """Declare a PUT."""
        return self._add("PUT", "write", path, permission, **options)

    def delete(self, path: str, permission: str | None, **options: Any) -> Callable[[F], F]:
        """Declare a DELETE."""
        return self._add("DELETE", "destroy", path, permission, **options)


@dataclass(frozen=True)
class Feature:
    """What an area of the product brings: its permissions, its operations, and `register`, which adds run handlers
    (`platform.runs.register`) and contributions (`platform.registry.add`) when it is assembled. A server calls
    `start` once all plugins are loaded and before it answers: it must be quick and safe to repeat."""

    name: str
    permissions: Mapping[str, Grant]
    operations: Sequence[Operation]
    register: Callable[[Platform], None] = lambda platform: None
    start: Callable[[Platform], None] = lambda platform: None
