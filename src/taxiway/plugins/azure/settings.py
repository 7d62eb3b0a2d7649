"""Settings of the Azure DevOps plugin: which servers there are, and the credential for each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from taxiway.plugin import CredentialRef, PluginSettings


class AzureHost(BaseModel):
    """Azure DevOps Services, or an Azure DevOps Server of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("dev.azure.com", description="where people reach it: dev.azure.com, or a server of one's own")
    path: str = Field(
        "", pattern=r"^[A-Za-z0-9/_.-]*$", description="what stands before collections: `tfs` on some servers"
    )
    token: CredentialRef = Field(
        description="a personal access token with Code (for actions: read, write, manage): secret://… or env:NAME"
    )
    scheme: str = Field("https", pattern="^https?$", description="http only where there is no TLS at all")


class AzureSettings(PluginSettings):
    """The Azure DevOps that Taxiway may talk to."""

    hosts: tuple[AzureHost, ...] = Field((), description="each Azure DevOps, by `host`")
