"""Signing in by an OpenID provider, and what is remembered of who did: their name here, and their groups there.

A name belongs to who signed in with it first: nobody who gets that name at the provider later, or at another one,
becomes them, and the name of a local account is never given away. What is remembered is read by the catalog's source
`oidc`, which makes users and groups of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from taxiway.core.context import OpContext, Platform
from taxiway.core.plugins.records import StoredRecords
from taxiway.core.settings_access import OidcSettings
from taxiway.features.access import repository
from taxiway.features.access.model import Elsewhere, hash_secret, new_secret
from taxiway.features.access.oidc import Provider, is_same
from taxiway.features.access.service.sessions import Opened, check_failures, note_refused, open_session, sign_out
from taxiway.model.errors import AuthenticationError, NotFoundError
from taxiway.model.event import EventDraft
from taxiway.plugin.people import name_for

CHANGED = "dev.taxiway.source.changed.v1"
SOURCE = "oidc"
MOST_GROUPS = 500
LONGEST = 200
LONGEST_HINT = 4000
"""Of a token in an address: many servers take no longer ones than 8 kB in all."""


@dataclass(frozen=True)
class Begun:
    """A sign-in under way: where the browser goes, and what its cookie keeps until it comes back."""

    url: str
    kept: Mapping[str, str]


@dataclass(frozen=True)
class SignedInPerson:
    """Who signed in by a provider, as it told of them last. `subject` is their identifier there."""

    provider: str
    subject: str
    name: str
    display_name: str
    email: str
    groups: Sequence[str]


def ways(platform: Platform) -> list[dict[str, str]]:
    """The providers, as the portal offers them."""
    return [
        {"name": item.name, "title": item.title or item.name, "url": f"/api/access/v1/oidc/{item.name}/start"}
        for item in platform.settings.access.oidc
    ]


def begin(ctx: OpContext, name: str, next_path: str) -> Begun:
    """Begin to sign in. NotFoundError when there is no such provider."""
    provider = _provider(ctx.platform, name)
    kept = {"provider": name, "state": new_secret(), "nonce": new_secret(), "verifier": new_secret(), "next": next_path}
    url = provider.authorization_url(_redirect_uri(ctx.platform, name), kept["state"], kept["nonce"], kept["verifier"])
    return Begun(url, kept)


def complete(
    ctx: OpContext, name: str, kept: Mapping[str, str], code: str, state: str, address: str, error: str = ""
) -> Opened:
    """Open a session for who came back. AuthenticationError says why there is none."""
    check_failures(ctx, address)
    if kept.get("provider") != name or not is_same(state, kept.get("state", "")):
        # Before all else, and not counted: any page can send a browser here, and it must neither choose what the
        # sign-in page says nor use up the sign-ins of that browser's address.
        raise AuthenticationError(
            "this sign-in was not begun in this browser, or too long ago: begin again", code="authentication.oidc"
        )
    try:
        if error:
            raise AuthenticationError(
                f"{name} refused the sign-in ({error}): ask its administrator, or sign in by another way",
                code="authentication.oidc",
            )
        provider = _provider(ctx.platform, name)
        redirect_uri = _redirect_uri(ctx.platform, name)
        told = provider.told(code, redirect_uri, kept.get("nonce", ""), kept.get("verifier", ""))
        subject = _remember(ctx, provider, told.claims)
    except AuthenticationError:
        note_refused(ctx, address, "oidc")
        raise
    return open_session(ctx, subject, "oidc", _elsewhere(provider, told.id_token))


def sign_out_everywhere(ctx: OpContext, session_id: str) -> str | None:
    """End a session here, without asking the provider anything. Where a browser goes to end the one there too; None
    where it was opened by no provider, or by one that ends none, or whose `end_session` is off by now."""
    with ctx.platform.store.read() as conn:
        found = repository.find_session(conn, hash_secret(session_id))
    sign_out(ctx, session_id)
    there = found.elsewhere if found is not None else None
    settings = _settings(ctx.platform, there.provider) if there is not None else None
    if there is None or settings is None or not settings.end_session:
        return None
    query = {"client_id": settings.client_id, "post_logout_redirect_uri": f"{ctx.platform.public_url()}/sign-in"}
    if there.id_token is not None:
        query["id_token_hint"] = there.id_token
    return f"{there.endpoint}{'&' if '?' in there.endpoint else '?'}{urlencode(query)}"


def signed_in_people(platform: Platform, provider: str | None = None) -> Iterator[SignedInPerson]:
    """Everybody who ever signed in by a provider, or by one, in a fixed order."""
    records, after = _records(platform), ""
    while page := records.list(_person_key(provider, "") if provider else "person/", after):
        for record in page:
            value = record.value
            yield SignedInPerson(**{**value, "groups": tuple(value["groups"])})
        after = page[-1].key


def called(platform: Platform, ref: str) -> str:
    """What the provider calls a user who signed in by it; empty for others."""
    records = _records(platform)
    owner = records.get(f"name/{ref.removeprefix('user:default/')}")
    known = records.get(_person_key(owner.value["provider"], owner.value["subject"])) if owner else None
    return str(known.value["display_name"]) if known else ""


def _remember(ctx: OpContext, provider: Provider, claims: Mapping[str, Any]) -> str:
    """Note who it is. The reference of the user."""
    settings, records = provider.settings, _records(ctx.platform)
    name = _name(claims.get(settings.name_claim))
    if not name:
        raise AuthenticationError(
            f"the provider told no name in the claim {settings.name_claim}: set name_claim of {settings.name}",
            code="authentication.oidc_name",
        )
    if settings.name_claim == "email" and claims.get("email_verified") not in (True, "true"):
        # Who may write any address into their profile would choose who they are here.
        raise AuthenticationError(
            f"{settings.name} does not say that the mail address is verified: verify it there, or set another "
            "name_claim",
            code="authentication.oidc_name",
        )
    identifier, ref = str(claims["sub"]), f"user:default/{name.lower()}"
    taken = AuthenticationError(
        f"the name {name} belongs to somebody else here: ask an administrator", code="authentication.oidc_name"
    )
    with ctx.platform.store.read() as conn:
        if repository.find_account(conn, subject=ref) is not None:
            raise taken
    owner = {"provider": settings.name, "subject": identifier}
    known = records.get(f"name/{name.lower()}")
    if known is None:
        records.put(f"name/{name.lower()}", owner, expect=0)
    elif known.value != owner:
        raise taken
    key = _person_key(settings.name, identifier)
    before = records.get(key)
    value = {
        **owner,
        "name": name,
        "display_name": _text(claims.get("name")),
        "email": _text(claims.get("email")),
        "groups": _groups(claims, settings.groups_claim, before.value["groups"] if before else []),
    }
    if before is None or before.value != value:
        records.put(key, value)
        told = EventDraft(CHANGED, SOURCE, {"type": SOURCE})
        system = ctx.platform.system("access")
        ctx.platform.store.write(lambda tx: system.emit(tx, told))
    return ref


def _name(value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    local = text.partition("@")[0]
    return name_for(local).lower() if local and len(text) <= LONGEST else ""


def _text(value: Any) -> str:
    """A text of a claim as it can be kept: without halves of characters and NULs."""
    found = value.strip() if isinstance(value, str) else ""
    return found.encode(errors="replace").decode().replace("\0", "")[:LONGEST]


def _groups(claims: Mapping[str, Any], claim: str | None, before: Sequence[str]) -> list[str]:
    """The groups that a claim names. A claim that is too large for a token is told of in another one: what was known
    before stays then."""
    if claim is None:
        return []
    value = claims.get(claim)
    if value is None:
        elsewhere = claims.get("_claim_names")
        return list(before) if isinstance(elsewhere, dict) and claim in elsewhere else []
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    texts = {_text(one) for one in found if isinstance(one, str) and len(one.strip()) <= LONGEST}
    return sorted(texts - {""})[:MOST_GROUPS]


def _elsewhere(provider: Provider, id_token: str) -> Elsewhere | None:
    """What is remembered of the session there, to end it; looked up now, so that nobody waits for it at their end."""
    endpoint = provider.end_session_endpoint() if provider.settings.end_session else None
    if endpoint is None:
        return None
    return Elsewhere(provider.settings.name, endpoint, id_token if len(id_token) <= LONGEST_HINT else None)


def _settings(platform: Platform, name: str) -> OidcSettings | None:
    return next((item for item in platform.settings.access.oidc if item.name == name), None)


def _provider(platform: Platform, name: str) -> Provider:
    settings = _settings(platform, name)
    if settings is None:
        raise NotFoundError(
            f"there is no way to sign in by {name[:80]}: add it to access.oidc in the settings", code="access.no_oidc"
        )
    key = f"access.oidc.{name}"
    made: Provider | None = platform.services.get(key)
    return made or platform.services.setdefault(key, Provider(settings, platform.secrets, platform.clock))


def _redirect_uri(platform: Platform, name: str) -> str:
    return f"{platform.public_url()}/api/access/v1/oidc/{name}/callback"


def _records(platform: Platform) -> StoredRecords:
    return StoredRecords(platform.store, "feature-access-oidc")


def _person_key(provider: str, identifier: str) -> str:
    return f"person/{provider}/{hash_secret(identifier) if identifier else ''}"
