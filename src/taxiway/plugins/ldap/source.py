"""The entity source `ldap`: people and groups of one directory, read whole each time."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.plugin import (
    Secrets,
    SourcedEntity,
    SourceEnd,
    SourceItem,
    SourceRequest,
    resolve_credential,
)
from taxiway.plugins.ldap.client import Directory
from taxiway.plugins.ldap.entities import DN_KEY, Entry, documents
from taxiway.plugins.ldap.settings import LdapOptions


class LdapSource:
    """Reads directories over LDAP."""

    key = "ldap"
    options = LdapOptions

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def read(self, request: SourceRequest) -> Iterator[SourceItem]:
        """All people and groups, whole."""
        options: LdapOptions = request.options
        password = resolve_credential(options.password, self._secrets) if options.password else None
        users: list[Entry] = []
        groups: list[Entry] = []
        with Directory(options, password) as directory:
            for base, filter, found in (
                (options.users_base, options.users_filter, users),
                (options.groups_base, options.groups_filter, groups),
            ):
                for entry in directory.search(base, filter) if base is not None else ():
                    if request.cancelled.is_set():
                        return
                    found.append(entry)
        request.log(f"{len(users)} people and {len(groups)} groups on {options.url}")
        for document in documents(users, groups, options):
            where = document["metadata"]["annotations"][DN_KEY]
            yield SourcedEntity(document, f"url:{options.url.rstrip('/')}/{where}", vouched=True)
        yield SourceEnd()
