"""`taxiway drafts`: half-filled forms of golden paths."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.create import finish, typed_answers
from taxiway.cli.output import Output, note, show

app = App(name="drafts", help="Half-filled forms of golden paths: `taxiway create NAME --save` keeps one.")
BASE = "/api/scaffolder/v1/drafts"


@app.command(name="list")
def list_drafts(*, output: Output = "table") -> None:
    """List your drafts, and those that you handed on."""
    items = Client(find_session()).call("GET", BASE)["items"]
    show(items, output, ["id", "title", "template_ref", "holder", "handed_by", "note"])


@app.command
def run(
    draft: str,
    *,
    wait: bool = True,
    output: Output = "table",
    **answers: Annotated[str, Parameter(allow_leading_hyphen=True)],
) -> int:
    """Run the golden path of a draft with its answers; options are the ones that it lacks: `--name orders`."""
    client = Client(find_session())
    kept = client.call("GET", _place(draft))
    given = typed_answers(client, kept["template_ref"], answers, kept["values"])
    body = {"templateRef": kept["template_ref"], "values": given, "draftId": kept["id"]}
    return finish(client, client.call("POST", "/api/scaffolder/v2/tasks", body=body), wait, output)


@app.command(name="hand-over")
def hand_over(draft: str, to: str, *, message: str = "") -> None:
    """Give a draft to another person: a user of the catalog."""
    client = Client(find_session())
    kept = client.call("GET", _place(draft))
    body = {"to": full_ref(to, "user"), "note": message, "version": kept["version"]}
    given = client.call("POST", f"{_place(draft)}/hand-over", body=body)
    note(f"{given['title']} is with {given['holder']} now")


@app.command
def drop(draft: str) -> None:
    """Give a draft up."""
    Client(find_session()).call("DELETE", _place(draft))
    note("gone")


def _place(draft: str) -> str:
    return f"{BASE}/{quote(draft, safe='')}"
