"""Finds plugins by entry point, validates their settings, and registers what they contribute.

One plugin that fails is shown with its reason and costs nothing else. Called once by the assembly; embedded engines and
outside packages are treated alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import ValidationError

from taxiway.core.context import Platform
from taxiway.core.plugins.host import plugin_context
from taxiway.core.settings import Settings
from taxiway.model.errors import InputError, TaxiwayError
from taxiway.plugin import API_VERSION, BackgroundService, Plugin, PluginContext

GROUP = "taxiway.plugins"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
State = Literal["loaded", "failed", "disabled"]


@dataclass(frozen=True)
class LoadedPlugin:
    """How a plugin stands: what it says of itself, and why it is not there when it is not."""

    name: str
    distribution: str
    state: State
    reason: str = ""
    plugin: Plugin | None = None
    context: PluginContext | None = None


def load_plugins(
    platform: Platform, logger: Callable[[str], Any], found: Iterable[EntryPoint] | None = None
) -> list[LoadedPlugin]:
    """Load every plugin, by name. `logger(name)` gives a plugin's log; `found` replaces the installed entry points."""
    points = sorted(entry_points(group=GROUP) if found is None else found, key=lambda point: point.name)
    results: list[LoadedPlugin] = []
    for point in points:
        result = _load_one(platform, point, logger, {item.name: item for item in results})
        if result.state == "failed":
            platform.log.error("plugin.failed", plugin=result.name, reason=result.reason)
        results.append(result)
    return results


def check_exposure(settings: Settings, plugins: Iterable[LoadedPlugin]) -> None:
    """InputError when host engines would be reachable from other machines and nobody has said that this is wanted."""
    engines = [item.name for item in plugins if item.plugin is not None and item.plugin.runs_repository_code]
    if settings.host in LOOPBACK or settings.engines.allow_host_engines or not engines:
        return
    raise InputError(
        f"{', '.join(engines)} run code from repositories on this host, so Taxiway listens on loopback only, not on "
        f"{settings.host}: set host to 127.0.0.1, disable these plugins, or set engines.allow_host_engines",
        code="settings.exposed",
    )


def _load_one(
    platform: Platform, point: EntryPoint, logger: Callable[[str], Any], earlier: dict[str, LoadedPlugin]
) -> LoadedPlugin:
    distribution = point.dist.name if point.dist is not None else ""
    if point.name in platform.settings.disabled_plugins:
        return LoadedPlugin(point.name, distribution, "disabled", "named in disabled_plugins")
    try:
        if point.name in earlier:
            other = earlier[point.name].distribution
            raise InputError(f"both {other} and {distribution} bring a plugin '{point.name}': uninstall one of them")
        plugin = _checked(point)
        values = platform.settings.plugins.get(point.name, {})
        settings = plugin.settings.model_validate(values)
        context = plugin_context(platform, plugin.name, settings, logger(plugin.name))
        for name, value in plugin.contribute(context):
            platform.registry.add(name, value, plugin.name)
    except Exception as error:
        if point.name not in earlier:
            platform.registry.remove_owner(point.name)
        return LoadedPlugin(point.name, distribution, "failed", _reason(point.name, error))
    return LoadedPlugin(plugin.name, distribution, "loaded", plugin=plugin, context=context)


def _checked(point: EntryPoint) -> Plugin:
    plugin = point.load()
    if not isinstance(plugin, Plugin):
        raise InputError(f"the entry point {point.value} is a {type(plugin).__name__}, not a taxiway.plugin.Plugin")
    if plugin.name != point.name:
        raise InputError(f"the plugin calls itself '{plugin.name}', its entry point '{point.name}': make them equal")
    if plugin.api_version != API_VERSION:
        raise InputError(
            f"it was made for version {plugin.api_version} of the plugin contract, this Taxiway has {API_VERSION}: "
            "install a matching version of the plugin"
        )
    return plugin


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, ValidationError):
        parts = (".".join(str(part) for part in item["loc"]) + ": " + item["msg"] for item in error.errors())
        return f"wrong settings under plugins.{name}: {'; '.join(parts)}"
    if isinstance(error, TaxiwayError):
        return error.detail
    if isinstance(error, ImportError):
        return f"it cannot be imported: {error}"
    return f"{type(error).__name__}: {error}"


def background_services(
    platform: Platform, logger: Callable[[str], Any]
) -> list[tuple[BackgroundService, PluginContext]]:
    """Every background service with the context that it runs in; a feature's gets one under the feature's name."""
    contexts = {item.name: item.context for item in platform.plugins if item.context is not None}
    found: list[tuple[BackgroundService, PluginContext]] = []
    for item in platform.registry.contributions():
        if item.point != "background_service":
            continue
        if item.owner not in contexts:
            name = item.owner.replace(":", "-")
            contexts[item.owner] = plugin_context(platform, name, None, logger(name))
        service = platform.registry.get(item.point, item.key, BackgroundService)
        found.append((service, contexts[item.owner]))
    return found
