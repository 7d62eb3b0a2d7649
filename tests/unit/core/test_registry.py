"""Contributions that are made later: one that fails is told of by its plugin's name, and keeps no other one away."""

from __future__ import annotations

from typing import Any

import pytest

from taxiway.core.registry import Registry
from taxiway.model.errors import ConflictError, InputError, UnavailableError
from taxiway.plugin import Later


class Subscriber:
    types = ("x",)

    def __init__(self, key: str) -> None:
        self.key = key

    def handle(self, event: Any) -> None:
        """Nothing."""


def test_one_that_fails_is_told_once_by_name_and_the_others_are_there() -> None:
    told: list[str] = []
    registry = Registry(told=lambda item, reason: told.append(reason))
    missing = [True]

    def broken() -> Subscriber:
        if missing:
            raise ImportError("No module named 'ldap3'")
        return Subscriber("broken")

    registry.add("event_subscriber", Later("broken", broken), "ldap")
    registry.add("event_subscriber", Later("good", lambda: Subscriber("good")), "other")
    registry.add("event_subscriber", Subscriber("plain"), "feature:x")
    for _ in range(2):
        assert [item.key for item in registry.all("event_subscriber", Subscriber)] == ["good", "plain"]
    assert told == registry.trouble("ldap")
    assert told == ["ldap cannot give its event subscriber 'broken': ImportError: No module named 'ldap3'"]
    with pytest.raises(UnavailableError, match="ldap cannot give"):
        registry.get("event_subscriber", "broken")
    missing.clear()
    assert registry.get("event_subscriber", "broken", Subscriber).key == "broken"
    assert registry.trouble("ldap") == []


def test_its_own_error_is_the_one_that_is_raised_and_another_shape_is_refused() -> None:
    registry = Registry()

    def refuses() -> Subscriber:
        raise InputError("name a server", code="x.server")

    registry.add("event_subscriber", Later("refuses", refuses), "a")
    registry.add("event_subscriber", Later("odd", object), "b")
    with pytest.raises(InputError, match="name a server"):
        registry.get("event_subscriber", "refuses")
    with pytest.raises(ConflictError, match="b: what it contributes"):
        registry.get("event_subscriber", "odd")
    assert registry.all("event_subscriber") == []
    assert len(registry.trouble("b")) == 1
