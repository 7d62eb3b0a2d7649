"""Settings of the Gitea plugin: which Giteas and Forgejos there are, and the credential for each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from taxiway.plugin import CredentialRef, PluginSettings


class GiteaHost(BaseModel):
    """One Gitea or Forgejo."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(description="where people reach it, such as git.example.com or localhost:3000")
    api_url: str | None = Field(None, description="address of its API; default: <host>/api/v1")
    token: CredentialRef | None = Field(
        None, description="a token that may read, and write for actions: secret://… or env:NAME"
    )
    scheme: str = Field("https", pattern="^https?$", description="http only where there is no TLS at all")

    @property
    def api(self) -> str:
        """The address of the API, without a trailing slash."""
        return (self.api_url or f"{self.scheme}://{self.host}/api/v1").rstrip("/")


class GiteaSettings(PluginSettings):
    """The Giteas and Forgejos that Taxiway may talk to."""

    hosts: tuple[GiteaHost, ...] = Field((), description="each Gitea or Forgejo, by `host`")
