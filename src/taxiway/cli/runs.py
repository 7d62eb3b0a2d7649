"""`taxiway runs`: list, show, watch and steer runs."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show

app = App(name="runs", help="Runs: what is being done.")
PATH = "/api/runs/v1/runs"
GOOD = ("succeeded", "undone")
APPROVAL_COLUMNS = ["run_id", "title", "message", "created_by", "since_at"]
ENDED = (*GOOD, "failed", "cancelled")


@app.command(name="list")
def list_runs(
    *,
    state: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    limit: int = 20,
    output: Output = "table",
) -> None:
    """List runs, newest first."""
    query = {"state": state, "kind": kind, "subject": subject, "limit": min(limit, 500)}
    rows = list(Client(find_session()).pages(PATH, query, most=limit))
    show(rows, output, ["id", "kind", "title", "state", "created_by", "created_at", "ended_at"])


@app.command
def get(run_id: str, *, output: Output = "table") -> None:
    """Show a run and its steps."""
    run = Client(find_session()).call("GET", f"{PATH}/{run_id}")
    if output != "table":
        show(run, output)
        return
    show(run, output, ["id", "kind", "title", "state", "created_by", "created_at", "ended_at", "error"])
    print()
    show(run["steps"], output, ["id", "name", "state", "started_at", "ended_at", "error"])


@app.command
def watch(run_id: str) -> int:
    """Follow a run to its end. Exits with 0 when it succeeded."""
    return follow(Client(find_session()), run_id)


@app.command
def logs(run_id: str, *, step: str | None = None) -> None:
    """Print the log of a run."""
    client, after = Client(find_session()), 0
    while True:
        page = client.call("GET", f"{PATH}/{run_id}/logs", query={"after": after, "step": step, "limit": 500})
        for line in page["items"]:
            print(f"{line['step_id']}: {line['text']}")
            after = line["seq"]
        if len(page["items"]) < 500:
            return


@app.command
def search(text: str, *, state: str | None = None, kind: str | None = None, limit: int = 100) -> None:
    """Find lines in the logs of all runs, newest run first.

    Parameters
    ----------
    text
        What a line has to hold, in any case; two letters at least.
    limit
        Most lines to print.
    """
    client, cursor, left = Client(find_session()), None, limit
    while left > 0:
        query = {"text": text, "state": state, "kind": kind, "cursor": cursor, "limit": min(left, 100)}
        page = client.call("GET", "/api/runs/v1/logs", query=query)
        for line in page["items"]:
            print(f"{line['run_id']} {line['title']}, {line['step_id']}: {line['text'].rstrip()}")
        left -= len(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            return


@app.command
def cancel(run_id: str) -> None:
    """Cancel a run; what it started is ended."""
    _steer(run_id, "cancel")


@app.command
def retry(run_id: str) -> int:
    """Go on from the failed step, and follow."""
    _steer(run_id, "retry")
    return watch(run_id)


@app.command
def resume(run_id: str) -> int:
    """Let a run that needs attention go on, and follow."""
    _steer(run_id, "resume")
    return watch(run_id)


@app.command
def undo(
    run_id: str,
    *,
    plan: bool = False,
    confirm: Annotated[list[str] | None, Parameter(name="--confirm", negative="")] = None,
    output: Output = "table",
) -> int:
    """Take back what a run made, in reverse order, and follow.

    Parameters
    ----------
    plan
        Only show what would be taken back, and what others changed since.
    confirm
        Name of something that others changed since, and that is to go all the same; can be given more than once.
    """
    if plan:
        found = Client(find_session()).call("GET", f"{PATH}/{run_id}/undo")
        show(found if output != "table" else found["removes"], output, ["kind", "name"])
        if output == "table" and found["changed"]:
            print()
            show(found["changed"], output, ["name", "reason"])
            note("confirm each of these with --confirm NAME")
        return 0
    _steer(run_id, "undo", {"confirm": confirm or []})
    return watch(run_id)


@app.command
def approvals(*, output: Output = "table") -> None:
    """List what waits for your decision."""
    client, path = Client(find_session()), "/api/runs/v1/approvals"
    found = page = client.call("GET", path)
    while page["next_cursor"] is not None:
        page = client.call("GET", path, query={"cursor": page["next_cursor"]})
        found["items"] += page["items"]
    rows = [{**one, "told": ", ".join(told["stage"] for told in one["told"])} for one in found["items"]]
    show(found["items"] if output != "table" else rows, output, [*APPROVAL_COLUMNS, "told"])
    if output != "table":
        return
    for error in dict.fromkeys(told["error"] for one in found["items"] for told in one["told"] if told["error"]):
        note(f"a mail was not sent: {error}")
    if not found["by_mail"]:
        note("nobody is told by mail: no mail server is set (mail.host in the settings)")


@app.command
def approve(run_id: str, *, comment: str = "", reject: bool = False) -> None:
    """Decide a run that waits for approval."""
    body = {"decision": "rejected" if reject else "approved", "comment": comment}
    run = Client(find_session()).call("POST", f"{PATH}/{run_id}/approvals", body=body)
    note(f"{run['title']}: {run['state']}")


@app.command
def signal(run_id: str, name: str, *, data: str = "{}") -> None:
    """Tell a run that the signal it waits for has come; --data is a JSON object for its steps."""
    try:
        given = json.loads(data)
    except ValueError as error:
        raise CliError(f"--data is not JSON: {error}", 2) from error
    run = Client(find_session()).call("POST", f"{PATH}/{run_id}/signals/{name}", body={"data": given})
    note(f"{run['title']}: {run['state']}")


def follow(client: Client, run_id: str, quiet: bool = False) -> int:
    """Print steps and log lines as they happen until the run ends. 0 when it succeeded, else 1."""
    states: dict[str, str] = {}
    run: dict[str, Any] = {}
    for event, data in client.stream(f"{PATH}/{run_id}/events"):
        if event == "log" and not quiet:
            print(f"    {data['text']}")
        elif event == "run":
            run = data
            for step in run["steps"]:
                if step["state"] != states.get(step["id"], "pending"):
                    states[step["id"]] = step["state"]
                    print(f"  {MARKS.get(step['state'], '·')} {step['name']}: {step['state']}")
        sys.stdout.flush()
    if run.get("state") not in ENDED:
        run = client.call("GET", f"{PATH}/{run_id}")
    if run["state"] in GOOD:
        return 0
    note(f"the run {run['state'].replace('_', ' ')}: {run.get('error') or 'see its log'}")
    note(f"go on with: taxiway runs retry {run_id}, or take it back with: taxiway runs undo {run_id}")
    return 1


MARKS = {
    "running": "▸",
    "succeeded": "✓",
    "failed": "✗",
    "skipped": "–",
    "waiting": "…",
    "undone": "↩",
    "cancelled": "✗",
}


def _steer(run_id: str, operation: str, body: dict[str, Any] | None = None) -> None:
    run = Client(find_session()).call("POST", f"{PATH}/{run_id}/{operation}", body=body)
    if run is None:
        raise CliError("the server gave no answer")
    note(f"{run['title']}: {run['state']}")
