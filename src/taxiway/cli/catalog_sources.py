"""`taxiway catalog sources`: what the catalog reads from, reading it now, and reviewing what would go."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.output import Output, note, show

app = App(name="sources", help="What the catalog reads from.")
BASE = "/api/catalog/v1/sources"
COLUMNS = ["id", "type", "target", "owner", "state", "entities", "problems", "conflicts", "orphans", "held", "layers"]


@app.default
def sources(*, output: Output = "table") -> None:
    """List what the catalog reads from, with counts of entities, problems, conflicts, orphans and held removals."""
    show(list(Client(find_session()).pages(BASE)), output, [*COLUMNS, "refreshed_at"])


@app.command
def read(name: str) -> None:
    """Read a configured source now."""
    run_id = Client(find_session()).call("POST", f"{BASE}/{name}/read")["run_id"]
    note(f"started: follow it with `taxiway runs watch {run_id}`")


@app.command
def review(
    name: str,
    *,
    remove: Annotated[bool, Parameter(negative="")] = False,
    keep: Annotated[bool, Parameter(negative="")] = False,
    output: Output = "table",
) -> None:
    """Show the entities that a source does not name any more and that are too many to go unasked.

    Parameters
    ----------
    remove
        remove them now
    keep
        keep them until the next reading, or complete push, judges anew
    """
    client = Client(find_session())
    if remove == keep:
        show(list(client.pages(f"{BASE}/{name}/held")), output, ["ref", "since_at", "location", "owner"])
        note("decide with --remove or --keep")
        return
    decided = client.call("POST", f"{BASE}/{name}/review", body={"decision": "remove" if remove else "keep"})
    note(f"{decided['removed']} removed, {decided['kept']} kept")


@app.command
def remove(name: str) -> None:
    """Remove everything that a source brought; it comes back when the source is read, or pushed, again."""
    note(f"{Client(find_session()).call('DELETE', f'{BASE}/{name}')['removed']} removed")
