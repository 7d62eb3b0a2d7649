"""`taxiway catalog views`: ways to look at the catalog that are kept under a name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show

app = App(name="views", help="Saved views of the catalog: filters, columns and order under a name.")
BASE = "/api/catalog/v1/views"
COLUMNS = ["name", "title", "kind", "filters", "columns", "sort", "owner", "visible_to", "is_default", "id"]
USUAL = ["kind", "metadata.name", "metadata.title", "spec.type", "spec.owner", "spec.lifecycle"]
WHOLE = ["apiVersion", "kind", "metadata", "spec", "relations", "status"]
RUNNING = "running"
"""A column that only the portal can fill."""
KEPT = ("name", "title", "owner", "visible_to", "kind", "filters", "query", "text", "columns", "sort")
Many = Annotated[list[str] | None, Parameter(negative="")]


@app.default
def views(*, kind: str | None = None, output: Output = "table") -> None:
    """List your views, those of your groups, and those that everybody sees."""
    show(list(Client(find_session()).pages(BASE, {"kind": kind})), output, COLUMNS)


@app.command(name="show")
def show_view(view: str, *, output: Output = "yaml") -> None:
    """Show a view, by its name or id."""
    show(Client(find_session()).call("GET", path_of(view)), output, COLUMNS)


@Parameter(name="*")
@dataclass(frozen=True)
class Said:
    """What is said of a view.

    Parameters
    ----------
    title
        what people call it
    kind
        the kind of entities that it shows
    filter
        such as spec.lifecycle=production,metadata.tags=java; given more than once, one of them is enough
    query
        a JSON predicate, such as {"spec.type": {"$in": ["service", "website"]}}
    text
        what names, titles, descriptions, tags or owners contain
    column
        a dotted path, such as spec.type or properties.cost; once for each column
    sort
        the order, such as metadata.name,asc or properties.cost,desc,number
    owner
        a group of yours, whose members keep the view together; without it, you
    everybody
        show it to everybody who may read the catalog, which needs the permission catalog.view.share
    """

    title: str | None = None
    kind: str | None = None
    filter: Many = None
    query: str | None = None
    text: str | None = None
    column: Many = None
    sort: str | None = None
    owner: str | None = None
    everybody: Annotated[bool | None, Parameter(negative="--owner-only")] = None

    def values(self) -> dict[str, Any]:
        """As the API takes what was given."""
        try:
            query = None if self.query is None else json.loads(self.query)
        except ValueError as error:
            raise CliError(f"--query is not JSON: {error}", 2) from error
        shared = {True: "everybody", False: "owner", None: None}[self.everybody]
        found = {"title": self.title, "kind": self.kind, "filters": self.filter, "query": query, "text": self.text}
        found |= {"columns": self.column, "sort": self.sort, "owner": self.owner, "visible_to": shared}
        return {key: value for key, value in found.items() if value is not None}


NOTHING = Said()


@app.command
def create(name: str, *, said: Said = NOTHING, output: Output = "yaml") -> None:
    """Keep a view.

    Parameters
    ----------
    name
        what commands and links call it: lower-case letters, digits and dashes
    """
    body = {"name": name, "title": name, **said.values()}
    show(Client(find_session()).call("POST", BASE, body=body), output)


@app.command
def update(view: str, *, name: str | None = None, said: Said = NOTHING, output: Output = "yaml") -> None:
    """Change what is given of a view; the rest stays.

    Parameters
    ----------
    view
        its name or id
    name
        what to call it from now on
    """
    client = Client(find_session())
    found: dict[str, Any] = client.call("GET", path_of(view))
    body = {**{key: found[key] for key in KEPT}, **said.values(), **({"name": name} if name else {})}
    # What somebody changed since it was read just now is not overwritten.
    tag = {"If-Match": f'"{found["version"]}"'}
    show(client.call("PUT", f"{BASE}/{found['id']}", body=body, headers=tag), output)


@app.command
def remove(view: str) -> None:
    """Forget a view; the entities that it shows stay."""
    Client(find_session()).call("DELETE", path_of(view))
    note("removed")


@app.command
def default(view: str, *, off: Annotated[bool, Parameter(negative="")] = False) -> None:
    """Open your catalog with a view; with --off, with everything again."""
    Client(find_session()).call("DELETE" if off else "PUT", f"{path_of(view)}/default")
    note("your catalog opens with everything" if off else f"your catalog opens with {view}")


def path_of(view: str) -> str:
    """The path of a view's operations."""
    return f"{BASE}/{quote(view, safe='')}"


def show_entities(client: Client, view: str, limit: int, output: Output) -> None:
    """What a view shows, in its order and with its columns."""
    found = client.call("GET", path_of(view))
    columns = [column for column in found["columns"] if column != RUNNING]
    # Computed values are in no document: they come when they are asked for.
    query = {"limit": min(limit, 500), "fields": [*WHOLE, *(c for c in columns if c.startswith("properties."))]}
    items = list(client.pages(f"{path_of(found['id'])}/entities", query, most=limit))
    show(items, output, ["kind", "metadata.name", *columns] if columns else USUAL)
