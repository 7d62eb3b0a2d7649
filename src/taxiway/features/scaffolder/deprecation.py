"""Deprecated golden paths: a key of the template says what to use instead, and from when on it makes nothing new.

Services that it made keep their upgrades. Without the key a template is as Backstage reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import jsonschema_rs

from taxiway.core.context import Platform
from taxiway.kit.clock import MICROSECONDS
from taxiway.kit.pointer import pointer
from taxiway.model.entity import parse_ref
from taxiway.model.errors import FieldError, InputError
from taxiway.plugin import CheckResult

KEY = "taxiway:deprecation"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["notice"],
    "properties": {
        "notice": {"type": "string", "minLength": 1, "description": "Why, and what to do"},
        "replacedBy": {"type": "string", "minLength": 1, "description": "The golden path to use instead"},
        "deadline": {"type": "string", "description": "The day (YYYY-MM-DD, UTC) from which it makes nothing new"},
        "blockNewUse": {"type": "boolean", "description": "It makes nothing new from now on"},
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Deprecation:
    """`deadline` is the day from which the template makes nothing new; `blocks` says that it does not now."""

    notice: str
    replaced_by: str | None
    deadline: date | None
    blocks: bool

    def stops(self, now: int) -> bool:
        """Whether it makes nothing new at `now` (microseconds UTC)."""
        today = datetime.fromtimestamp(now / MICROSECONDS, UTC).date()
        return self.blocks or (self.deadline is not None and today >= self.deadline)

    def view(self, now: int) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "notice": self.notice,
            "replaced_by": self.replaced_by,
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "is_blocked": self.stops(now),
        }


def deprecation_problems(spec: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with the key of a template's `spec`."""
    if KEY not in spec:
        return []
    found = [
        FieldError(pointer(["spec", KEY, *error.instance_path]), error.message)
        for error in jsonschema_rs.validator_for(dict(SCHEMA)).iter_errors(spec[KEY])
    ]
    if found:
        return found
    try:
        deprecation_of(spec)
    except ValueError:
        return [FieldError(pointer(["spec", KEY, "deadline"]), "write a day as YYYY-MM-DD")]
    except InputError as error:
        return [FieldError(pointer(["spec", KEY, "replacedBy"]), error.detail)]
    return []


def deprecation_of(spec: Mapping[str, Any]) -> Deprecation | None:
    """The deprecation in a `spec` without problems; None where it is not deprecated."""
    given = spec.get(KEY)
    if given is None:
        return None
    instead, deadline = given.get("replacedBy"), given.get("deadline")
    return Deprecation(
        given["notice"],
        str(parse_ref(instead, default_kind="template")) if instead else None,
        date.fromisoformat(deadline) if deadline else None,
        bool(given.get("blockNewUse")),
    )


class DeprecationCheck:
    """Refuses a plan of a golden path that makes nothing new any more, and says what to use."""

    key = "deprecation"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def check(self, plan: Mapping[str, Any]) -> CheckResult | None:
        title, found = "Deprecation", deprecation_of(plan["document"].get("spec") or {})
        if found is None:
            return None
        instead = f". Use {found.replaced_by}" if found.replaced_by else ""
        if found.stops(self._platform.clock.now()):
            return CheckResult(self.key, title, "failed", f"it makes nothing new any more: {found.notice}{instead}")
        until = f" (until {found.deadline.isoformat()})" if found.deadline else ""
        return CheckResult(self.key, title, "passed", f"it is deprecated{until}: {found.notice}{instead}")
