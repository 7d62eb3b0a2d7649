"""Settings of the local PostgreSQL server."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import PluginSettings


class PostgresLocalSettings(PluginSettings):
    """Where the server's programs are, whom it runs as, and its bounds."""

    bin_folder: str | None = Field(None, description="folder with initdb and postgres; none: the pip package's")
    user: str | None = Field(None, description="system user of the server when Taxiway runs as root; none: chosen")
    shared_buffers: str = Field("32MB", description="PostgreSQL's own page cache")
    max_connections: int = Field(200, ge=10, le=2000, description="connections of all databases together")
    connections_per_role: int = Field(50, ge=1, le=2000, description="connections of one resource")
    start_seconds: float = Field(60.0, gt=0, description="longest time until the server answers, recovery included")
