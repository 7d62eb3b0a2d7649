"""Rules that protect branches. The forge keeps them, since it holds pushes to them; here they are checked and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.pulls.model import person
from taxiway.features.pulls.service.hosts import owner_of, pull_host, repository_of
from taxiway.model.errors import ConflictError, FieldError, InputError, PreconditionError
from taxiway.model.pulls import METHODS, BranchRule, BranchRules, rule_of

MAX_RULES, MAX_PATTERN, MAX_APPROVALS, MAX_CHECKS = 50, 200, 10, 50


def get_rules(ctx: OpContext, name: str) -> dict[str, Any]:
    """{repository, rules, version}: the first rule that matches a branch is its rule."""
    repository_of(ctx.platform, name)
    return _shown(name, pull_host(ctx.platform).rules(name))


def set_rules(ctx: OpContext, name: str, rules: Sequence[BranchRule], version: int | None) -> dict[str, Any]:
    """Replace the rules of a repository. PreconditionError when `version` is given and another."""
    there = repository_of(ctx.platform, name)
    ctx.authorize("pulls.protect", owner_of(there))
    errors = [error for number, rule in enumerate(rules) for error in _wrong(number, rule)]
    if len(rules) > MAX_RULES:
        errors.append(FieldError("/rules", f"at most {MAX_RULES} rules"))
    if errors:
        shown = "; ".join(f"{error.pointer}: {error.detail}" for error in errors[:3])
        raise InputError(f"correct these fields and send it again: {shown}", code="pulls.rules", errors=errors)
    try:
        made = pull_host(ctx.platform).protect(name, rules, by=person(ctx.principal), expect=version)
    except ConflictError as error:
        raise PreconditionError(
            f"the rules of {name} are not at version {version} any more: read them again and repeat the change",
            code="precondition.version",
        ) from error
    return _shown(name, made)


def is_protected(platform: Platform, name: str, branch: str) -> bool:
    """Whether commits come onto a branch through pull requests only."""
    rule = rule_of(pull_host(platform).rules(name), branch)
    return rule is not None and not rule.allow_push


def _wrong(number: int, rule: BranchRule) -> list[FieldError]:
    at = f"/rules/{number}"
    found = []
    if not rule.pattern or len(rule.pattern) > MAX_PATTERN or rule.pattern.count("*") > 10:
        found.append(FieldError(f"{at}/pattern", f"1 to {MAX_PATTERN} characters, with at most 10 '*'"))
    if not 0 <= rule.required_approvals <= MAX_APPROVALS:
        found.append(FieldError(f"{at}/required_approvals", f"0 to {MAX_APPROVALS}"))
    if len(rule.required_checks) > MAX_CHECKS or any(not 0 < len(name) <= 200 for name in rule.required_checks):
        found.append(FieldError(f"{at}/required_checks", f"at most {MAX_CHECKS} names of 1 to 200 characters"))
    if not rule.methods or set(rule.methods) - set(METHODS):
        found.append(FieldError(f"{at}/methods", f"one or more of {', '.join(METHODS)}"))
    return found


def _shown(name: str, rules: BranchRules) -> dict[str, Any]:
    return {"repository": name, "rules": [asdict(rule) for rule in rules.rules], "version": rules.version}
