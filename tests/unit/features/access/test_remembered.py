from __future__ import annotations

import pytest

from taxiway.core.context import IDENTITIES
from taxiway.core.http.credentials import Credentials
from taxiway.features.access.service.remembered import Remembered
from taxiway.kit.clock import ManualClock
from taxiway.kit.signals import Signals
from taxiway.model.access import Principal
from taxiway.model.errors import AuthenticationError

GIVEN = Credentials(token="tw_secret")


def test_a_principal_is_looked_up_once_a_second_and_again_at_once_after_a_change() -> None:
    clock, signals, asked = ManualClock(), Signals(), []

    def find(given: Credentials) -> Principal:
        asked.append(given)
        return Principal(f"user:default/u{len(asked)}")

    remembered = Remembered(find, clock, signals)
    assert [remembered(GIVEN).subject for _ in range(3)] == ["user:default/u1"] * 3
    clock.advance(1.1)
    assert remembered(GIVEN).subject == "user:default/u2"
    signals.notify(IDENTITIES)
    assert remembered(GIVEN).subject == "user:default/u3"


def test_a_change_during_the_look_up_is_not_outlived() -> None:
    signals, asked = Signals(), []

    def find(given: Credentials) -> Principal:
        asked.append(given)
        signals.notify(IDENTITIES)
        return Principal("user:default/stale")

    remembered = Remembered(find, ManualClock(), signals)
    remembered(GIVEN)
    remembered(GIVEN)
    assert len(asked) == 2


def test_credentials_of_one_client_do_not_answer_for_another() -> None:
    def find(given: Credentials) -> Principal:
        if given.token == "wrong":
            raise AuthenticationError("no")
        return Principal(f"user:default/{given.token or given.session}", via=given.via)

    remembered = Remembered(find, ManualClock(), Signals())
    assert remembered(Credentials(token="same")).subject == "user:default/same"
    assert remembered(Credentials(token="same", via="cli")).via == "cli"
    assert remembered(Credentials(session="other")).subject == "user:default/other"
    for _ in range(2):
        with pytest.raises(AuthenticationError):
            remembered(Credentials(token="wrong"))
