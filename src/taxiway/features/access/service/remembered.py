"""Principals by credential, remembered for a second, so that a busy client does not cost several reads a request.

What this process changes (a revoked token, a role, a session, a membership) empties it at once; what another process
changes counts after a second at most. Refusals are not remembered, and neither is a credential itself: its hash is.
"""

from __future__ import annotations

from collections.abc import Callable

from taxiway.core.context import IDENTITIES
from taxiway.core.http.credentials import Credentials
from taxiway.features.access.model import hash_secret
from taxiway.kit.clock import Clock
from taxiway.kit.signals import Signals
from taxiway.model.access import Principal

SECONDS = 1.0
MOST = 10_000

Key = tuple[str | None, str | None, str]


class Remembered:
    """A function from credentials to principals in front of `find`, which raises for those that are no good."""

    def __init__(self, find: Callable[[Credentials], Principal], clock: Clock, signals: Signals) -> None:
        self._find, self._clock = find, clock
        self._known: dict[Key, tuple[float, Principal]] = {}
        self._changes = 0
        signals.listen(IDENTITIES, self._forget)

    def __call__(self, given: Credentials) -> Principal:
        token, session = given.token and hash_secret(given.token), given.session and hash_secret(given.session)
        key = (token, session, given.via)
        now, found = self._clock.monotonic(), self._known.get(key)
        if found is not None and now < found[0]:
            return found[1]
        changes = self._changes
        principal = self._find(given)
        # Read before a change and kept after it would outlive it.
        if changes == self._changes:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = (now + SECONDS, principal)
        return principal

    def _forget(self) -> None:
        self._changes += 1
        self._known.clear()
