"""Which repositories of Bitbucket are looked at."""

from __future__ import annotations

from pydantic import Field, model_validator

from taxiway.plugin import CredentialRef, PluginSettings


class BitbucketOptions(PluginSettings):
    """A workspace of Bitbucket Cloud, or a Bitbucket Data Center (Server)."""

    url: str | None = Field(
        None, pattern=r"^https?://", description="address of an own Bitbucket Data Center; none: Bitbucket Cloud"
    )
    workspace: str | None = Field(None, description="workspace of Bitbucket Cloud")
    username: str = Field(
        "", description="who the token is of, for Bitbucket Cloud's API tokens; empty: it is an access token (bearer)"
    )
    token: CredentialRef = Field(description="token that may read repositories, by reference")
    projects: tuple[str, ...] = Field(("*",), description="keys of projects, with `*` for anything")
    repositories: tuple[str, ...] = Field(("*",), description="names of repositories, with `*` for anything")
    exclude: tuple[str, ...] = Field((), description="names of repositories that are left out")
    archived: bool = Field(False, description="whether archived repositories are read (Data Center)")
    paths: tuple[str, ...] = Field(
        ("catalog-info.yaml",), min_length=1, description="files of each repository, with `*` and `**`"
    )
    branch: str | None = Field(None, description="branch; none: each repository's main branch")
    webhook_secret: CredentialRef | None = Field(
        None, description="secret that webhooks are signed with (`repo:push`, `repo:refs_changed`), by reference"
    )
    cloud_api: str = Field("https://api.bitbucket.org", description="address of Bitbucket Cloud's API")

    @model_validator(mode="after")
    def _one_of_both(self) -> BitbucketOptions:
        if (self.url is None) == (self.workspace is None):
            raise ValueError("name the `workspace` of Bitbucket Cloud, or the `url` of a Bitbucket Data Center")
        return self
