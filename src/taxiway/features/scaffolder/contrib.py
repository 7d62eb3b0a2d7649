"""What the scaffolder brings to the platform."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import READ, Grant
from taxiway.features.scaffolder.actions.fetch import fetch_actions
from taxiway.features.scaffolder.actions.files import file_actions
from taxiway.features.scaffolder.actions.groups import group_actions
from taxiway.features.scaffolder.actions.http import http_actions
from taxiway.features.scaffolder.actions.lookups import lookup_actions
from taxiway.features.scaffolder.actions.publish import publish_git
from taxiway.features.scaffolder.actions.pull_requests import pull_actions
from taxiway.features.scaffolder.actions.roadie import roadie_actions
from taxiway.features.scaffolder.actions.single import single_actions
from taxiway.features.scaffolder.actions.waits import waiting_actions
from taxiway.features.scaffolder.checks import OwnerCheck
from taxiway.features.scaffolder.execution import ForgetSecrets, ScaffoldHandler
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.routes import operations
from taxiway.features.scaffolder.searching import GoldenPathSearch
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.upgrade_fleet import FleetHandler
from taxiway.features.scaffolder.upgrade_routes import operations as upgrade_operations
from taxiway.features.scaffolder.upgrade_run import FollowUpgrades, UpgradeHandler
from taxiway.plugin import Forge, Identity

OWNER = "feature:scaffolder"


def register(platform: Platform) -> None:
    """Add the run handler, the actions and the check, and keep the scaffolder on the platform."""
    lenient = platform.settings.scaffolder.rendering == "backstage"
    renderer = Renderer(_identity(platform), lenient=lenient)
    platform.services["scaffolder"] = Scaffolder(platform, renderer)
    platform.runs.register("scaffold", ScaffoldHandler(platform, renderer))
    platform.runs.register("upgrade", UpgradeHandler(platform, renderer))
    platform.runs.register("fleet-upgrade", FleetHandler(platform))
    add = platform.registry.add
    for action in [
        *fetch_actions(lambda: renderer),
        *file_actions(),
        *group_actions(platform),
        *single_actions(lambda: renderer),
        *roadie_actions(lambda: renderer),
        *lookup_actions(platform),
        *http_actions(platform),
        *waiting_actions(platform),
        *pull_actions(platform),
        publish_git(lambda: platform.registry.get("forge", "git_local", Forge), platform.public_url),
    ]:
        add("action", action, OWNER)
    add("plan_check", OwnerCheck(platform), OWNER)
    add("search_source", GoldenPathSearch(platform), OWNER)
    add("event_subscriber", ForgetSecrets(platform), OWNER)
    add("event_subscriber", FollowUpgrades(platform), OWNER)


def _identity(platform: Platform) -> Identity:
    import os

    uid = platform.settings.engines.template_uid if os.geteuid() == 0 else None
    return Identity(uid, uid)


DEVELOPER = Grant(developer="all")
FEATURE = Feature(
    name="scaffolder",
    permissions={
        "scaffolder.read": READ,
        "scaffolder.plan": DEVELOPER,
        "scaffolder.dry_run": DEVELOPER,
        "scaffolder.task.create": DEVELOPER,
    },
    operations=[*operations.items, *upgrade_operations.items],
    register=register,
)
