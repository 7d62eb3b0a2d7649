"""Scaffolder actions on GitHub, with the names, inputs and outputs of Backstage's module for it.

Each module makes some of them from a `GitHub` (see `base`); the modules are loaded when an action is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, PluginContext

if TYPE_CHECKING:
    from taxiway.plugins.github.client import GitHubClients

MODULES: Mapping[str, str] = {
    "publish:github": "publishing",
    "github:repo:create": "publishing",
    "github:repo:push": "publishing",
    "publish:github:pull-request": "pulls",
    "github:actions:dispatch": "workflows",
    "github:autolinks:create": "links",
    "github:branch-protection:create": "protection",
    "github:repo:rulesets:create": "protection",
    "github:deployKey:create": "keys",
    "github:environment:create": "environments",
    "github:issues:create": "issues",
    "github:issues:label": "issues",
    "github:pages:enable": "pages",
    "github:webhook": "links",
}
"""Which module makes which action."""


def actions(ctx: PluginContext, clients: Callable[[], GitHubClients]) -> Sequence[tuple[str, Any]]:
    """The contributions to the point `action`."""

    def make(key: str) -> Any:
        from taxiway.plugins.github.actions.base import GitHub

        made = import_module(f"taxiway.plugins.github.actions.{MODULES[key]}").make(GitHub(ctx, clients()))
        return next(action for action in made if action.key == key)

    def later(key: str) -> Later:
        return Later(key, lambda: make(key))

    return [("action", later(key)) for key in MODULES]
