"""Which repositories of Azure DevOps are looked at."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings


class AzureOptions(PluginSettings):
    """An organisation of Azure DevOps Services, or a collection of an own server."""

    url: str = Field(
        pattern=r"^https?://[^/]+/.+",
        description="address of the organisation or collection: `https://dev.azure.com/acme`",
    )
    token: CredentialRef = Field(description="personal access token with the scope Code (read), by reference")
    projects: tuple[str, ...] = Field(("*",), description="names of projects, with `*` for anything")
    repositories: tuple[str, ...] = Field(("*",), description="names of repositories, with `*` for anything")
    exclude: tuple[str, ...] = Field((), description="names of repositories that are left out")
    paths: tuple[str, ...] = Field(
        ("catalog-info.yaml",), min_length=1, description="files of each repository, with `*` and `**`"
    )
    branch: str | None = Field(None, description="branch; none: each repository's default branch")
    webhook_secret: CredentialRef | None = Field(
        None, description="password that the service hook `Code pushed` sends (basic authentication), by reference"
    )
