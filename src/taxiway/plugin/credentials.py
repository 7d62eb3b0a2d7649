"""Credentials in settings are said by reference, never by value: `secret://<store>/<name>` or `env:NAME`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from taxiway.model.errors import InputError, NotFoundError
from taxiway.plugin.context import Secrets

REFERENCE = re.compile(r"secret://[^/\s]+/\S+|env:[A-Za-z_][A-Za-z0-9_]*")


def check_credential(reference: str) -> str:
    """`reference` itself. ValueError, which does not repeat it, when it is a value and no reference."""
    if REFERENCE.fullmatch(reference) is None:
        raise ValueError("name the credential, do not write it here: 'secret://<store>/<name>' or 'env:NAME'")
    return reference


CredentialRef = Annotated[str, AfterValidator(check_credential)]
"""The type of a setting that names a credential."""


def resolve_credential(reference: str, secrets: Secrets, environ: Mapping[str, str] | None = None) -> str:
    """The value behind a reference. NotFoundError says which variable or secret to set."""
    if REFERENCE.fullmatch(reference) is None:
        raise InputError(
            "a credential is named by 'secret://<store>/<name>' or 'env:NAME'", code="outgoing.credential_reference"
        )
    if not reference.startswith("env:"):
        return secrets.get(reference)
    name = reference.removeprefix("env:")
    value = (os.environ if environ is None else environ).get(name, "")
    if not value:
        raise NotFoundError(
            f"the environment variable {name} is not set: set it for Taxiway, or name another credential",
            code="outgoing.no_credential",
        )
    return value
