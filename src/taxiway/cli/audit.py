"""`taxiway audit`: events, and the proof that nobody changed them."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from taxiway.cli.client import Client, data_folder, find_session
from taxiway.cli.output import Output, note, show

app = App(name="audit", help="The audit log.")


@app.command(name="list")
def list_events(
    *, type: str | None = None, subject: str | None = None, limit: int = 50, output: Output = "table"
) -> None:
    """List events, newest first."""
    query = {"type": type, "subject": subject, "limit": min(limit, 500)}
    rows = list(Client(find_session()).pages("/api/events/v1/events", query, most=limit))
    show(rows, output, ["seq", "time", "type", "subject", "actor", "via"])


@app.command
def verify(*, data: Path | None = None) -> int:
    """Check the chain of events in a data folder against its signed checkpoints. Exits with 1 when it is broken."""
    from taxiway.cli.admin import open_platform
    from taxiway.core.events.verify import verify as verify_chain

    with open_platform(data or data_folder()) as platform:
        result = verify_chain(platform.store, platform.settings.data)
    if result.ok:
        note(f"{result.checked} events, the chain is whole")
        return 0
    note(f"the chain is broken: {result.problem} ({result.checked} events were good)")
    return 1
