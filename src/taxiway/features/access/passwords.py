"""Password hashes of local accounts: argon2id, imported when the first password is looked at."""

from __future__ import annotations

SHORTEST = 10
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$ZIHhZ/aSzCLPSMBqPMQqvRUmUrVOsJUSoYZPMtYLUAY"
"""A hash that no password has; verifying against it costs the same as for a real account."""


def hash_password(password: str) -> str:
    """The argon2id hash of a password."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is right; takes as long when there is no account."""
    from argon2 import PasswordHasher
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(password_hash or _NOBODYS, password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False
