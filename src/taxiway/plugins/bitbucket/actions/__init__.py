"""Scaffolder actions on both kinds of Bitbucket, with the names, inputs and outputs of Backstage's modules for them.

Each module makes some of them from a `Bitbucket` (see `base`); the modules are loaded when an action is first used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from taxiway.plugin import Later, PluginContext

if TYPE_CHECKING:
    from taxiway.plugins.bitbucket.client import BitbucketClients

MODULES: Mapping[str, str] = {
    "publish:bitbucket": "publishing",
    "publish:bitbucketCloud": "publishing",
    "publish:bitbucketServer": "publishing",
    "publish:bitbucketCloud:pull-request": "pulls",
    "publish:bitbucketServer:pull-request": "pulls",
    "bitbucketCloud:branchRestriction:create": "restrictions",
    "bitbucket:pipelines:run": "pipelines",
}
"""Which module makes which action."""


def actions(ctx: PluginContext, clients: Callable[[], BitbucketClients]) -> Sequence[tuple[str, Any]]:
    """The contributions to the point `action`."""

    def make(key: str) -> Any:
        from taxiway.plugins.bitbucket.actions.base import Bitbucket

        made = import_module(f"taxiway.plugins.bitbucket.actions.{MODULES[key]}").make(Bitbucket(ctx, clients()))
        return next(action for action in made if action.key == key)

    def later(key: str) -> Later:
        return Later(key, lambda: make(key))

    return [("action", later(key)) for key in MODULES]
