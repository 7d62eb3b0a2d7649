"""`taxiway roles`: which role users and groups have."""

from __future__ import annotations

from typing import Literal

from cyclopts import App

from taxiway.cli.client import Client, find_session
from taxiway.cli.output import Output, note, show

app = App(name="roles", help="Roles of users and groups.")
PATH = "/api/access/v1/roles"
Role = Literal["viewer", "developer", "platform", "admin"]


@app.command(name="list")
def list_roles(*, output: Output = "table") -> None:
    """List who has which role."""
    show(list(Client(find_session()).pages(PATH)), output, ["member", "role", "created_at"])


@app.command
def give(member: str, role: Role) -> None:
    """Give a user or group a role: `taxiway roles give group:default/platform developer`."""
    made = Client(find_session()).call("POST", PATH, body={"member": member, "role": role})
    note(f"{made['member']} has the role {made['role']}")


@app.command
def take(member: str, role: Role) -> None:
    """Take a role back from a user or group."""
    Client(find_session()).call("DELETE", PATH, query={"member": member, "role": role})
    note("taken")
