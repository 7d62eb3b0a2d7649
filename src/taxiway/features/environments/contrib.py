"""What environments bring: permissions and operations. The runs are handled by delivery."""

from __future__ import annotations

from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, READ
from taxiway.features.environments import routes, tables

PERMISSIONS = {"environments.read": READ, "environments.deploy": OWNED, "environments.destroy": OWNED}
TABLES = (tables.release, tables.deployment, tables.service_status, tables.applied_object)

FEATURE = Feature("environments", PERMISSIONS, routes.operations.items)
