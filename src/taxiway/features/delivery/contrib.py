"""What delivery brings: run handlers, the reconciler, subscribers, the action `taxiway:deploy`, and its operations."""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.core.permissions import OWNED, READ
from taxiway.features.delivery import routes
from taxiway.features.delivery.actions import DeployAction
from taxiway.features.delivery.decommission_action import decommission_action
from taxiway.features.delivery.environment_actions import environment_actions
from taxiway.features.delivery.job_actions import job_action
from taxiway.features.delivery.operating_actions import operating_actions
from taxiway.features.delivery.reconciler import PushSubscriber, Reconciler
from taxiway.features.delivery.subscribers import (
    AbandonedSubscriber,
    AutoDeploySubscriber,
    ComponentSubscriber,
    PipelineSubscriber,
    PullSubscriber,
)
from taxiway.features.delivery.tasks.deploy import DeployHandler
from taxiway.features.delivery.tasks.destroy import DestroyHandler, Remover
from taxiway.features.delivery.tasks.pipeline import PipelineHandler

OWNER = "feature:delivery"


def register(platform: Platform) -> None:
    """Add handlers and contributions."""
    reconciler = Reconciler(platform)
    remover = DestroyHandler(platform, reconciler)
    platform.runs.register("pipeline", PipelineHandler(platform))
    platform.runs.register("deploy", DeployHandler(platform, reconciler))
    platform.runs.register("destroy", remover)
    platform.runs.register("decommission", remover)
    platform.registry.add("background_service", reconciler, OWNER)
    removing = Remover(platform, reconciler)
    for action in (
        DeployAction(platform, removing),
        job_action(platform),
        *environment_actions(platform, removing),
        *operating_actions(platform),
        decommission_action(platform),
    ):
        platform.registry.add("action", action, OWNER)
    for subscriber in (
        PushSubscriber(reconciler),
        PipelineSubscriber(platform),
        PullSubscriber(platform),
        AbandonedSubscriber(platform),
        ComponentSubscriber(platform),
        AutoDeploySubscriber(platform),
    ):
        platform.registry.add("event_subscriber", subscriber, OWNER)


PERMISSIONS = {"delivery.read": READ, "repositories.read": READ, "repositories.write": OWNED}
"""The last two are what the forge asks for when somebody clones or pushes."""

FEATURE = Feature("delivery", PERMISSIONS, routes.operations.items, register)
