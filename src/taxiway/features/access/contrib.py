"""What access brings: its permissions, its operations, and the function that tells who makes a request."""

from __future__ import annotations

from functools import partial

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import ADMIN, Grant
from taxiway.features.access.role_routes import operations
from taxiway.features.access.service import authenticate
from taxiway.features.access.service.remembered import Remembered

PERMISSIONS = {
    "access.tokens": Grant(viewer="own", developer="own", platform="own"),
    "access.accounts": ADMIN,
    "access.roles": ADMIN,
}


def register(platform: Platform) -> None:
    """Called once by the assembly."""
    platform.authenticate = Remembered(partial(authenticate, platform), platform.clock, platform.signals)


FEATURE = Feature("access", PERMISSIONS, operations.items, register)
