"""What a source that reads the repositories of a forge may be told in the settings."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from taxiway.plugin import PluginSettings
from taxiway.plugin.credentials import CredentialRef


def _pattern(text: str) -> str:
    if len(text) > 500:
        raise ValueError("a pattern has at most 500 characters")
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from error
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]


class ForgeSourceOptions(PluginSettings):
    """Which repositories of an organisation are read, and which files in them."""

    paths: tuple[str, ...] = Field(
        ("catalog-info.yaml",), min_length=1, description="files that are read; `*`, `**` and `?` stand for others"
    )
    branch: str | None = Field(None, description="branch that is read; default: each repository's own")
    repositories: Pattern = Field(".*", description="regular expression that the whole name of a repository matches")
    exclude: Pattern | None = Field(None, description="regular expression of names that are left out")
    topics: tuple[str, ...] = Field((), description="only repositories that have one of these topics")
    without_topics: tuple[str, ...] = Field((), description="no repository that has one of these topics")
    archived: bool = Field(False, description="read archived repositories too")
    forks: bool = Field(False, description="read forks too")
    webhook_secret: CredentialRef | None = Field(None, description="the secret that webhooks are signed with")
