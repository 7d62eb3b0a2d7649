"""What the catalog brings: permissions, operations, runs, push following, two scaffolder actions, groups."""

from __future__ import annotations

from functools import partial

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, PLATFORM, READ
from taxiway.features.catalog import (
    edit_routes,
    import_routes,
    kind_routes,
    onboarding_routes,
    overlay_routes,
    push_routes,
    saved_view_routes,
    sourcing_routes,
)
from taxiway.features.catalog.actions import Register, Write
from taxiway.features.catalog.import_tasks import ImportHandler
from taxiway.features.catalog.onboarding_tasks import OnboardHandler
from taxiway.features.catalog.service import (
    configured,
    groups_of,
    history,
    import_files,
    load_library,
    removals,
    saved_views,
)
from taxiway.features.catalog.service.additions import FollowAdditions
from taxiway.features.catalog.service.onboarding_forge import ForgeRepositories
from taxiway.features.catalog.service.query import index_of
from taxiway.features.catalog.service.standing_by import StandBy
from taxiway.features.catalog.service.watching import WatchSources
from taxiway.features.catalog.sources.oidc import OidcSource
from taxiway.features.catalog.tasks import (
    ComputeProperties,
    FollowKinds,
    FollowPushes,
    IngestHandler,
    ReadChanged,
    TakeOver,
)

OWNER = "feature:catalog"


def register(platform: Platform) -> None:
    """Called once by the assembly, before the server starts."""
    platform.groups_of = partial(groups_of, platform)
    platform.runs.register("ingest", IngestHandler(platform))
    platform.runs.register("import", ImportHandler(platform))
    platform.runs.schedules.register(
        history.SCHEDULE, history.EVERY_SECONDS, partial(history.remove_old_versions, platform)
    )
    platform.runs.schedules.register(
        removals.SCHEDULE, removals.EVERY_SECONDS, partial(removals.remove_old_orphans, platform)
    )
    platform.runs.schedules.register(
        import_files.SCHEDULE, import_files.EVERY_SECONDS, partial(import_files.remove_old, platform)
    )
    configured.schedule(platform)
    platform.registry.add("action", Register(platform), OWNER)
    platform.registry.add("action", Write(platform), OWNER)
    platform.registry.add("event_subscriber", FollowPushes(platform), OWNER)
    platform.registry.add("event_subscriber", TakeOver(platform), OWNER)
    platform.registry.add("event_subscriber", ReadChanged(platform), OWNER)
    platform.registry.add("event_subscriber", FollowKinds(platform), OWNER)
    platform.registry.add("event_subscriber", ComputeProperties(platform), OWNER)
    platform.registry.add("event_subscriber", FollowAdditions(platform), OWNER)
    platform.registry.add("entity_source", OidcSource(platform), OWNER)
    platform.registry.add("background_service", WatchSources(platform), OWNER)
    platform.registry.add("background_service", StandBy(platform), OWNER)
    platform.runs.register("onboard", OnboardHandler(platform))
    platform.registry.add("repository_source", ForgeRepositories(platform), OWNER)


def start(platform: Platform) -> None:
    """Called once before the server answers."""
    index_of(platform).warm()
    configured.start_new(platform)
    for source, result in load_library(platform).items():
        for problem in result.problems:
            platform.log.error("catalog.shipped_data", source=source, location=problem.location, problem=problem.detail)


FEATURE = Feature(
    "catalog",
    {
        "catalog.entity.read": READ,
        "catalog.entity.validate": READ,
        "catalog.entity.edit": OWNED,
        "catalog.entity.delete": OWNED,
        "catalog.entity.push": PLATFORM,
        "catalog.entity.refresh": OWNED,
        "catalog.location.read": READ,
        "catalog.location.analyze": OWNED,
        "catalog.location.create": OWNED,
        "catalog.location.delete": OWNED,
        "catalog.location.trust": PLATFORM,
        "catalog.people.write": PLATFORM,
        "catalog.source.refresh": PLATFORM,
        "catalog.source.review": PLATFORM,
        "catalog.onboarding.look": PLATFORM,
        **saved_views.PERMISSIONS,
    },
    [
        *sourcing_routes.operations.items,
        *import_routes.operations.items,
        *push_routes.operations.items,
        *kind_routes.operations.items,
        *edit_routes.operations.items,
        *onboarding_routes.operations.items,
        *saved_view_routes.operations.items,
        *overlay_routes.operations.items,
    ],
    register,
    start,
)
