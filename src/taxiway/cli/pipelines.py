"""`taxiway pipelines`: the pipelines of repositories."""

from __future__ import annotations

from cyclopts import App

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.output import Output, show

app = App(name="pipelines", help="Pipelines of repositories.")
BASE = "/api/delivery/v1"


@app.command(name="list")
def list_pipelines(*, service: str | None = None, repository: str | None = None, output: Output = "table") -> None:
    """List pipelines, newest first."""
    query = {"service": full_ref(service) if service else None, "repository": repository}
    rows = list(Client(find_session()).pages(f"{BASE}/pipelines", query, most=100))
    show(rows, output, ["id", "repository", "commit", "workflow", "state", "started_at", "ended_at"])


@app.command
def logs(pipeline_id: str) -> None:
    """Print the log of a pipeline."""
    for line in Client(find_session()).call("GET", f"{BASE}/pipelines/{pipeline_id}/logs")["items"]:
        print(line["text"])


@app.command
def repositories(*, output: Output = "table") -> None:
    """List repositories of the forge."""
    rows = list(Client(find_session()).pages(f"{BASE}/repositories"))
    show(rows, output, ["name", "default_branch", "service_ref", "clone_url"])
