"""Documents and answers as they were last given, for as long as nothing in the catalog changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

Text = TypeVar("Text", str, bytes)


class Texts(Generic[Text]):
    """Documents by reference, or answers by question: with these, `most` characters or bytes of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._texts: dict[str, Text] = {}
        self._size = 0

    def get(self, key: str) -> Text | None:
        """What was kept, when it is still here."""
        return self._texts.get(key)

    def keep(self, texts: Mapping[str, Text]) -> None:
        """Keep these; when there are too many, the others go."""
        size = sum(len(key) + len(text) for key, text in texts.items())
        if self._size + size > self._most:
            self.clear()
        if size <= self._most:
            self._texts.update(texts)
            self._size += size

    def clear(self) -> None:
        """Forget all."""
        self._texts, self._size = {}, 0
