"""Tells people of runs that wait for their approval: when it is asked for, again after a while, then a group above.

Called by a schedule, which one process of an installation has at a time. Each notice is a row that exists once, an
event in the same commit (webhooks carry it), and a mail to each person who may decide and has an address. Nobody is
told of what was decided meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from taxiway.core.context import Platform
from taxiway.core.runs.stepping import approvers, asked
from taxiway.core.settings_approvals import is_address
from taxiway.core.store.database import Tx
from taxiway.features.approvals import repository
from taxiway.features.approvals.model import Mail, Notice, Stage, Wait, next_notice, wait_of
from taxiway.features.catalog import service as catalog
from taxiway.model.event import EventDraft
from taxiway.model.run import Run

BATCH, MOST_RECIPIENTS = 200, 100
SUBJECTS = {
    "requested": "Your approval is asked for",
    "reminded": "Reminder: your approval is asked for",
    "escalated": "Nobody has decided yet",
}
EVENTS = {
    "requested": "dev.taxiway.approval.requested.v1",
    "reminded": "dev.taxiway.approval.reminded.v1",
    "escalated": "dev.taxiway.approval.escalated.v1",
}


def tell(platform: Platform) -> int:
    """Tell whom it is time to tell; returns of how many approvals."""
    done, before = 0, None
    while True:
        with platform.store.read() as conn:
            runs = repository.waiting(conn, BATCH, before)
            told = repository.notices(conn, [run.id for run in runs])
        for run in runs:
            wait = wait_of(run)
            if wait is None:
                continue
            mine = [one for one in told if (one.run_id, one.wait) == (run.id, wait.name)]
            found = next_notice(mine, platform.clock.now(), platform.settings.approvals)
            if found is not None:
                done += _notify(platform, run, wait, *found)
        if len(runs) < BATCH:
            return done
        before = runs[-1].id


def _notify(platform: Platform, run: Run, wait: Wait, stage: Stage, number: int) -> bool:
    to = platform.settings.approvals.escalate_to if stage == "escalated" else None
    wanted = [to] if to else sorted(approvers(run)) or [run.owner or ""]
    recipients = _addresses(platform, wanted, {run.created_by})
    ctx = platform.system("approvals")

    def work(tx: Tx) -> bool:
        now = repository.run_for_update(tx, run.id)
        if now.state != "waiting" or now.waiting_for != run.waiting_for:
            return False  # decided meanwhile
        notice = Notice(platform.new_id(), run.id, wait.name, stage, number, tx.now)
        if not repository.add_notice(tx, notice):
            return False
        if to and approvers(now):
            repository.widen(tx, now, wait.step.id, wait.escalated_key, wanted[0])
        mails = _mails(platform, run, wait, notice, recipients, tx.now)
        repository.add_mails(tx, mails)
        data = {
            "title": run.title,
            "step": wait.step.name,
            "message": _message(run, wait),
            "approvers": [one for one in wanted if one],
            "number": number,
            "mails": len(mails),
        }
        ctx.emit(tx, EventDraft(EVENTS[stage], f"run:{run.id}", data), run.owner)
        return True

    return platform.store.write(work)


def _message(run: Run, wait: Wait) -> str:
    return str(asked(run, "approval") or wait.step.name)


def _mails(platform: Platform, run: Run, wait: Wait, notice: Notice, recipients: Sequence[str], now: int) -> list[Mail]:
    if platform.settings.mail.host is None:
        return []
    subject = " ".join(f"{SUBJECTS[notice.stage]}: {run.title}".split())[:200]
    body = (
        f"{_message(run, wait)}\n\n{run.title}, started by {run.created_by}, waits in the step '{wait.step.name}'.\n"
        f"Decide here: {platform.public_url()}/runs/{run.id}\n"
        f"or by: taxiway runs approve {run.id}\n"
    )
    return [Mail(platform.new_id(), notice.id, to, subject, body, "waiting", 0, now) for to in recipients]


def _addresses(platform: Platform, refs: Iterable[str], without: set[str]) -> list[str]:
    """Addresses of people, and of the members of groups; a group's own where none of its members has one."""
    found: dict[str, None] = {}
    for ref in refs:
        document = catalog.get_entity(platform, ref) if ref else None
        if document is None:
            continue
        relations = document.get("relations") or []
        members = [one["targetRef"] for one in relations if one["type"] == "hasMember"][:MOST_RECIPIENTS]
        people = [ref] if ref.startswith("user:") else members
        mine = [_address(catalog.get_entity(platform, one)) for one in people if one not in without]
        if not any(mine) and not ref.startswith("user:"):
            mine = [_address(document)]
        found |= dict.fromkeys(one for one in mine if one)
    return list(found)[:MOST_RECIPIENTS]


def _address(document: object) -> str | None:
    spec = document.get("spec") if isinstance(document, dict) else None
    profile = spec.get("profile") if isinstance(spec, dict) else None
    text = profile.get("email") if isinstance(profile, dict) else None
    return text if isinstance(text, str) and is_address(text) else None
