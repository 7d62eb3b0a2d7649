"""What approvals bring: two schedules. The inbox is an operation of runs."""

from __future__ import annotations

from functools import partial

from taxiway.core.context import Platform
from taxiway.core.operations import Feature
from taxiway.features.approvals.service.telling import tell

TELL, TELL_SECONDS = "approvals.tell", 60
MAIL, MAIL_SECONDS = "approvals.mail", 30


def register(platform: Platform) -> None:
    """Called once by the assembly, before the server starts."""
    platform.runs.schedules.register(TELL, TELL_SECONDS, partial(tell, platform))
    if platform.settings.mail.host is not None:
        platform.runs.schedules.register(MAIL, MAIL_SECONDS, partial(_send_due, platform))


def _send_due(platform: Platform) -> int:
    # SMTP and TLS are imported where mail is sent.
    from taxiway.features.approvals.service.mailing import send_due

    return send_due(platform)


FEATURE = Feature("approvals", {}, (), register)
