"""`taxiway plugin`: what is installed and whether it works."""

from __future__ import annotations

from cyclopts import App

from taxiway.cli.client import Client, find_session
from taxiway.cli.output import Output, show

app = App(name="plugin", help="Plugins.")


@app.command(name="list")
def list_plugins(*, output: Output = "table") -> None:
    """List plugins with their state and, where one failed, the reason."""
    rows = Client(find_session()).call("GET", "/api/plugins/v1/plugins")["items"]
    show(rows, output, ["name", "version", "state", "reason"])
