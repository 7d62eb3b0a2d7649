"""Operations of the platform itself: what runs here, its settings, its plugins, its figures, and what plugins add to
the portal."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

from fastapi import Request
from pydantic import BaseModel
from starlette.responses import Response

import taxiway
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes, json_list
from taxiway.core.operations import Feature, Operations
from taxiway.core.permissions import PLATFORM, READ
from taxiway.core.plugins.host import public_url_of
from taxiway.core.settings import describe
from taxiway.plugin import API_VERSION, PortalCard, PortalPage

operations = Operations("system")


class Info(BaseModel):
    """What runs here."""

    version: str
    python: str
    organisation: str
    demo: bool
    database: str
    public_url: str
    plugin_api_version: int
    workers: int


class SettingView(BaseModel):
    """One setting; secrets are masked."""

    key: str
    value: Any
    source: str
    description: str


class SettingList(BaseModel):
    """All settings."""

    items: list[SettingView]
    next_cursor: str | None


class ContributionView(BaseModel):
    """One thing that a plugin adds."""

    point: str
    key: str


class PluginView(BaseModel):
    """A plugin and how it stands; `reason` says why it is not loaded, or what of it could not be made."""

    name: str
    state: str
    reason: str
    version: str
    description: str
    distribution: str
    runs_repository_code: bool
    contributions: list[ContributionView]


class PluginList(BaseModel):
    """All plugins."""

    items: list[PluginView]
    next_cursor: str | None


class PortalAdditions(BaseModel):
    """Cards and pages that plugins add to the portal, as data."""

    cards: list[dict[str, Any]]
    pages: list[dict[str, Any]]


@operations.get("/api/system/v1/info", "system.read", response=Info)
def get_info(ctx: Ctx) -> Any:
    """What runs here."""
    settings = ctx.platform.settings
    return json_bytes(
        {
            "version": taxiway.__version__,
            "python": sys.version.split()[0],
            "organisation": settings.organisation,
            "demo": settings.demo,
            "database": ctx.platform.store.dialect,
            "public_url": public_url_of(settings),
            "plugin_api_version": API_VERSION,
            "workers": settings.workers,
        }
    )


@operations.get("/api/system/v1/config", "system.config", response=SettingList)
def get_config(ctx: Ctx) -> Any:
    """Every setting with the source of its value; secrets are masked."""
    return json_list(
        {"key": key, "value": _plain(value), "source": source, "description": text}
        for key, value, source, text in describe(ctx.platform.loaded)
    )


@operations.get("/metrics", "system.metrics", hidden=True)
def get_metrics(ctx: Ctx, request: Request) -> Response:
    """Figures of this process in the text format of Prometheus."""
    rendered: Response = request.app.state.metrics.render()
    return rendered


@operations.get("/api/plugins/v1/plugins", "system.read", response=PluginList)
def list_plugins(ctx: Ctx) -> Any:
    """Plugins with what they contribute, and why one is not loaded."""
    return json_list(_plugin(ctx, item) for item in ctx.platform.plugins)


@operations.get("/api/plugins/v1/portal", "system.read", response=PortalAdditions)
def get_portal(ctx: Ctx) -> Any:
    """Cards and pages that plugins add to the portal."""
    cards: list[PortalCard] = ctx.platform.registry.all("portal_card")
    pages: list[PortalPage] = ctx.platform.registry.all("portal_page")
    return json_bytes(
        {
            "cards": [asdict(card) for card in cards],
            "pages": [asdict(page) for page in pages],
        }
    )


PERMISSIONS = {"system.read": READ, "system.config": PLATFORM, "system.metrics": PLATFORM}
FEATURE = Feature("system", PERMISSIONS, operations.items)


def _plugin(ctx: Ctx, item: Any) -> dict[str, Any]:
    plugin = item.plugin
    return {
        "name": item.name,
        "state": item.state,
        "reason": item.reason or "; ".join(ctx.platform.registry.trouble(item.name)),
        "version": plugin.version if plugin else "",
        "description": plugin.description if plugin else "",
        "distribution": item.distribution,
        "runs_repository_code": bool(plugin and plugin.runs_repository_code),
        "contributions": [
            {"point": found.point, "key": found.key}
            for found in (ctx.platform.registry.contributions(item.name) if plugin else ())
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, dict, type(None))) else str(value)
