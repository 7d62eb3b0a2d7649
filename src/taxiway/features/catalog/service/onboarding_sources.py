"""Who hosts repositories that may be onboarded: the built-in forge, plugins, and the configured sources of forges.

A configured source counts under `source:<name>`, and with the repositories that its settings ask for.
"""

from __future__ import annotations

from taxiway.core.context import Platform
from taxiway.core.settings_sources import SourceSettings
from taxiway.features.catalog.model import CONFIGURED
from taxiway.features.catalog.repository import onboarding as rows
from taxiway.features.catalog.service.configured import named, opened
from taxiway.model.errors import NotFoundError, TaxiwayError
from taxiway.plugin import EntitySource, HostingSource, RepositorySource


def host_keys(platform: Platform) -> list[str]:
    """What every host is called, the built-in forge and plugins first."""
    configured = [CONFIGURED + one.name for one in platform.settings.catalog.sources if _is_forge(platform, one)]
    return [*platform.registry.keys("repository_source"), *configured]


def host_named(platform: Platform, key: str) -> RepositorySource:
    """One host. NotFoundError when it is not there any more, InputError when its settings are wrong."""
    if not key.startswith(CONFIGURED):
        return platform.registry.get("repository_source", key, RepositorySource)
    return _hosted(platform, named(platform, key))


def _is_forge(platform: Platform, settings: SourceSettings) -> bool:
    try:
        source = platform.registry.get("entity_source", settings.type, EntitySource)
    except TaxiwayError:
        return False  # the list of sources tells of it
    return isinstance(source, HostingSource)


def _hosted(platform: Platform, settings: SourceSettings) -> RepositorySource:
    source, options = opened(platform, settings)
    if not isinstance(source, HostingSource):
        raise NotFoundError(
            f"the source {settings.name} hosts no repositories: look at the repositories again",
            code="catalog.no_repository",
        )
    key = CONFIGURED + settings.name
    with platform.store.read() as conn:
        known = rows.states(conn, key)
    return source.hosting(key, options, known.get)
