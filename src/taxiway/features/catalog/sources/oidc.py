"""The entity source `oidc`: who signed in by an OpenID provider, and the groups that it named, as Users and Groups.

The provider vouches for both, and the settings name it: that is why they may be people. Read again after each sign-in
that told something new; a group that nobody is in any more goes as all that a source no longer names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from taxiway.core.context import Platform
from taxiway.features.access.service.oidc import SOURCE, SignedInPerson, signed_in_people
from taxiway.plugin import PluginSettings, SourcedEntity, SourceEnd, SourceItem, SourceRequest
from taxiway.plugin.people import Person, Team, name_for, people_documents


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from error
    return text


class OidcOptions(PluginSettings):
    """Which people and groups of which provider come to the catalog."""

    provider: str = Field(description="which of access.oidc in the settings")
    groups: Annotated[str, AfterValidator(_pattern)] = Field(
        ".*", max_length=500, description="regular expression that the whole name of a group matches"
    )


class OidcSource:
    """Reads who signed in by an OpenID provider, and the groups that it named."""

    key = SOURCE
    options = OidcOptions

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """All people and groups, whole."""
        options: OidcOptions = request.options
        issuer = {one.name: one.issuer for one in self._platform.settings.access.oidc}.get(options.provider, "")
        wanted = re.compile(options.groups)
        found = list(signed_in_people(self._platform, options.provider))
        members: dict[str, list[str]] = {}
        for one in found:
            for group in one.groups:
                if wanted.fullmatch(group):
                    members.setdefault(group, []).append(one.subject)
        teams = [
            Team(name, name, display_name=name, people=tuple(members[name])) for name in sorted(members, key=_order)
        ]
        place = f"url:{issuer or self._platform.public_url()}"
        for document in people_documents([_person(one) for one in found], teams):
            if request.cancelled.is_set():
                return
            yield SourcedEntity(document, place, vouched=True)
        yield SourceEnd()


def _order(group: str) -> tuple[bool, bool, str]:
    """Groups that are called as a Group can be, first: none that only looks like one gets its name, and its roles."""
    name = name_for(group)
    return name != group, name.lower() != group, group


def _person(one: SignedInPerson) -> Person:
    return Person(one.subject, one.name, one.display_name, one.email)
