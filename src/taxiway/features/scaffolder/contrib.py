"""What the scaffolder brings to the platform."""

from __future__ import annotations

import os
from functools import partial

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, READ, Grant
from taxiway.core.plugins.host import identity_for
from taxiway.features.scaffolder.actions.command import command_action
from taxiway.features.scaffolder.actions.fetch import fetch_actions
from taxiway.features.scaffolder.actions.files import file_actions
from taxiway.features.scaffolder.actions.groups import group_actions
from taxiway.features.scaffolder.actions.http import http_actions
from taxiway.features.scaffolder.actions.jsonata import jsonata_actions
from taxiway.features.scaffolder.actions.lookups import lookup_actions
from taxiway.features.scaffolder.actions.publish import publish_git
from taxiway.features.scaffolder.actions.pull_requests import pull_actions
from taxiway.features.scaffolder.actions.roadie import roadie_actions
from taxiway.features.scaffolder.actions.score import score_actions
from taxiway.features.scaffolder.actions.single import single_actions
from taxiway.features.scaffolder.actions.using import EXECUTE
from taxiway.features.scaffolder.actions.waits import waiting_actions
from taxiway.features.scaffolder.adoption.routes import operations as adoption_operations
from taxiway.features.scaffolder.adoption.run import AdoptHandler, FollowAdoptions
from taxiway.features.scaffolder.adoption.service import KIND as ADOPT
from taxiway.features.scaffolder.binding import OPERATE
from taxiway.features.scaffolder.checks import OwnerCheck
from taxiway.features.scaffolder.declared.action import declared_actions
from taxiway.features.scaffolder.deprecation import DeprecationCheck
from taxiway.features.scaffolder.draft_routes import operations as draft_operations
from taxiway.features.scaffolder.editing_routes import operations as editing_operations
from taxiway.features.scaffolder.execution import ForgetSecrets, ScaffoldHandler
from taxiway.features.scaffolder.quotas import QuotaCheck
from taxiway.features.scaffolder.remote import fetching
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.routes import operations
from taxiway.features.scaffolder.searching import GoldenPathSearch
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.snapshot import forget_unpacked
from taxiway.features.scaffolder.upgrade_fleet import FleetHandler
from taxiway.features.scaffolder.upgrade_routes import operations as upgrade_operations
from taxiway.features.scaffolder.upgrade_run import FollowUpgrades, UpgradeHandler
from taxiway.features.scaffolder.wizard_routes import operations as wizard_operations
from taxiway.plugin import Forge

OWNER = "feature:scaffolder"


def register(platform: Platform) -> None:
    """Add the run handler, the actions and the check, and keep the scaffolder on the platform."""
    lenient = platform.settings.scaffolder.rendering == "backstage"
    identity = identity_for(platform.settings.engines, is_root=os.geteuid() == 0)("templates")
    renderer = Renderer(identity, lenient=lenient)
    scaffolder = platform.services["scaffolder"] = Scaffolder(platform, renderer)
    platform.runs.register("scaffold", ScaffoldHandler(platform, renderer))
    platform.runs.register("upgrade", UpgradeHandler(platform, renderer))
    platform.runs.register("fleet-upgrade", FleetHandler(platform))
    platform.runs.register(ADOPT, AdoptHandler(platform, scaffolder))
    platform.runs.schedules.register("scaffolder.unpacked", 3600, partial(forget_unpacked, platform))
    add = platform.registry.add
    platform.registry.extend("action", lambda: declared_actions(platform, lambda: renderer))
    for action in [
        *fetch_actions(lambda: renderer, fetching(platform)),
        *file_actions(lambda: renderer),
        *group_actions(platform),
        *single_actions(lambda: renderer, fetching(platform)),
        *roadie_actions(lambda: renderer),
        *jsonata_actions(lambda: renderer),
        *lookup_actions(platform),
        *http_actions(platform),
        *waiting_actions(platform),
        command_action(platform),
        *pull_actions(platform),
        *score_actions(platform),
        publish_git(lambda: platform.registry.get("forge", "git_local", Forge), platform.public_url),
    ]:
        add("action", action, OWNER)
    add("plan_check", OwnerCheck(platform), OWNER)
    add("plan_check", DeprecationCheck(platform), OWNER)
    add("plan_check", QuotaCheck(platform), OWNER)
    add("search_source", GoldenPathSearch(platform), OWNER)
    add("event_subscriber", ForgetSecrets(platform), OWNER)
    add("event_subscriber", FollowUpgrades(platform), OWNER)
    add("event_subscriber", FollowAdoptions(platform), OWNER)


DEVELOPER = Grant(developer="all")
FEATURE = Feature(
    name="scaffolder",
    permissions={
        "scaffolder.read": READ,
        "scaffolder.plan": DEVELOPER,
        "scaffolder.dry_run": DEVELOPER,
        "scaffolder.task.create": DEVELOPER,
        EXECUTE: OWNED,
        OPERATE: OWNED,
    },
    operations=[
        *operations.items,
        *upgrade_operations.items,
        *adoption_operations.items,
        *draft_operations.items,
        *wizard_operations.items,
        *editing_operations.items,
    ],
    register=register,
)
