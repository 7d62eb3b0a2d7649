"""Reactions to events: pull requests follow the pushes and the end of their repositories. At least once each."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import Platform
from taxiway.features.pulls.service.following import follow_deletion, follow_push
from taxiway.model.access import Principal
from taxiway.model.errors import TaxiwayError, UnavailableError
from taxiway.model.event import Event

HEADS = "refs/heads/"


class PushFollower:
    """Heads move, branches go, and what was pushed onto the base by hand is merged."""

    key = "pulls.pushes"
    types: Sequence[str] = ("dev.taxiway.repository.pushed.v1", "dev.cdevents.repository.deleted.")

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        name, ref = str(event.data.get("repository", "")), str(event.data.get("ref", ""))
        mine = self._platform.system("pulls")
        by = str(event.data.get("pusher") or "") or None
        ctx = mine.acting_as(
            Principal(mine.principal.subject, mine.principal.roles, on_behalf_of=by, via=mine.principal.via)
        )
        try:
            if event.type.startswith("dev.cdevents."):
                follow_deletion(ctx, name)
            elif ref.startswith(HEADS):
                follow_push(ctx, name, ref.removeprefix(HEADS))
        except UnavailableError:
            raise
        except TaxiwayError as error:
            self._platform.log.warning("pulls_not_followed", repository=name, ref=ref, reason=error.detail)
