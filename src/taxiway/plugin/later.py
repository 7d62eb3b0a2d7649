"""A contribution that is made when it is first asked for, so that a plugin that nobody uses costs a start nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, eq=False)
class Later:
    """`make()` gives the contribution; its `key` must be this one. Any thread may be the first to ask, and two may make
    it at once: the one that is kept is as good as the other."""

    key: str
    make: Callable[[], Any]

    @cached_property
    def made(self) -> Any:
        """The contribution itself."""
        return self.make()
