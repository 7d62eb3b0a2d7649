"""Which addresses serve API descriptions, and what becomes of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings


class Described(PluginSettings):
    """One address that serves an API's description."""

    url: str = Field(
        pattern=r"^https?://", description="address of the description: OpenAPI, AsyncAPI, GraphQL or gRPC"
    )
    name: str | None = Field(None, description="name of the API; none: from the title in the description")
    type: Literal["openapi", "asyncapi", "graphql", "grpc"] | None = Field(
        None, description="what it is; none: as the description says (OpenAPI and AsyncAPI do)"
    )
    owner: str | None = Field(None, description="its owner; none: the source's")
    system: str | None = Field(None, description="its system; none: the source's")
    lifecycle: str | None = Field(None, description="its lifecycle; none: the source's")


class ApiOptions(PluginSettings):
    """API descriptions that running services serve."""

    apis: tuple[Described, ...] = Field(min_length=1, max_length=2000, description="the addresses")
    owner: str = Field(min_length=1, description="owner of APIs that name none")
    system: str | None = Field(None, description="system of APIs that name none")
    lifecycle: str = Field("production", description="lifecycle of APIs that name none")
    namespace: str = Field("default", description="namespace of the APIs")
    token: CredentialRef | None = Field(None, description="bearer token for all addresses, by reference")
    header: str = Field(
        "authorization", pattern=r"^[A-Za-z0-9-]+$", description="header that the token goes into, such as x-api-key"
    )
    most_bytes: int = Field(5_000_000, ge=1, le=50_000_000, description="bytes that a description may have")
