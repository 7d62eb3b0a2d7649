"""What webhooks bring: one permission, their operations, and the service that sends."""

from __future__ import annotations

from functools import partial

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import ADMIN
from taxiway.features.webhooks.routes import operations
from taxiway.features.webhooks.service.keeping import MANAGE, forget_old
from taxiway.features.webhooks.service.sending import Sender

SCHEDULE, EVERY_SECONDS = "webhooks.deliveries", 6 * 3600


def register(platform: Platform) -> None:
    """Called once by the assembly, before the server starts."""
    platform.registry.add("background_service", Sender(platform), "feature:webhooks")
    platform.runs.schedules.register(SCHEDULE, EVERY_SECONDS, partial(forget_old, platform))


FEATURE = Feature("webhooks", {MANAGE: ADMIN}, operations.items, register)
