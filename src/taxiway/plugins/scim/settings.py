"""Settings of the SCIM endpoints."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import PluginSettings


class ScimSettings(PluginSettings):
    """Bounds of what identity providers may push."""

    most_resources: int = Field(
        50_000, ge=1, description="people, and groups, that may be pushed: more are refused, not kept"
    )
