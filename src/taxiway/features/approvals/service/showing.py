"""What people were told of approvals, for who looks at them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from taxiway.core.context import Platform
from taxiway.features.approvals import repository


def told(platform: Platform, run_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """By run: {stage, at, mails, sent, error} of each notice, in order. `error` is that of a mail that was not sent."""
    with platform.store.read() as conn:
        notices = repository.notices(conn, run_ids)
        mails = repository.mails(conn, [one.id for one in notices])
    found: dict[str, list[dict[str, Any]]] = {}
    for notice in notices:
        mine = [one for one in mails if one.notice_id == notice.id]
        item = {
            "stage": notice.stage,
            "at": notice.at,
            "mails": len(mine),
            "sent": sum(one.state == "sent" for one in mine),
            "error": next((one.error for one in mine if one.error and one.state != "sent"), None),
        }
        found.setdefault(notice.run_id, []).append(item)
    return found
