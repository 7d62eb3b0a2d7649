"""An OpenID provider: discovery, the exchange of a code, and the check of what it says of somebody.

Called by `service/oidc`. Nothing of an answer is believed before its signature, issuer, audience, nonce and time are
checked. Keys and discovery are kept for an hour. A token that none of the kept keys signed makes the keys be fetched
again at once, since a provider signs with a new one as soon as it has it; tokens come from the provider alone, so that
nobody else can bring that about.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from taxiway.core.settings_access import OidcSettings
from taxiway.kit.clock import MICROSECONDS, Clock
from taxiway.model.errors import AuthenticationError, TaxiwayError, UnavailableError
from taxiway.plugin import Secrets, resolve_credential
from taxiway.plugin.outgoing import Answer, Hosts, Limits, Outgoing

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
KEPT_SECONDS = 3600
AGAIN_SECONDS = 2
LEEWAY_SECONDS = 60
FAILED_SECONDS = 10
"""How long a provider that did not answer is not asked again."""
FARTHEST = 2**53
BASIC = "client_secret_basic"
MOST_KEYS = 100
LONGEST_URL = 2000
CLOCKS = "by the clock of this server (compare it with the provider's)"
"""A token comes straight from the provider: its times are wrong where a clock is."""
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Told:
    """What a provider said of somebody, and its token that says so."""

    claims: Mapping[str, Any]
    id_token: str


@dataclass
class Provider:
    """One provider, for the life of the process."""

    settings: OidcSettings
    secrets: Secrets
    clock: Clock
    _outgoing: Outgoing = field(init=False, repr=False)
    _known: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        netloc = urlsplit(self.settings.issuer).netloc
        private = [netloc] if self.settings.private or not self.settings.issuer.startswith("https:") else []
        self._outgoing = Outgoing(Hosts(private), limits=Limits(body_bytes=1_000_000, total_seconds=20.0, redirects=0))

    def authorization_url(self, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where a browser is sent to sign in."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        url = str(self._discovery()["authorization_endpoint"])
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"

    def told(self, code: str, redirect_uri: str, nonce: str, verifier: str) -> Told:
        """What the provider says of who came back with `code`. AuthenticationError for what does not hold."""
        tokens = self._exchange(code, redirect_uri, verifier)
        token = str(tokens.get("id_token") or "")
        found = self._verified(token)
        self._check(found, nonce)
        wanted = self.settings.groups_claim
        if wanted and wanted not in found and isinstance(tokens.get("access_token"), str):
            return Told({**self._user_info(str(tokens["access_token"]), str(found["sub"])), **found}, token)
        return Told(found, token)

    def end_session_endpoint(self) -> str | None:
        """Where browsers end their sessions there; None where the provider has no such place."""
        url = self._discovery().get("end_session_endpoint")
        return url if isinstance(url, str) and len(url) <= LONGEST_URL and self._is_like_issuer(url) else None

    def _exchange(self, code: str, redirect_uri: str, verifier: str) -> Mapping[str, Any]:
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        fields["code_verifier"] = verifier
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        if self.settings.client_secret is None:
            fields["client_id"] = self.settings.client_id
        else:
            secret = resolve_credential(self.settings.client_secret, self.secrets)
            if BASIC in (self._discovery().get("token_endpoint_auth_methods_supported") or [BASIC]):
                pair = f"{quote(self.settings.client_id, safe='')}:{quote(secret, safe='')}"
                headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
            else:
                fields |= {"client_id": self.settings.client_id, "client_secret": secret}
        url = str(self._discovery()["token_endpoint"])
        answer = self._outgoing.send("POST", url, headers=headers, body=urlencode(fields).encode(), idempotent=False)
        _working(answer, "the sign-in")
        if answer.status != 200:
            raise _refused(f"the provider did not take the code (it answered {answer.status})")
        return _object(answer)

    def _user_info(self, token: str, subject: str) -> Mapping[str, Any]:
        url = self._discovery().get("userinfo_endpoint")
        if not isinstance(url, str) or not self._is_like_issuer(url):
            return {}  # there is none, or the token would go there in the clear
        answer = self._outgoing.get(url, headers={"authorization": f"Bearer {token}", "accept": "application/json"})
        _working(answer, "the user info")  # that it is down does not say that somebody left their groups
        found = _object(answer) if answer.status == 200 else {}
        # Only what is said of the same person counts.
        return found if found.get("sub") == subject else {}

    def _verified(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        for is_last in (False, True):
            try:
                return dict(jwt.decode(token, self._keys(afresh=is_last), algorithms=list(ALGORITHMS)).claims)
            except (JoseError, ValueError) as error:
                if is_last:
                    raise _refused("its token is not signed by a key of the provider") from error
        raise AssertionError("unreachable")

    def _check(self, claims: Mapping[str, Any], nonce: str) -> None:
        now = self.clock.now() / MICROSECONDS
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        faults = [
            (claims.get("iss") != self.settings.issuer, "it is another issuer's"),
            (self.settings.client_id not in audiences, "it is for another client"),
            (len(audiences) > 1 and "azp" not in claims, "it is for several clients"),
            (claims.get("azp", self.settings.client_id) != self.settings.client_id, "it was given to another client"),
            (not _number(claims.get("exp")) or claims["exp"] + LEEWAY_SECONDS < now, f"it is too old {CLOCKS}"),
            (not _number(claims.get("iat")) or claims["iat"] - LEEWAY_SECONDS > now, f"it is of the future {CLOCKS}"),
            (
                not _number(claims.get("nbf", 0)) or claims.get("nbf", 0) - LEEWAY_SECONDS > now,
                f"it is of the future {CLOCKS}",
            ),
            (not is_same(str(claims.get("nonce") or ""), nonce), "it is not of this sign-in"),
            (not _identifier(claims.get("sub")), "it says nobody"),
        ]
        for is_wrong, why in faults:
            if is_wrong:
                raise _refused(f"the token is not taken: {why}")

    def _is_like_issuer(self, url: str) -> bool:
        """Whether it is an address of the issuer's scheme: neither in the clear nor a script."""
        try:
            return urlsplit(url).scheme == urlsplit(self.settings.issuer).scheme
        except ValueError:
            return False

    def _discovery(self) -> Mapping[str, Any]:
        def fetch() -> Mapping[str, Any]:
            url = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = _object(self._outgoing.get(url).checked(f"the discovery document of {self.settings.name}"))
            if found.get("issuer") != self.settings.issuer or not all(
                self._is_like_issuer(str(found.get(name))) for name in ENDPOINTS
            ):
                raise UnavailableError(
                    f"{url} is not of the issuer {self.settings.issuer}: write the issuer as the document has it",
                    code="access.oidc_discovery",
                )
            return found

        found: Mapping[str, Any] = self._kept("discovery", fetch, KEPT_SECONDS)
        return found

    def _keys(self, *, afresh: bool) -> Any:
        url = str(self._discovery()["jwks_uri"])

        def fetch() -> Any:
            from joserfc.jwk import KeySet

            found = _object(self._outgoing.get(url).checked("the provider's keys")).get("keys")
            listed = found[:MOST_KEYS] if isinstance(found, list) else []
            return KeySet([key for one in listed if (key := _public_key(one)) is not None])

        return self._kept("keys", fetch, AGAIN_SECONDS if afresh else KEPT_SECONDS)

    def _kept(self, name: str, fetch: Any, seconds: int) -> Any:
        with self._lock:
            now = self.clock.now() / MICROSECONDS
            value, at = self._known.get(name, (None, 0.0))
            if isinstance(value, TaxiwayError) and 0 <= now - at < FAILED_SECONDS:
                raise value  # whoever comes next need not wait for it as long
            if value is None or isinstance(value, TaxiwayError) or not 0 <= now - at < seconds:
                try:
                    value = fetch()
                except TaxiwayError as error:
                    self._known[name] = error, self.clock.now() / MICROSECONDS
                    raise
                self._known[name] = value, now
            return value


def is_same(one: str, other: str) -> bool:
    """Whether two secrets are equal, told in constant time."""
    return bool(other) and hmac.compare_digest(*(text.encode("utf-8", "surrogatepass") for text in (one, other)))


def _public_key(value: Any) -> Any:
    """A key that signatures are checked with; None for one of another use, or of a kind that is not known here: one
    that a provider adds for others must not keep everybody out."""
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    if not isinstance(value, dict) or value.get("kty") == "oct" or value.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(value)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _working(answer: Answer, what: str) -> None:
    """Refuse a provider that is down or wants a pause, as such: that is nobody's fault who signs in."""
    if answer.status == 429 or answer.status >= 500:
        answer.checked(what)


def _object(answer: Answer) -> Mapping[str, Any]:
    found = answer.json()
    if not isinstance(found, dict):
        raise UnavailableError(
            "it did not answer as an OpenID provider does: check the issuer", code="access.oidc_answer"
        )
    return found


def _identifier(value: Any) -> bool:
    """Whether it is a subject as the standard has it: up to 255 characters of ASCII."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isascii()


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -FARTHEST < value < FARTHEST


def _refused(why: str) -> TaxiwayError:
    return AuthenticationError(f"{why}: sign in again", code="authentication.oidc")
