"""Checks of webhooks. What is wrong is never told to the sender in detail."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from taxiway.model.errors import InputError, NotAllowedError
from taxiway.plugin.context import Secrets
from taxiway.plugin.credentials import resolve_credential
from taxiway.plugin.forging.options import ForgeSourceOptions


def hook_secret(options: ForgeSourceOptions, secrets: Secrets) -> str:
    """What webhooks of a source are signed with. NotAllowedError when its settings name nothing."""
    if options.webhook_secret is None:
        raise NotAllowedError("the source has no webhook_secret: set one in its settings", code="forge.signature")
    return resolve_credential(options.webhook_secret, secrets)


def check_hmac(secret: str, body: bytes, given: str | None) -> None:
    """NotAllowedError unless `given` is the HMAC-SHA256 of the body in hex, with or without `sha256=` in front."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    _compare(wanted, (given or "").strip().lower().removeprefix("sha256="))


def check_token(secret: str, given: str | None) -> None:
    """NotAllowedError unless `given` is the secret itself."""
    _compare(secret, given or "")


def payload_of(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a webhook. InputError when it is none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the webhook's body is not JSON: set its content type to JSON", code="forge.hook") from error
    if not isinstance(found, dict):
        raise InputError("the webhook's body is no JSON object", code="forge.hook")
    return found


def _compare(wanted: str, given: str) -> None:
    if not wanted or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise NotAllowedError("the webhook's signature is missing or wrong: compare its secret", code="forge.signature")
