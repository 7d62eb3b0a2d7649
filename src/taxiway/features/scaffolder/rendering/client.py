"""Rendering in bounded processes: `Renderer` asks a worker of its pool, and drops one that takes too long.

Templates are untrusted: a worker has its own memory and CPU limits, no file access of ours (another user under root,
an empty environment), and a wall-clock limit per request.
"""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from taxiway.features.scaffolder.rendering.planned import Files, PlannedRenders
from taxiway.features.scaffolder.rendering.pool import KEEP, Pool, RenderError, start_worker
from taxiway.model.errors import TimedOutError, TooLargeError, UnavailableError
from taxiway.plugin import Identity

MARKS = re.compile(r"\{[{%#]|[%#}]\}")
MOST_RENDERED = 16 * 1024 * 1024
"""Characters of rendered files together."""
REQUEST_SECONDS = 10.0
MAX_REQUEST = 32 * 1024 * 1024


def _has_expressions(value: Any) -> bool:
    """Whether the rendering process would find anything to do in `value`, by the marks that it looks for."""
    if isinstance(value, str):
        return MARKS.search(value) is not None
    if isinstance(value, Mapping):
        return any(_has_expressions(item) for pair in value.items() for item in pair)
    return isinstance(value, list | tuple) and any(_has_expressions(item) for item in value)


def _body(request: Mapping[str, Any]) -> bytes:
    body = json.dumps(request).encode()
    if len(body) > MAX_REQUEST:
        raise TooLargeError(f"the template's files are larger than {MAX_REQUEST} bytes together")
    return body


class Renderer:
    """Renders values and files. Safe to call from many threads; each call has a worker to itself.

    `lenient` keeps the raw text of a value that cannot be rendered, as Backstage does; else that is a RenderError.
    """

    def __init__(self, identity: Identity, *, lenient: bool = False, keep: int = KEEP) -> None:
        self._lenient, self._pool = lenient, Pool(partial(start_worker, identity), keep=keep)
        self._planned = PlannedRenders()

    def value(self, value: Any, context: Mapping[str, Any], *, failed: bool = False) -> Any:
        """`value` with every expression inside replaced; a whole-string expression keeps its type. What renders to
        nothing is left out of its object. `failed` is what `failure()` says."""
        if not _has_expressions(value):
            return value
        request = {"op": "value", "value": value, "context": dict(context), "failed": failed, "lenient": self._lenient}
        return self._ask(request)

    def files(
        self,
        files: Sequence[tuple[str, str | None]],
        context: Mapping[str, Any],
        options: Mapping[str, Any],
        *,
        is_plan: bool = False,
    ) -> Files:
        """(path, text) pairs with path and text rendered; text None renders the path only. The run of a plan gets
        what the plan rendered (`is_plan`), where nothing that it depends on is different."""
        request = {"op": "files", "files": list(files), "context": dict(context), "options": dict(options)}
        body = _body({**request, "most": MOST_RENDERED})
        found = self._planned.find(body, is_plan=is_plan)
        if found is None:
            found = [(path, text) for path, text in self._answer(body)]
            if is_plan:
                self._planned.keep(body, found)
        return found

    def outline(self, texts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """What each (text, options) refers to: paths, filters, calls, conditions, or the error of its syntax."""
        asked = [{"text": text, "options": dict(options)} for text, options in texts]
        return list(self._ask({"op": "outline", "texts": asked}))

    def decide(
        self, texts: Sequence[str], contexts: Sequence[Sequence[Mapping[str, Any]]], options: Mapping[str, Any]
    ) -> list[list[dict[str, Any]]]:
        """{value} or {error} of each text in each of its contexts."""
        contexts = [list(each) for each in contexts]
        return list(self._ask({"op": "decide", "texts": list(texts), "contexts": contexts, "options": dict(options)}))

    def transform(self, expression: str, data: Any) -> Mapping[str, Any]:
        """What a JSONata expression makes of `data`, as `result`; without one where it makes nothing."""
        found: Mapping[str, Any] = self._ask({"op": "jsonata", "expression": expression, "data": data})
        return found

    def named(self, names: Sequence[str], patterns: Sequence[str], *, dotfiles: bool = True) -> list[bool]:
        """Whether globs name each of some files as Backstage reads them: `*` stays in a folder, `!` takes back."""
        if not patterns or not names:
            return [False] * len(names)
        request = {"op": "named", "names": list(names), "patterns": list(patterns), "dotfiles": dotfiles}
        return list(self._ask(request))

    def filters(self) -> list[str]:
        """The names of every filter."""
        return list(self._ask({"op": "filters"}))

    def close(self) -> None:
        """End every idle worker."""
        self._pool.close()

    def _ask(self, request: Mapping[str, Any]) -> Any:
        return self._answer(_body(request))

    def _answer(self, body: bytes) -> Any:
        worker = self._pool.take()
        try:
            answer = worker.ask(body, REQUEST_SECONDS)
        except BaseException as error:
            self._pool.drop(worker)
            if isinstance(error, (OSError, json.JSONDecodeError, struct.error)):
                raise UnavailableError("the rendering process ended unexpectedly: try again") from error
            raise
        self._pool.give(worker)
        if "error" in answer:
            at = f"{answer['error']['at']}: " if answer["error"]["at"] else ""
            detail = f"{at}{answer['error']['message']}"
            if answer["error"].get("syntax"):
                raise RenderError(detail, code="scaffolder.syntax")
            raise RenderError(detail, code="scaffolder.render")
        return answer["value"]


class RendererForAWhile(Renderer):
    """The same rendering processes for one piece of work: `seconds` after it began, each further call is refused."""

    def __init__(self, inner: Renderer, seconds: float) -> None:
        self._lenient, self._pool, self._planned = inner._lenient, inner._pool, inner._planned
        self._until = time.monotonic() + seconds

    def _answer(self, body: bytes) -> Any:
        if time.monotonic() > self._until:
            raise TimedOutError("judging the template took too long: run `taxiway template lint` beside it")
        return super()._answer(body)
