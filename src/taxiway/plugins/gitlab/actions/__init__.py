"""Scaffolder actions on GitLab, with the names, inputs and outputs of Backstage's module for it.

Each module makes some of them from a `GitLab` (see `base`); the modules are loaded when an action is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, PluginContext

if TYPE_CHECKING:
    from taxiway.plugins.gitlab.client import GitLabClients

MODULES: Mapping[str, str] = {
    "publish:gitlab": "publishing",
    "publish:gitlab:merge-request": "merging",
    "gitlab:repo:push": "pushing",
    "gitlab:group:ensureExists": "groups",
    "gitlab:group:access": "access",
    "gitlab:group:migrate": "migrating",
    "gitlab:issues:create": "issues",
    "gitlab:issue:edit": "issues",
    "gitlab:pipeline:trigger": "pipelines",
    "gitlab:projectAccessToken:create": "tokens",
    "gitlab:projectDeployToken:create": "tokens",
    "gitlab:projectVariable:create": "variables",
    "gitlab:user:info": "users",
}
"""Which module makes which action."""


def actions(ctx: PluginContext, clients: Callable[[], GitLabClients]) -> Sequence[tuple[str, Any]]:
    """The contributions to the point `action`."""

    def make(key: str) -> Any:
        from taxiway.plugins.gitlab.actions.base import GitLab

        made = import_module(f"taxiway.plugins.gitlab.actions.{MODULES[key]}").make(GitLab(ctx, clients()))
        return next(action for action in made if action.key == key)

    def later(key: str) -> Later:
        return Later(key, lambda: make(key))

    return [("action", later(key)) for key in MODULES]
