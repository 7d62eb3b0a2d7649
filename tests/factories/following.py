"""A source that follows a cluster, as its host runs it: what it keeps of readings, and the hints that a watch gave."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from taxiway.model.errors import TaxiwayError
from taxiway.plugin import SourcedEntity, SourceEnd, SourcePart, SourceRequest
from taxiway.plugins.kubernetes_catalog.source import KubernetesSource

T = TypeVar("T")


@dataclass
class Following(Generic[T]):
    """The source, what a host keeps for it, and a watch in a thread."""

    cluster: T
    source: KubernetesSource
    request: SourceRequest
    parts: dict[str, Any] = field(default_factory=dict)
    hints: list[Any] = field(default_factory=list)
    error: Exception | None = None

    def read(self, hints: Any = ()) -> list[Any]:
        request = replace(self.request, hints=hints, part=self.parts.get, parts=lambda: list(self.parts))
        items = list(self.source.read(request))
        for item in items:
            if isinstance(item, SourcePart) and item.state is not None:
                self.parts[item.key] = item.state
            if isinstance(item, SourceEnd) and item.cursor is not None:
                self.request = replace(self.request, cursor=item.cursor)
        return items

    def follow(self) -> threading.Thread:
        def run() -> None:
            request = replace(self.request, part=self.parts.get)
            try:
                self.hints.extend(iter_into(self.source.watch(request), self.hints))
            except TaxiwayError as error:
                self.error = error

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def told(self, count: int) -> list[Any]:
        until(lambda: len(self.hints) >= count or self.error is not None)
        assert self.error is None
        return self.hints[:count]


def iter_into(found: Iterator[Any], into: list[Any]) -> list[Any]:
    for one in found:
        into.append(one)
    return []


def until(done: Callable[[], Any], seconds: float = 10.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)
    return found


def names(items: list[Any]) -> list[str]:
    return sorted(one.document["metadata"]["name"] for one in items if isinstance(one, SourcedEntity))
