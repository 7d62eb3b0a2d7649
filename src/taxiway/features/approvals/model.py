"""Who is told of an approval, and when: values and the rule, without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from taxiway.core.runs.stepping import ESCALATED, approval_topic
from taxiway.core.settings_approvals import ApprovalSettings
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.run import Run, Step

Stage = Literal["requested", "reminded", "escalated"]
MailState = Literal["waiting", "sending", "sent", "failed", "unknown", "dropped"]
"""`sending` is written before the server may take a mail; what stays so is `unknown` and not sent again. `dropped`: it
was decided before the mail could be sent."""


@dataclass(frozen=True)
class Wait:
    """What a run waits for: the step, the part of it that asks, and the name of this wait."""

    step: Step
    part: str

    @property
    def name(self) -> str:
        """Another one when the step is tried anew: then it is decided anew."""
        return f"{self.step.id}/{self.part}@{self.step.attempt}"

    @property
    def escalated_key(self) -> str:
        return f"{self.part}/{ESCALATED}" if self.part else ESCALATED


@dataclass(frozen=True)
class Notice:
    """That people were told of a wait for an approval. `wait` names the wait within the run; `number` counts from 0."""

    id: str
    run_id: str
    wait: str
    stage: Stage
    number: int
    at: int


@dataclass(frozen=True)
class Mail:
    """A mail to one recipient."""

    id: str
    notice_id: str
    recipient: str
    subject: str
    body: str
    state: MailState
    attempts: int
    next_at: int
    error: str | None = None


def wait_of(run: Run) -> Wait | None:
    """The approval that a run waits for now."""
    step = next((one for one in run.steps if one.state == "waiting"), None)
    topic = run.waiting_for or ""
    if run.state != "waiting" or step is None or not topic.startswith(approval_topic(run.id, step.id)):
        return None
    return Wait(step, topic.removeprefix(approval_topic(run.id, step.id)).lstrip("/"))


def next_notice(told: Sequence[Notice], now: int, settings: ApprovalSettings) -> tuple[Stage, int] | None:
    """What is to be told now of one wait, after what was told: (stage, number), or None.

    Turns that nobody was there for are not made up: a reminder's time counts from the one before.
    """
    asked = next((one for one in told if one.stage == "requested"), None)
    if asked is None:
        return "requested", 0
    escalated = any(one.stage == "escalated" for one in told)
    if settings.escalate_to and not escalated and now - asked.at >= settings.escalate_seconds * MICROSECONDS:
        return "escalated", 0
    reminders = [one for one in told if one.stage == "reminded"]
    last = max(one.at for one in (asked, *reminders))
    if len(reminders) < settings.most_reminders and now - last >= settings.remind_seconds * MICROSECONDS:
        return "reminded", len(reminders)
    return None
