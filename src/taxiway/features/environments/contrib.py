"""What environments bring: permissions and operations. The runs are handled by delivery."""

from __future__ import annotations

from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, READ
from taxiway.features.environments import job_routes, routes

PERMISSIONS = {"environments.read": READ, "environments.deploy": OWNED, "environments.destroy": OWNED}

FEATURE = Feature("environments", PERMISSIONS, [*routes.operations.items, *job_routes.operations.items])
