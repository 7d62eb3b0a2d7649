"""Settings of the built-in forge."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import PluginSettings


class GitLocalSettings(PluginSettings):
    """Bounds on what clients may send."""

    max_push_bytes: int = Field(128 * 1024 * 1024, description="largest pack that a push may send, in bytes")
    idle_seconds: float = Field(60.0, description="a client that sends or reads nothing for so long is cut off")
    concurrent_requests: int = Field(8, description="git processes at once; further requests wait")
