"""Who may use an action that not everybody may: a permission, and the people that an action is left to."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import Platform
from taxiway.core.permissions import decide
from taxiway.model.access import Principal
from taxiway.model.errors import NotAllowedError

EXECUTE = "scaffolder.action.execute"


def may_use(platform: Platform, principal: Principal, key: str, allowed: Sequence[str] = ()) -> None:
    """NotAllowedError unless somebody may use an action that is left to `allowed`; empty: to whoever may at all."""
    verdicts = [decide(platform.permissions, principal, EXECUTE, one) for one in allowed or [principal.subject]]
    if not any(verdict.allowed for verdict in verdicts):
        to = f" It is left to {', '.join(allowed)}: ask one of them to run it." if allowed else ""
        detail = f"{principal.subject} may not use the action {key}: {verdicts[0].reason}.{to}"
        raise NotAllowedError(detail, code=f"not_allowed.{EXECUTE}")
