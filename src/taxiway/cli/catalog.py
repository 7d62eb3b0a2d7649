"""`taxiway catalog`: entities and locations."""

from __future__ import annotations

from cyclopts import App

from taxiway.cli.client import Client, entity_path, find_session, full_ref
from taxiway.cli.output import Output, note, show

app = App(name="catalog", help="The service catalog.")
BASE = "/api/catalog"


@app.command(name="list")
def list_entities(
    *,
    kind: str | None = None,
    owner: str | None = None,
    search: str | None = None,
    limit: int = 50,
    output: Output = "table",
) -> None:
    """List entities."""
    parts = [f"kind={kind}" if kind else "", f"spec.owner={owner}" if owner else ""]
    query = {"filter": ",".join(filter(None, parts)) or None, "fullTextFilterTerm": search, "limit": limit}
    items = Client(find_session()).call("GET", f"{BASE}/entities/by-query", query=query)["items"]
    show(items, output, ["kind", "metadata.name", "metadata.title", "spec.type", "spec.owner", "spec.lifecycle"])


@app.command
def get(ref: str, *, output: Output = "yaml") -> None:
    """Show an entity."""
    show(Client(find_session()).call("GET", f"{BASE}/entities/by-name/{entity_path(ref)}"), output)


@app.command
def register(target: str, *, type: str = "url", output: Output = "table") -> None:
    """Register a location, such as `git:orders//catalog-info.yaml`."""
    made = Client(find_session()).call("POST", f"{BASE}/locations", body={"type": type, "target": target})
    show(made.get("entities", []), output, ["kind", "metadata.name", "spec.owner"])


@app.command
def refresh(ref: str) -> None:
    """Read an entity's source again."""
    Client(find_session()).call("POST", f"{BASE}/refresh", body={"entityRef": full_ref(ref)})
    note("refreshed")


@app.command
def problems(*, output: Output = "table") -> None:
    """List what could not be read, with file, line and remedy."""
    show(list(Client(find_session()).pages(f"{BASE}/v1/problems")), output, ["location", "line", "detail"])
