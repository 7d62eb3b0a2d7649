"""Contributions by point and key. Filled before the server starts, only read afterwards.

A feature may say where more of a point is found (`extend`): things that are data and come and go, such as actions that
are declared in the catalog. What was added has precedence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError, UnavailableError
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
    """Every contribution. `owner` is a plugin's name or `feature:<name>`.

    One that is made when it is first asked for (`Later`) may fail then: `told` is called with it and the reason, once
    until it succeeds, and `trouble` keeps the reason."""

    told: Callable[[Contribution, str], None] = lambda item, reason: None
    _by_point: dict[str, dict[str, Contribution]] = field(default_factory=lambda: {point: {} for point in POINTS})
    _trouble: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
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
        """The contribution's object. NotFoundError names what is there instead, UnavailableError says whose it is when
        it cannot be made."""
        found = self._by_point[point].get(key)
        if found is not None:
            return cast(T, self._made(found))
        more = self._elsewhere(point)
        if key in more:
            return cast(T, more[key])
        there = ", ".join(sorted({*self._by_point[point], *more})) or "none"
        raise NotFoundError(f"no {point.replace('_', ' ')} '{key}' is installed (there are: {there})")

    def has(self, point: str, key: str) -> bool:
        """Whether `get` would find it."""
        return key in self._by_point[point] or key in self._elsewhere(point)

    def all(self, point: str, _type: type[T] | None = None) -> list[T]:
        """Every object of a point, by key. One that cannot be made keeps no other one away: see `trouble`."""
        found = dict(self._elsewhere(point))
        for key, item in self._by_point[point].items():
            try:
                found[key] = self._made(item)
            except TaxiwayError:
                found.pop(key, None)  # it was told, with whose it is
        return [cast(T, value) for _, value in sorted(found.items())]

    def trouble(self, owner: str) -> list[str]:
        """Why contributions of an owner could not be made when they were last asked for."""
        return [reason for _, (whose, reason) in sorted(self._trouble.items()) if whose == owner]

    def contributions(self, owner: str | None = None) -> list[Contribution]:
        """Every contribution, or one owner's, by point and key."""
        items = [item for point in self._by_point.values() for item in point.values()]
        return sorted((i for i in items if owner in (None, i.owner)), key=lambda i: (i.point, i.key))

    def keys(self, point: str) -> list[str]:
        """The keys of a point's contributions, none of which is made for it."""
        return sorted({*self._by_point[point], *self._elsewhere(point)})

    def _elsewhere(self, point: str) -> Mapping[str, Any]:
        return self._more[point]() if point in self._more else {}

    def _made(self, item: Contribution) -> Any:
        if not isinstance(item.value, Later):
            return item.value
        place = item.point, item.key
        try:
            made = item.value.made
            _check(item.point, made, item.owner)
        except Exception as error:
            reason = error.detail if isinstance(error, TaxiwayError) else f"{type(error).__name__}: {error}"
            what = f"{item.owner} cannot give its {item.point.replace('_', ' ')} '{item.key}': {reason}"
            if self._trouble.get(place) != (item.owner, what):
                self._trouble[place] = item.owner, what
                self.told(item, what)
            if isinstance(error, TaxiwayError):
                raise
            raise UnavailableError(
                f"{what}: install what is missing, or disable the plugin", code="plugin.contribution"
            ) from error
        self._trouble.pop(place, None)
        return made


def _check(point: str, value: Any, owner: str) -> None:
    if not isinstance(value, POINTS[point]):
        raise ConflictError(f"{owner}: what it contributes to '{point}' lacks parts of {POINTS[point].__name__}")
