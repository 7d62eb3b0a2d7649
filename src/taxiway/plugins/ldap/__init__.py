"""People and teams of LDAP directories: OpenLDAP, 389, FreeIPA, Active Directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    from taxiway.plugins.ldap.source import LdapSource

    return [("entity_source", LdapSource(ctx.secrets))]


PLUGIN = Plugin(
    name="ldap",
    version="1.0.0",
    contribute=contribute,
    description="People and teams of LDAP directories in the catalog",
)
