"""A sealed event as others see it: the JSON format of CloudEvents 1.0, alike in the API and in webhooks."""

from __future__ import annotations

from typing import Any

from taxiway.kit.clock import to_rfc3339
from taxiway.model.cdevents import PREFIX, cdevent
from taxiway.model.event import Event


def event_view(event: Event, public_url: str) -> dict[str, Any]:
    """An event as CloudEvents 1.0 with our extension attributes. `public_url` is where users reach the portal."""
    time = to_rfc3339(event.at)
    is_cdevent = event.type.startswith(PREFIX)
    optional = {"onbehalfof": event.on_behalf_of, "tokenid": event.token_id, "subjectuid": event.subject_uid}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": time,
        "datacontenttype": "application/json",
        "data": cdevent(event.id, event.source, event.type, time, event.data, public_url) if is_cdevent else event.data,
        "seq": event.seq,
        "hash": event.hash,
        "actor": event.actor,
        "via": event.via,
        **{name: value for name, value in optional.items() if value is not None},
    }
