"""People and teams of LDAP directories: OpenLDAP, 389, FreeIPA, Active Directory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from taxiway.plugin import Later, Plugin, PluginContext


def contribute(ctx: PluginContext) -> Sequence[tuple[str, Any]]:
    def source() -> Any:
        from taxiway.plugins.ldap.source import LdapSource

        return LdapSource(ctx.secrets)

    return [("entity_source", Later("ldap", source))]


PLUGIN = Plugin(
    name="ldap",
    version="1.0.0",
    contribute=contribute,
    description="People and teams of LDAP directories in the catalog",
)
