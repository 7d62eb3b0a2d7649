"""Settings of the Bitbucket plugin: which Bitbuckets there are, and the credential for each."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from taxiway.plugin import CredentialRef, PluginSettings

CLOUD = "bitbucket.org"


class BitbucketHost(BaseModel):
    """Bitbucket Cloud (`bitbucket.org`), or a Bitbucket Data Center (Server)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(CLOUD, description="where people reach it: bitbucket.org, or a Data Center of one's own")
    api_url: str | None = Field(
        None, description="address of its API; default: Cloud's, or <host>/rest/api/1.0 of a Data Center"
    )
    username: str = Field("", description="whose token it is, for API tokens of Cloud; empty: an access token")
    token: CredentialRef = Field(description="a token that may read repositories: secret://… or env:NAME")
    cloud: bool | None = Field(None, description="whether its API is Cloud's; none: as the host says")
    scheme: str = Field("https", pattern="^https?$", description="http only where there is no TLS at all")

    @property
    def is_cloud(self) -> bool:
        """Whether its API is that of Bitbucket Cloud."""
        return self.host == CLOUD if self.cloud is None else self.cloud

    @property
    def api(self) -> str:
        """The address of the API, without a trailing slash."""
        own = f"{self.scheme}://{self.host}/rest/api/1.0"
        return (self.api_url or ("https://api.bitbucket.org/2.0" if self.is_cloud else own)).rstrip("/")


class BitbucketSettings(PluginSettings):
    """The Bitbuckets that Taxiway may talk to."""

    hosts: tuple[BitbucketHost, ...] = Field((), description="each Bitbucket, by `host`")
