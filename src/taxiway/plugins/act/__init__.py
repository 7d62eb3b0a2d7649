"""Runs the GitHub Actions workflows of a repository on this host with `act`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext
from taxiway.plugins.act.settings import ActSettings


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.act.caches import ForgetRepository, RepositoryCaches
    from taxiway.plugins.act.engine import ActEngine
    from taxiway.plugins.act.seed import FillSeed, Seed

    shared = ctx.settings.seed_folder
    seed = Seed(shared or ctx.cache_dir / "seed", ctx.identity("pipelines"), is_shared=shared is not None)
    caches = RepositoryCaches(ctx, seed)
    found: list[tuple[str, Any]] = [
        ("pipeline_engine", ActEngine(ctx, caches)),
        ("event_subscriber", ForgetRepository(caches)),
    ]
    if ctx.settings.prefetch:
        found.append(("background_service", FillSeed(seed)))
    return found


PLUGIN = Plugin(
    name="act",
    version="1.0.0",
    contribute=contribute,
    settings=ActSettings,
    description="GitHub Actions workflows on this machine",
    runs_repository_code=True,
)
