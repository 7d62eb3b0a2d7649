"""The features of the product, low to high. Adding one means adding its `contrib` here."""

from __future__ import annotations

from taxiway.core.operations import Feature
from taxiway.features.access import contrib as access
from taxiway.features.approvals import contrib as approvals
from taxiway.features.catalog import contrib as catalog
from taxiway.features.delivery import contrib as delivery
from taxiway.features.docs import contrib as docs
from taxiway.features.environments import contrib as environments
from taxiway.features.infrastructure import contrib as infrastructure
from taxiway.features.observability import contrib as observability
from taxiway.features.pulls import contrib as pulls
from taxiway.features.scaffolder import contrib as scaffolder
from taxiway.features.search import contrib as search
from taxiway.features.webhooks import contrib as webhooks


def load_features() -> list[Feature]:
    """`FEATURE` of each feature, in order."""
    engines = (infrastructure, docs, search, webhooks, approvals, environments, scaffolder, delivery, observability)
    parts = (access, pulls, catalog, *engines)
    return [part.FEATURE for part in parts]
