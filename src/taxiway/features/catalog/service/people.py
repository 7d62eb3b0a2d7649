"""Who belongs to which groups, as the catalog says: the answer behind ownership.

Only trusted sources bring users and groups (`model.TRUSTED_KINDS`), so nobody can write himself into a team.
"""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.features.catalog.repository.people import step

MAX_HOPS = 20


def groups_of(platform: Platform, subject: str) -> frozenset[str]:
    """The full references of every group that `subject` is in, parents of groups included."""
    with platform.store.read() as conn:
        found = wave = step(conn, {subject}, "memberOf", "hasMember")
        for _ in range(MAX_HOPS):
            wave = step(conn, wave, "childOf", "parentOf") - found
            if not wave:
                break
            found = found | wave
    return frozenset(found)
