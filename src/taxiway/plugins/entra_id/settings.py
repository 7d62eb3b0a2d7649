"""What to read from Entra ID."""

from __future__ import annotations

from pydantic import Field

from taxiway.plugin import CredentialRef, PluginSettings


class EntraOptions(PluginSettings):
    """One tenant. The application needs `User.Read.All` and `GroupMember.Read.All`, granted by an administrator."""

    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]+$", description="the tenant's id or domain")
    client_id: str = Field(min_length=1, description="id of the registered application")
    client_secret: CredentialRef = Field(description="secret of the application, by reference")
    groups: tuple[str, ...] = Field(("*",), description="names of groups that are read, with `*` for anything")
    users: tuple[str, ...] = Field(
        ("*",), description="user principal names of people that are read, with `*` for anything"
    )
    members_only: bool = Field(False, description="whether only people in one of the groups are read")
    guests: bool = Field(False, description="whether guests are read")
    namespace: str = Field("default", description="namespace of the users and groups in the catalog")
    graph_url: str = Field("https://graph.microsoft.com", description="address of Microsoft Graph (national clouds)")
    login_url: str = Field("https://login.microsoftonline.com", description="address that gives tokens")
