"""`taxiway search`: everything that the platform knows, best first."""

from __future__ import annotations

import re
from typing import Annotated, Any

from cyclopts import Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.output import Output, show


def search(
    term: str,
    *,
    type: Annotated[list[str] | None, Parameter(negative="")] = None,
    kind: Annotated[list[str] | None, Parameter(negative="")] = None,
    limit: int = 25,
    output: Output = "table",
) -> None:
    """Search the catalog, docs and golden paths.

    Parameters
    ----------
    term
        words; each also finds what begins with it
    type
        only documents of this type: software-catalog, techdocs, golden-path
    kind
        only entities of this kind
    """
    query: dict[str, Any] = {"term": term, "types": type, "kinds": kind, "limit": limit}
    results = Client(find_session()).call("GET", "/api/search/query", query=query)["results"]
    rows = [{**result["document"], "type": result["type"], "found": _found(result)} for result in results]
    show(rows if output == "table" else results, output, ["type", "title", "ref", "location", "found"])


def _found(result: dict[str, Any]) -> str:
    marks = result.get("highlight", {})
    text = next((text for key, text in marks.get("fields", {}).items() if key in ("text", "tags")), "")
    return re.sub(r"\s+", " ", text.replace(marks.get("preTag", "<"), "").replace(marks.get("postTag", ">"), ""))[:80]
