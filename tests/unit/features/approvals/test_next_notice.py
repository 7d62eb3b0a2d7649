"""When people are told of an approval."""

from __future__ import annotations

import pytest

from taxiway.core.settings import load_settings
from taxiway.core.settings_approvals import ApprovalSettings, MailSettings
from taxiway.features.approvals.model import Notice, Stage, next_notice
from taxiway.kit.clock import MICROSECONDS

HOUR = 3600 * MICROSECONDS
SETTINGS = ApprovalSettings(remind_seconds=7200, most_reminders=2, escalate_seconds=18_000, escalate_to="group:bosses")


def after(*told: tuple[Stage, int], at: int, settings: ApprovalSettings = SETTINGS) -> tuple[str, int] | None:
    notices = [Notice(str(n), "run", "wait", stage, n, hour * HOUR) for n, (stage, hour) in enumerate(told)]
    return next_notice(notices, at * HOUR, settings)


def test_reminders_count_from_the_last_one_and_end() -> None:
    assert after(at=0) == ("requested", 0)
    assert after(("requested", 0), at=1) is None
    assert after(("requested", 0), at=2) == ("reminded", 0)
    assert after(("requested", 0), ("reminded", 4), at=4) is None, "a turn that nobody was there for is not made up"
    assert after(("requested", 0), ("reminded", 2), ("reminded", 4), at=4) is None
    assert after(("requested", 0), ("reminded", 2), ("reminded", 4), ("escalated", 5), at=99) is None


def test_escalation_comes_once_and_only_where_somebody_is_named() -> None:
    assert after(("requested", 0), ("reminded", 4), at=5) == ("escalated", 0)
    assert after(("requested", 0), ("reminded", 4), ("escalated", 5), at=6) == ("reminded", 1)
    nobody = SETTINGS.model_copy(update={"escalate_to": None, "most_reminders": 0})
    assert after(("requested", 0), at=99, settings=nobody) is None


def test_only_a_group_is_told_above() -> None:
    assert SETTINGS.escalate_to == "group:default/bosses"
    assert ApprovalSettings(escalate_to="Bosses").escalate_to == "group:default/bosses"
    for text in ("user:default/zoe", "group:", "a:b:c"):
        with pytest.raises(ValueError, match="write a group"):
            ApprovalSettings(escalate_to=text)


def test_a_password_is_named_and_not_sent_in_clear() -> None:
    clear = {"host": "mail.example.com", "security": "none", "user": "u", "password": "env:PASSWORD"}
    with pytest.raises(ValueError, match="not sent in clear"):
        MailSettings.model_validate(clear)
    with pytest.raises(ValueError, match="name the credential"):
        MailSettings.model_validate({**clear, "security": "tls", "password": "hunter2"})
    with pytest.raises(ValueError, match="plain address"):
        MailSettings(sender="Taxiway <taxiway@example.com>")
    assert load_settings({"TAXIWAY_MAIL__HOST": "mail.example.com"}).settings.mail.port == 587
