"""Settings of signing in by other systems. What is trusted of them is said here, and nowhere else."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from taxiway.core.settings_sources import NAME
from taxiway.plugin import CredentialRef


def _issuer(text: str) -> str:
    parts = urlsplit(text)
    is_here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.query or parts.fragment or not parts.hostname or (parts.scheme != "https" and not is_here):
        raise ValueError("an issuer is an https:// address without query")
    return text


class OidcSettings(BaseModel):
    """An OpenID provider that people sign in by, with the authorization code flow and PKCE."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=NAME, description="its name in addresses: /api/access/v1/oidc/<name>/callback")
    title: str = Field("", description="what the button in the portal says; default: its name")
    issuer: Annotated[str, AfterValidator(_issuer)] = Field(description="the issuer, as its discovery document has it")
    client_id: str = Field(min_length=1, description="the client that is registered with it")
    client_secret: CredentialRef | None = Field(None, description="its secret, by reference; none: PKCE alone")
    scopes: tuple[str, ...] = Field(("openid", "profile", "email"), description="what is asked for; openid is needed")
    name_claim: str = Field(
        "preferred_username",
        description="claim with the user's name in the catalog, one that nobody can choose for themselves there; "
        "a mail address loses its domain",
    )
    groups_claim: str | None = Field(None, description="claim with the names of the user's groups; none: not read")
    private: bool = Field(False, description="it may be at private addresses")
    end_session: bool = Field(
        False,
        description="signing out here ends the session there too; register <public_url>/sign-in with it as an address "
        "to come back to after signing out",
    )

    @field_validator("scopes")
    @classmethod
    def _has_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError("openid must be among the scopes")
        return value


class AccessSettings(BaseModel):
    """How people sign in, beside local accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    oidc: tuple[OidcSettings, ...] = Field((), max_length=20, description="OpenID providers, in their order")

    @field_validator("oidc")
    @classmethod
    def _named_once(cls, value: tuple[OidcSettings, ...]) -> tuple[OidcSettings, ...]:
        names = [item.name for item in value]
        if len(names) != len(set(names)):
            raise ValueError("two providers have one name")
        return value
