"""`taxiway webhooks`: events sent to other systems."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.output import Output, note, show

app = App(name="webhooks", help="Events sent to other systems.")
BASE = "/api/webhooks/v1/webhooks"
COLUMNS = ["id", "name", "url", "types", "enabled", "failing_since", "reason"]
Many = Annotated[list[str] | None, Parameter(negative="")]


@app.command(name="list")
def list_webhooks(*, output: Output = "table") -> None:
    """List webhooks."""
    show(list(Client(find_session()).pages(BASE)), output, COLUMNS)


@app.command
def create(name: str, url: str, *, type: Many = None, filter: Many = None, output: Output = "yaml") -> None:
    """Subscribe a URL; prints the secret, which is not shown again.

    Parameters
    ----------
    name
        what to call it
    url
        where events are posted to
    type
        the beginning of event types, such as dev.taxiway.entity.; none: every event
    filter
        which entities, such as kind=component,spec.type=service; none: all
    """
    body = {"name": name, "url": url, "types": type or [], "filters": filter or []}
    show(Client(find_session()).call("POST", BASE, body=body), output)


@app.command
def enable(webhook_id: str) -> None:
    """Send again, beginning with what was missed."""
    _switch(webhook_id, enabled=True)


@app.command
def disable(webhook_id: str) -> None:
    """Send nothing until it is enabled."""
    _switch(webhook_id, enabled=False)


@app.command
def renew_secret(webhook_id: str, *, output: Output = "yaml") -> None:
    """Make a new secret and print it; the old one signs nothing more."""
    show(Client(find_session()).call("POST", f"{BASE}/{webhook_id}/secret"), output)


@app.command
def remove(webhook_id: str) -> None:
    """Unsubscribe, and forget the deliveries."""
    Client(find_session()).call("DELETE", f"{BASE}/{webhook_id}")
    note("removed")


@app.command
def deliveries(
    webhook_id: str,
    *,
    state: Literal["delivered", "waiting", "failed"] | None = None,
    output: Output = "table",
) -> None:
    """List what was sent, newest first."""
    items = list(Client(find_session()).pages(f"{BASE}/{webhook_id}/deliveries", {"state": state}))
    show(items, output, ["id", "type", "subject", "state", "attempts", "status", "error", "attempted_at"])


@app.command
def resend(webhook_id: str, delivery_id: str) -> None:
    """Send a delivery once more."""
    Client(find_session()).call("POST", f"{BASE}/{webhook_id}/deliveries/{delivery_id}/resend")
    note("it is sent again")


def _switch(webhook_id: str, *, enabled: bool) -> None:
    client = Client(find_session())
    found: dict[str, Any] = client.call("GET", f"{BASE}/{webhook_id}")
    kept = {key: found[key] for key in ("name", "url", "types", "filters")}
    client.call("PUT", f"{BASE}/{webhook_id}", body={**kept, "enabled": enabled})
    note("enabled" if enabled else "disabled")
