"""Settings of the GitLab plugin: which GitLabs there are, and the credential for each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from taxiway.plugin import CredentialRef, PluginSettings

PUBLIC = "gitlab.com"


class GitLabHost(BaseModel):
    """One GitLab: gitlab.com, or one of your own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(PUBLIC, description="where people reach it, such as gitlab.com or git.example.com:8443")
    api_url: str | None = Field(None, description="address of its API; default: <host>/api/v4")
    token: CredentialRef | None = Field(
        None, description="a token that may read, and for actions write: secret://… or env:NAME"
    )
    scheme: str = Field("https", pattern="^https?$", description="http only where there is no TLS at all")

    @property
    def api(self) -> str:
        """The address of the API, without a trailing slash."""
        return (self.api_url or f"{self.scheme}://{self.host}/api/v4").rstrip("/")


class GitLabSettings(PluginSettings):
    """The GitLabs that Taxiway may talk to."""

    hosts: tuple[GitLabHost, ...] = Field((GitLabHost(),), description="each GitLab, by `host`")
