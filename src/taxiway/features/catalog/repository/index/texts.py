"""Documents as they were last served, for as long as nothing in the catalog changes."""

from __future__ import annotations

from collections.abc import Mapping

MAX_CHARACTERS = 32_000_000


class Texts:
    """JSON texts by reference, bounded in size."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._size = 0

    def get(self, ref: str) -> str | None:
        """The document of a reference, when it is here."""
        return self._texts.get(ref)

    def keep(self, texts: Mapping[str, str]) -> None:
        """Keep documents; when there are too many, the others go."""
        size = sum(map(len, texts.values()))
        if self._size + size > MAX_CHARACTERS:
            self.clear()
        if size <= MAX_CHARACTERS:
            self._texts.update(texts)
            self._size += size

    def clear(self) -> None:
        """Forget all."""
        self._texts, self._size = {}, 0
