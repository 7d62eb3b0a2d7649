"""A tree of files in memory, for texts that are not anywhere yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from taxiway.features.catalog.sources.trees import inside
from taxiway.model.errors import NotFoundError


class MemoryTree:
    """Files by path. An open one answers other paths with nothing instead of refusing them: what stands beside a text
    is not known where it is only judged."""

    state = ""

    def __init__(self, files: Mapping[str, bytes], *, is_open: bool = False) -> None:
        self._files, self._is_open = files, is_open

    def read(self, path: str) -> bytes:
        found = self._files.get(inside(path))
        if found is None and not self._is_open:
            raise NotFoundError(f"there is no file '{path}'", code="catalog.no_file")
        return found or b"{}"

    def match(self, pattern: str) -> Sequence[str]:
        wanted = inside(pattern)
        return [wanted] if self._is_open else [path for path in self._files if path == wanted]

    def location(self, path: str) -> str:
        return f"file:{inside(path)}"
