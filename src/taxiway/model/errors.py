"""The errors of the domain. They know no transport: `core/http` turns them into responses, the CLI into exit codes.

Features subclass these in their `model.py` when a caller must tell cases apart. The message is for the user and says
what to do next; what only an operator may see goes into `internal`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

MOST_TOLD = 20


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with the input: a JSON Pointer into it, and what to do about it."""

    pointer: str
    detail: str


class TaxiwayError(Exception):
    """Base of all expected failures. `kind` picks status and exit code, `code` is stable and documented."""

    kind: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        internal: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.kind
        self.errors = tuple(errors)
        self.internal = internal
        self.retry_after_seconds = retry_after_seconds


class InputError(TaxiwayError):
    """The request is malformed. Correct the named fields and send it again."""

    kind = "input"


class AuthenticationError(TaxiwayError):
    """Nobody is signed in, or the token is unknown or expired. Sign in, or make a new token."""

    kind = "authentication"


class NotAllowedError(TaxiwayError):
    """The caller may not do this. The message names the permission and who can grant it."""

    kind = "not_allowed"


class NotFoundError(TaxiwayError):
    """The thing does not exist, or the caller may not know that it does."""

    kind = "not_found"


class ConflictError(TaxiwayError):
    """The thing exists already, or it is in a state that forbids this."""

    kind = "conflict"


@dataclass(frozen=True)
class Changed:
    """What taking something back would take from others: its name, and what happened to it since and becomes of it."""

    name: str
    reason: str


class ChangedSinceError(ConflictError):
    """What others did since would be lost. Look at each thing that is named, and confirm it by its name."""

    def __init__(self, changes: Sequence[Changed]) -> None:
        told = "; ".join(f"'{one.name}': {one.reason}" for one in changes[:MOST_TOLD])
        more = f"; and {len(changes) - MOST_TOLD} more" if len(changes) > MOST_TOLD else ""
        super().__init__(f"confirm what changed since, each by its name: {told}{more}", code="run.unconfirmed")
        self.changes = tuple(changes)


def refuse_changed(changes: Iterable[Changed], confirmed: Collection[str] = ()) -> None:
    """ChangedSinceError with those that are not `confirmed` by name."""
    left = [one for one in changes if one.name not in confirmed]
    if left:
        raise ChangedSinceError(left)


class PreconditionError(TaxiwayError):
    """The thing changed since it was read. Read it again and repeat the change."""

    kind = "precondition"


class TooLargeError(TaxiwayError):
    """The input is larger than the limit that the message names."""

    kind = "too_large"


class PolicyDeniedError(TaxiwayError):
    """A policy or plan check refused it. The errors name each check and its remedy."""

    kind = "policy_denied"


class RateLimitedError(TaxiwayError):
    """Too many requests. Wait as long as the answer says."""

    kind = "rate_limited"
    retryable = True


class UnavailableError(TaxiwayError):
    """An engine or outside system does not answer. The message names it; try again later."""

    kind = "unavailable"
    retryable = True


class TimedOutError(TaxiwayError):
    """It took longer than its limit and was ended."""

    kind = "timed_out"
    retryable = True


class InternalError(TaxiwayError):
    """A fault of Taxiway itself. The log has the details under the request id."""

    kind = "internal"


def check_version(expected: int | None, actual: int) -> None:
    """PreconditionError when somebody changed the row in the meantime."""
    if expected is not None and expected != actual:
        raise PreconditionError(
            f"it is at version {actual}, not {expected}: read it again and repeat the change",
            code="precondition.version",
        )
