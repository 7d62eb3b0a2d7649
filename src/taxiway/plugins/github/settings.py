"""Settings of the GitHub plugin: which GitHubs there are, and the credential for each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from taxiway.plugin import CredentialRef, PluginSettings

PUBLIC = "github.com"


class GitHubApp(BaseModel):
    """A GitHub App: tokens of its installations are asked for as they are needed, and last an hour."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    app_id: str = Field(description="the App's id or client id")
    private_key: CredentialRef = Field(description="its private key in PEM form: secret://… or env:NAME")


class GitHubHost(BaseModel):
    """One GitHub: github.com, or a GitHub Enterprise Server."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(PUBLIC, description="where people reach it, such as github.com or ghe.example.com:8443")
    api_url: str | None = Field(None, description="address of its API; default: api.github.com, or <host>/api/v3")
    token: CredentialRef | None = Field(None, description="a token: secret://… or env:NAME")
    app: GitHubApp | None = Field(None, description="a GitHub App instead of a token")
    scheme: str = Field("https", pattern="^https?$", description="http only where there is no TLS at all")

    @model_validator(mode="after")
    def _one_credential(self) -> GitHubHost:
        if self.token is not None and self.app is not None:
            raise ValueError("give a token or an app, not both")
        return self

    @property
    def api(self) -> str:
        """The address of the API, without a trailing slash."""
        if self.api_url is not None:
            return self.api_url.rstrip("/")
        return "https://api.github.com" if self.host == PUBLIC else f"{self.scheme}://{self.host}/api/v3"

    @property
    def graphql(self) -> str:
        """The address of the GraphQL API."""
        return f"{self.api.removesuffix('/v3')}/graphql"


class GitHubSettings(PluginSettings):
    """The GitHubs that Taxiway may talk to."""

    hosts: tuple[GitHubHost, ...] = Field((GitHubHost(),), description="each GitHub, by `host`")
