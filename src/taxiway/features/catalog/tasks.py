"""Work beside requests: the run kind `ingest`, following pushes to repositories, and names that become free."""

from __future__ import annotations

from dataclasses import replace

from taxiway.core.context import OpContext, Platform
from taxiway.core.runs.handler import BaseHandler, StepResult
from taxiway.features.catalog import service
from taxiway.features.catalog.model import ApplyResult
from taxiway.features.catalog.service.configured import earlier_reading, named, read_changed
from taxiway.features.catalog.service.ingesting import follow_in_batches
from taxiway.features.catalog.service.kinds import follow_kind
from taxiway.features.catalog.service.locations import get_location, turn
from taxiway.features.catalog.service.properties import compute_pending
from taxiway.features.catalog.service.property_marks import OUTDATED
from taxiway.features.catalog.service.refused import take_over
from taxiway.features.catalog.service.sourcing import take_in
from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.model.event import Event
from taxiway.model.run import Run, Step
from taxiway.plugin import StepContext

TURN_SECONDS = 1.0
PUSHED = "dev.taxiway.repository.pushed.v1"
DELETED = "dev.cdevents.repository.deleted.0.3.0"
KIND = "dev.taxiway.kind.changed.v1"
GONE, ORPHANED = "dev.taxiway.entity.deleted.v1", "dev.taxiway.entity.orphaned.v1"
CHANGED = "dev.taxiway.source.changed.v1"


class IngestHandler(BaseHandler):
    """Takes one location, or one configured source, in, in batches; cancelling stops between two of them.

    Running it again converges."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def execute(self, run: Run, step: Step, ctx: StepContext) -> StepResult:
        op = OpContext(self._platform, ctx.principal, run.id)
        if "source" in run.input:
            name = str(run.input["source"])
            while (earlier := earlier_reading(self._platform, name, run.id)) is not None:
                ctx.wait_for_run(earlier)
            return StepResult(dict(take_in(op, named(self._platform, name), run.id, ctx)))
        found = self._in_turn(op, str(run.input["location_id"]), ctx)
        names = ("created", "updated", "unchanged", "orphaned", "deleted", "held", "problems")
        return StepResult({name: len(getattr(found, name)) for name in names})

    def _in_turn(self, op: OpContext, location_id: str, ctx: StepContext) -> ApplyResult:
        # Each other reading ends; whoever does not want to wait for it cancels the run.
        while True:
            with turn(self._platform, location_id, TURN_SECONDS) as came:
                if came or ctx.cancelled.is_set():
                    current = get_location(self._platform, location_id)
                    return follow_in_batches(op, current, ctx.cancelled.is_set, ctx.log)


class FollowPushes:
    """Refreshes locations when their repository's default branch moves. Safe to repeat."""

    key = "catalog_follow_pushes"
    types = (PUSHED, DELETED)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        data = event.data
        if event.type == PUSHED and data["ref"] != f"refs/heads/{data['default_branch']}":
            return
        ctx = self._platform.system("catalog")
        if data.get("pusher"):
            # It is done with the platform's rights, and told as the work of whoever pushed.
            ctx = ctx.acting_as(replace(ctx.principal, on_behalf_of=str(data["pusher"])))
        for location in service.list_locations(self._platform, repository=data["repository"]):
            try:
                service.refresh_location(ctx, location.id)
            except NotFoundError:
                continue  # unregistered in the meantime
            except TaxiwayError as error:
                self._platform.log.warning("catalog.refresh_failed", location=location.reference, error=error.detail)
                raise


class TakeOver:
    """Lets sources whose claim to a name was refused have it, when the name is free. Safe to repeat."""

    key = "catalog_take_over"
    types = (GONE, ORPHANED)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        take_over(self._platform.system("catalog"), event.data["ref"])


class ReadChanged:
    """Reads sources again whose plugin says that something changed. Safe to repeat."""

    key = "catalog_read_changed"
    types = (CHANGED,)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        read_changed(self._platform.system("catalog"), str(event.data["type"]))


class FollowKinds:
    """Judges entities again when their kind was declared, changed or deleted. Safe to repeat."""

    key = "catalog_follow_kinds"
    types = (KIND,)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        follow_kind(self._platform.system("catalog"), event.data["ref"])


class ComputeProperties:
    """Computes properties that are out of date, until none is. Safe to repeat."""

    key = "catalog_compute_properties"
    types = (OUTDATED,)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        compute_pending(self._platform.system("catalog"))
