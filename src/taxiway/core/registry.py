"""Contributions by point and key. Filled before the server starts, only read afterwards.

A feature may say where more of a point is found (`extend`): things that are data and come and go, such as actions that
are declared in the catalog. What was added has precedence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from taxiway.model.errors import ConflictError, NotFoundError
from taxiway.plugin import POINTS, Later

T = TypeVar("T")


@dataclass(frozen=True)
class Contribution:
    """One thing that plugs in: the point, its key, who brought it, and the object."""

    point: str
    key: str
    owner: str
    value: Any


@dataclass
class Registry:
    """Every contribution. `owner` is a plugin's name or `feature:<name>`."""

    _by_point: dict[str, dict[str, Contribution]] = field(default_factory=lambda: {point: {} for point in POINTS})
    _more: dict[str, Callable[[], Mapping[str, Any]]] = field(default_factory=dict)

    def add(self, point: str, value: Any, owner: str) -> None:
        """Register. ConflictError for an unknown point, a value of another shape, or a key that is taken."""
        if point not in POINTS:
            raise ConflictError(f"{owner} contributes to '{point}', which is no contribution point")
        if not isinstance(value, Later):
            _check(point, value, owner)
        key: str = cast(Any, value).key
        taken = self._by_point[point].get(key)
        if taken is not None:
            raise ConflictError(f"both {taken.owner} and {owner} contribute {point} '{key}': disable one of them")
        self._by_point[point][key] = Contribution(point, key, owner, value)

    def extend(self, point: str, more: Callable[[], Mapping[str, Any]]) -> None:
        """Find more objects of a point by their keys in `more()`, which is asked each time."""
        if point in self._more:
            raise ConflictError(f"more of '{point}' is found elsewhere already")
        self._more[point] = more

    def remove_owner(self, owner: str) -> None:
        """Take back all contributions of an owner that failed to load."""
        for contributions in self._by_point.values():
            for key in [key for key, item in contributions.items() if item.owner == owner]:
                del contributions[key]

    def get(self, point: str, key: str, _type: type[T] | None = None) -> T:
        """The contribution's object. NotFoundError names what is there instead."""
        found = self._by_point[point].get(key)
        if found is not None:
            return cast(T, _made(found))
        more = self._elsewhere(point)
        if key in more:
            return cast(T, more[key])
        there = ", ".join(sorted({*self._by_point[point], *more})) or "none"
        raise NotFoundError(f"no {point.replace('_', ' ')} '{key}' is installed (there are: {there})")

    def has(self, point: str, key: str) -> bool:
        """Whether `get` would find it."""
        return key in self._by_point[point] or key in self._elsewhere(point)

    def all(self, point: str, _type: type[T] | None = None) -> list[T]:
        """Every object of a point, by key."""
        made = {key: _made(item) for key, item in self._by_point[point].items()}
        return [cast(T, value) for _, value in sorted({**self._elsewhere(point), **made}.items())]

    def contributions(self, owner: str | None = None) -> list[Contribution]:
        """Every contribution, or one owner's, by point and key."""
        items = [item for point in self._by_point.values() for item in point.values()]
        return sorted((i for i in items if owner in (None, i.owner)), key=lambda i: (i.point, i.key))

    def keys(self, point: str) -> list[str]:
        """The keys of a point's contributions, none of which is made for it."""
        return sorted({*self._by_point[point], *self._elsewhere(point)})

    def _elsewhere(self, point: str) -> Mapping[str, Any]:
        return self._more[point]() if point in self._more else {}


def _made(item: Contribution) -> Any:
    if not isinstance(item.value, Later):
        return item.value
    made = item.value.made
    _check(item.point, made, item.owner)
    return made


def _check(point: str, value: Any, owner: str) -> None:
    if not isinstance(value, POINTS[point]):
        raise ConflictError(f"{owner}: what it contributes to '{point}' lacks parts of {POINTS[point].__name__}")
