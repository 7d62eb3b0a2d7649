"""One table: what each kind of error means as an HTTP status, an exit code of the CLI, and a name of Backstage's.

It imports nothing heavy, so that the CLI can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`status` on our own paths, `exit_code` of the CLI, `title` of the problem, and Backstage's (name, status)."""

    status: int
    exit_code: int
    title: str
    backstage: str
    backstage_status: int


KINDS: Mapping[str, Kind] = {
    "input": Kind(422, 2, "The input is not valid", "InputError", 400),
    "authentication": Kind(401, 3, "Sign in first", "AuthenticationError", 401),
    "not_allowed": Kind(403, 4, "Not allowed", "NotAllowedError", 403),
    "not_found": Kind(404, 5, "Not found", "NotFoundError", 404),
    "conflict": Kind(409, 6, "Conflict", "ConflictError", 409),
    "precondition": Kind(412, 7, "It changed in the meantime", "PreconditionFailedError", 412),
    "too_large": Kind(413, 8, "Too large", "PayloadTooLargeError", 413),
    "policy_denied": Kind(403, 9, "Denied by policy", "NotAllowedError", 403),
    "rate_limited": Kind(429, 10, "Too many requests", "TooManyRequestsError", 429),
    "unavailable": Kind(503, 11, "Not available now", "ServiceUnavailableError", 503),
    "timed_out": Kind(504, 12, "It took too long", "GatewayTimeoutError", 504),
    "internal": Kind(500, 1, "A fault of Taxiway", "InternalServerError", 500),
}

BY_STATUS: Mapping[int, str] = {kind.status: name for name, kind in reversed(list(KINDS.items()))} | {
    400: "input",
    405: "input",
}
"""The kind behind a status that a framework raised by itself."""
