"""Seals a secret for GitHub: a libsodium sealed box, which only GitHub can open.

It is made of X25519 and XSalsa20-Poly1305. The latter is not in `cryptography`, so PyNaCl is needed, which is an extra.
"""

from __future__ import annotations

import base64
from importlib import import_module

from taxiway.model.errors import InputError


def load() -> None:
    """InputError when secrets cannot be sealed here: asked before anything is made."""
    try:
        import_module("nacl.public")
    except ImportError as error:
        raise InputError(
            "secrets of GitHub are sealed with PyNaCl, which is not installed: pip install 'taxiway[github]'",
            code="github.no_sealing",
        ) from error


def seal(public_key: str, value: str) -> str:
    """`value` for the holder of `public_key` (base64, as GitHub gives it), in base64."""
    load()
    from nacl.exceptions import CryptoError
    from nacl.public import PublicKey, SealedBox

    try:
        key = PublicKey(base64.b64decode(public_key, validate=True))
    except (ValueError, TypeError, CryptoError) as error:
        raise InputError(
            "GitHub gave a public key that is none: check the address of its API", code="github.public_key"
        ) from error
    return base64.b64encode(SealedBox(key).encrypt(value.encode())).decode()
