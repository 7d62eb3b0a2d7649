"""Settings of the process destination."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import PluginSettings


class ProcessSettings(PluginSettings):
    """Ports and patience. Keep both port ranges below the kernel's ephemeral ports."""

    first_port: int = Field(20000, ge=1024, le=65535, description="first port that workloads may get")
    last_port: int = Field(29999, ge=1024, le=65535, description="last port that workloads may get")
    first_service_port: int = Field(18000, ge=1024, le=65535, description="first port of services among each other")
    last_service_port: int = Field(19999, ge=1024, le=65535, description="last port of services among each other")
    router_port: int = Field(0, ge=0, le=65535, description="port of the router; 0: the one used last, or a free one")
    ready_seconds: float = Field(60.0, gt=0, description="how long a new instance may take to become ready")
    drain_seconds: float = Field(10.0, ge=0, description="how long open requests may hold an old instance")
    log_bytes: int = Field(10_000_000, ge=100_000, description="output kept for each instance, in bytes")
    install_seconds: float = Field(300.0, gt=0, description="how long the packages of a release may take to install")
    job_backoff_seconds: float = Field(
        10.0, gt=0, description="pause before a failed job is tried again; doubled each time, six minutes at most"
    )
