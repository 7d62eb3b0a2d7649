"""`taxiway catalog`: entities and locations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from cyclopts import App

from taxiway.cli.catalog_sources import app as sources
from taxiway.cli.catalog_views import app as views
from taxiway.cli.catalog_views import show_entities
from taxiway.cli.client import Client, entity_path, find_session, full_ref
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show, when

app = App(name="catalog", help="The service catalog.")
app.command("taxiway.cli.lint:lint", name="lint", help="Judge descriptor files without a server")
app.command("taxiway.cli.editing:edit", name="edit", help="Change an entity where it is written")
app.command("taxiway.cli.editing:apply", name="apply", help="Make the catalog hold the entities of files")
app.command(sources)
app.command(views)
app.command("taxiway.cli.onboarding:onboard", name="onboard", help="Bring repositories without a descriptor")
BASE = "/api/catalog"
FIELD = ["field", "value", "source", "where", "since", "over"]


@app.command(name="list")
def list_entities(
    *,
    kind: str | None = None,
    owner: str | None = None,
    search: str | None = None,
    view: str | None = None,
    limit: int = 50,
    output: Output = "table",
) -> None:
    """List entities; with --view, those of a saved view, with its columns and in its order."""
    if view is not None:
        if kind or owner or search:
            raise CliError("give a view or filters: a view has filters of its own", 2)
        show_entities(Client(find_session()), view, limit, output)
        return
    parts = [f"kind={kind}" if kind else "", f"spec.owner={owner}" if owner else ""]
    query = {"filter": ",".join(filter(None, parts)) or None, "fullTextFilterTerm": search, "limit": limit}
    items = Client(find_session()).call("GET", f"{BASE}/entities/by-query", query=query)["items"]
    show(items, output, ["kind", "metadata.name", "metadata.title", "spec.type", "spec.owner", "spec.lifecycle"])


@app.command
def get(ref: str, *, output: Output = "yaml") -> None:
    """Show an entity."""
    show(Client(find_session()).call("GET", f"{BASE}/entities/by-name/{entity_path(ref)}"), output)


@app.command
def actions(ref: str, *, output: Output = "table") -> None:
    """List the golden paths for an entity that exists: `taxiway create NAME --for REF` runs one."""
    items = Client(find_session()).call("GET", f"/api/scaffolder/v1/offers/{entity_path(ref)}")["items"]
    show(items, output, ["template_ref", "title", "description", "allowed", "reason"])


@app.command
def register(target: str, *, type: str = "url", trust: bool = False, output: Output = "table") -> None:
    """Register a location, such as `git:orders//catalog-info.yaml`. With --trust it may bring people, teams, templates
    and kinds as well."""
    query, body = {"trust": "true"} if trust else {}, {"type": type, "target": target}
    made = Client(find_session()).call("POST", f"{BASE}/locations", query=query, body=body)
    shown, total = made["entities"], made["totalItems"]
    if "run_id" in made:
        note(f"it is large, and taken in by a run: follow it with `taxiway runs watch {made['run_id']}`")
    elif not shown:
        note("nothing was taken in: taxiway catalog problems says why")
    elif len(shown) < total:
        note(f"these are the first {len(shown)} of {total}: taxiway catalog list shows all")
    if shown and (faults := made["problems"]):
        said = "1 problem is" if faults == 1 else f"{faults} problems are"
        note(f"{said} left: taxiway catalog problems --source {made['location']['id']} says where")
    if shown or output != "table":  # programs get a list, whatever it was
        show(shown, output, ["kind", "metadata.name", "spec.owner"])


@app.command
def unregister(location: str) -> None:
    """Forget a registered location, by its target or its id: its entities leave the catalog at once, the files stay."""
    client = Client(find_session())
    type, _, target = location.partition(":")
    named = {"$any": [{"id": location}, {"target": location}, {"type": type, "target": target}]}
    found = client.call("POST", f"{BASE}/locations/by-query", body={"query": named})["items"]
    if len(found) != 1:
        some = "several locations are" if found else "no location is"
        raise CliError(f"{some} registered as {location}: name one by its id, which `taxiway catalog sources` shows")
    count = client.call("GET", f"{BASE}/v1/sources/{found[0]['id']}")["entities"]
    client.call("DELETE", f"{BASE}/locations/{found[0]['id']}")
    note(f"unregistered, with {count} {'entity' if count == 1 else 'entities'}")


@app.command
def refresh(ref: str) -> None:
    """Read an entity's source again."""
    Client(find_session()).call("POST", f"{BASE}/refresh", body={"entityRef": full_ref(ref)})
    note("refreshed")


@app.command
def problems(*, ref: str | None = None, source: str | None = None, output: Output = "table") -> None:
    """List what is wrong with sources, conflicts among it, with file, line and remedy; of an entity or a source."""
    query = {"ref": None if ref is None else full_ref(ref), "source_id": source}
    items = list(Client(find_session()).pages(f"{BASE}/v1/problems", query))
    show(items, output, ["location", "line", "code", "detail", "remedy"])


@app.command
def kinds(*, output: Output = "table") -> None:
    """List the kinds of entities: those that ship, and those that entities of kind `Kind` declare."""
    items = list(Client(find_session()).pages(f"{BASE}/v1/kinds"))
    show(items, output, ["name", "api_versions", "shipped", "entities", "ref", "description"])


@app.command
def owner(ref: str, *, output: Output = "table") -> None:
    """Show who owns an entity, by itself or inherited along what it is part of."""
    found = Client(find_session()).call("GET", f"{BASE}/v1/ownership/{entity_path(ref)}")
    told = {**found, "owners": ", ".join(found["owners"]), "path": " → ".join(found["path"])}
    show([told] if output == "table" else found, output, ["how", "owners", "path"])


@app.command
def explain(ref: str, *, output: Output = "table") -> None:
    """Show what is computed of an entity: each property, its rule, what it was computed from, and its error."""
    items = list(Client(find_session()).pages(f"{BASE}/v1/properties/{entity_path(ref)}"))
    if output == "table":
        items = [{**item, "inputs": _inputs(item["inputs"])} for item in items]
    show(items, output, ["name", "value", "error", "rule", "inputs"])


@app.command
def provenance(ref: str, *, output: Output = "table") -> None:
    """Show where every value of an entity comes from: source, file and line, since when, and what it won over."""
    found = Client(find_session()).call("GET", f"{BASE}/v1/provenance/{entity_path(ref)}")
    if output != "table":
        show(found, output)
        return
    show([_field(item, {one["id"]: one for one in found["sources"]}) for item in found["fields"]], output, FIELD)
    for source in found["sources"]:
        if source["detail"] or source["lines_detail"]:
            note(f"{source['name']}: {source['detail'] or source['lines_detail']}")
    if found["truncated"]:
        note("there are more values than are shown")


@app.command
def overlays(
    *,
    source: str | None = None,
    ref: str | None = None,
    state: Literal["applied", "waiting", "refused"] | None = None,
    output: Output = "table",
) -> None:
    """List what overlays say of entities, and of references that are none (yet)."""
    query = {"source_id": source, "ref": None if ref is None else full_ref(ref), "state": state}
    items = list(Client(find_session()).pages(f"{BASE}/v1/overlays", query))
    show(items, output, ["ref", "source_id", "state", "precedence", "fields", "location", "line", "detail"])


@app.command
def history(ref: str, *, at: str | None = None, limit: int = 50, output: Output = "table") -> None:
    """List every version of an entity, newest first; with --at TIME, show the entity as it was then."""
    client = Client(find_session())
    if at is not None:
        path = f"{BASE}/entities/by-name/{entity_path(ref)}"
        show(client.call("GET", path, query={"as_of": at}), "yaml" if output == "table" else output)
        return
    items = list(client.pages(f"{BASE}/v1/history/{entity_path(ref)}", {"limit": min(limit, 100)}, most=limit))
    if output == "table":
        items = [{**item, "changes": _changes(item["diff"])} for item in items]
    show(items, output, ["at", "verb", "version", "actor", "via", "commit", "changes"])


@app.command
def export(
    *,
    format: Literal["ndjson", "csv"] = "ndjson",
    filter: list[str] | None = None,
    fields: list[str] | None = None,
    as_of: str | None = None,
    view: str | None = None,
    file: Path | None = None,
) -> None:
    """Write every entity that a filter or a saved view finds, as NDJSON or CSV, to stdout or a file."""
    query = {"format": format, "filter": filter, "fields": fields, "as_of": as_of, "view": view}
    chunks = Client(find_session()).download(f"{BASE}/v1/export", query)
    if file is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    with file.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)


def _field(item: dict[str, Any], sources: dict[str, dict[str, Any]]) -> dict[str, Any]:
    source = sources.get(item["source_id"] or "")
    place = source and source["location"] and ":".join(filter(None, [source["location"], str(item["line"] or "")]))
    return {
        "field": item["pointer"].lstrip("/").replace("/", ".").replace("~1", "/").replace("~0", "~"),
        "value": " ".join(str(item["value"]).split())[:60],
        "source": source["name"] if source else item["rule"] or "the catalog",
        "where": place,
        "since": ("before " if item["at_least"] else "") + when(item["since_at"]),
        "over": ", ".join(f"{over['value']} ({sources[over['source_id']]['name']})" for over in item["over"]),
    }


def _changes(diff: list[dict[str, Any]] | None) -> str:
    if diff is None:
        return "-"
    return ", ".join(change["path"].lstrip("/").replace("/", ".") for change in diff) or "-"


def _inputs(inputs: list[dict[str, Any]]) -> str:
    told = [f"{item['ref']} {item['field']}" for item in inputs[:3]]
    return ", ".join(told) + (f" and {len(inputs) - 3} more" if len(inputs) > 3 else "")
