"""The plan check that ships: the owner exists, and the caller may create things for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.catalog import service as catalog
from taxiway.model.entity import parse_ref
from taxiway.model.errors import InputError
from taxiway.plugin import CheckResult

TITLE = "Owner"
ANYBODY = frozenset({"platform", "admin"})


class OwnerCheck:
    """Judges the answer `owner` of a golden path."""

    key = "owner"

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def check(self, plan: Mapping[str, Any]) -> CheckResult:
        owner = plan["values"].get("owner")
        if not owner:
            return CheckResult(self.key, TITLE, "not_checked", "the golden path does not ask for an owner")
        try:
            ref = str(parse_ref(str(owner), default_kind="group"))
        except InputError as error:
            return CheckResult(self.key, TITLE, "failed", error.detail)
        if catalog.get_entity(self._platform, ref) is None:
            return CheckResult(self.key, TITLE, "failed", f"the owner {ref} is not in the catalog: choose one that is")
        principal = plan["principal"]
        if ANYBODY.isdisjoint(principal["roles"]) and ref not in principal["ownership"]:
            detail = f"{principal['subject']} does not belong to {ref}: choose a group of yours, or ask a member"
            return CheckResult(self.key, TITLE, "failed", detail)
        return CheckResult(self.key, TITLE, "passed", f"{ref} exists and {principal['subject']} may create for it")
