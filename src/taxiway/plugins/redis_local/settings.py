"""Settings of local Redis servers."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import PluginSettings


class RedisLocalSettings(PluginSettings):
    """Where the program is, and the bounds of each server."""

    program: str | None = Field(None, description="path of redis-server; none: the pip package's")
    maxmemory: str = Field("64mb", description="memory for the data of one server; writes fail above it")
    maxclients: int = Field(200, ge=1, le=10_000, description="connections to one server")
    start_seconds: float = Field(30.0, gt=0, description="longest time until a server answers, loading included")
