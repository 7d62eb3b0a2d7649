"""`taxiway import`: move from Backstage, Port, Cortex or OpsLevel. A dry run unless `--apply` is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.import_reading import Document, files_at, pages_of
from taxiway.cli.import_report import print_report
from taxiway.cli.output import Output, note, show
from taxiway.cli.runs import follow

app = App(
    name="import", help="Move from another portal. Nothing is changed without --apply; every field is accounted for."
)
IMPORTS = "/api/catalog/v1/imports"
INLINE = 4_000_000
"""Characters of documents that fit into one request; larger ones are sent one by one before."""


@Parameter(name="*")
@dataclass(frozen=True)
class Options:
    """What every import takes.

    Parameters
    ----------
    name
        Names the import: the same name again follows what changed. The format's name when it is not given.
    owner
        The group that the import belongs to.
    apply
        Change the catalog; a dry run, which is the default, only makes the report.
    brief
        Print totals, and only what was refused.
    """

    name: str | None = None
    owner: str | None = None
    apply: Annotated[bool, Parameter(negative="--dry-run")] = False
    brief: bool = False
    output: Output = "table"


USUAL = Options()


@app.command
def backstage(
    *sources: str,
    token: str | None = None,
    filter: list[str] | None = None,
    base: str | None = None,
    options: Options = USUAL,
) -> int:
    """Import the locations of app-config files, or the entities of a running instance.

    Parameters
    ----------
    sources
        app-config files in the order in which Backstage loads them, or the address of a running backend.
    token
        For a running instance; BACKSTAGE_TOKEN is used when it is not given.
    filter
        For a running instance: only entities that Backstage finds with this filter, such as `kind=component`, repeated.
    base
        The folder that relative file locations start from: where Backstage's backend runs.
    """
    urls = [source for source in sources if source.startswith(("http://", "https://"))]
    if not sources or (urls and len(sources) > 1):
        raise CliError("name app-config files, or one address of a running Backstage", 2)
    options = replace(options, name=options.name or "backstage")
    if urls:
        pages = pages_of(urls[0], token or os.environ.get("BACKSTAGE_TOKEN"), filter or [])
        return _run("backstage", pages, options)
    where = str(Path(base).resolve()) if base else None
    files = files_at([Path(source) for source in sources], lambda path: path.name.startswith("app-config"))
    return _run("backstage-config", files, options, base=where)


@app.command
def port(*files: Path, kind: list[str] | None = None, options: Options = USUAL) -> int:
    """Import blueprints and entities that were exported from Port.

    Parameters
    ----------
    files
        JSON exports or `port.yml` files, or folders of them.
    kind
        `BLUEPRINT=KIND` for blueprints whose entities are to become another kind, repeated.
    """
    return _files("port", files, kind, options)


@app.command
def cortex(*files: Path, kind: list[str] | None = None, options: Options = USUAL) -> int:
    """Import entity descriptors of Cortex.

    Parameters
    ----------
    files
        cortex.yaml files, or folders of them.
    kind
        `TYPE=KIND` for types whose entities are to become another kind, repeated.
    """
    return _files("cortex", files, kind, options)


@app.command
def opslevel(*files: Path, kind: list[str] | None = None, options: Options = USUAL) -> int:
    """Import opslevel.yml files and JSON exports of OpsLevel.

    Parameters
    ----------
    files
        opslevel.yml files and JSON exports, or folders of them.
    kind
        `TYPE=KIND` for component types that are to become another kind, repeated.
    """
    return _files("opslevel", files, kind, options)


def _files(format: str, files: tuple[Path, ...], kinds: list[str] | None, options: Options) -> int:
    if not files:
        raise CliError("name the files or folders to import", 2)
    chosen = {}
    for one in kinds or []:
        foreign, sign, kind = one.partition("=")
        if not sign or not foreign or not kind:
            raise CliError(f"--kind {one} must be NAME=KIND, such as cluster=Resource", 2)
        chosen[foreign] = kind
    return _run(format, files_at(list(files)), options, kinds=chosen)


def _run(format: str, documents: Iterable[Document], options: Options, **more: Any) -> int:
    """Send, start, follow and report. 0 when nothing was refused."""
    client = Client(find_session())
    sent = list(_sent(client, documents))
    if not sent:
        raise CliError("there is nothing to import: no entity is found there", 2)
    asked = {"name": options.name or format, "owner": options.owner, "apply": options.apply}
    body = {"format": format, "documents": sent, **asked, **more}
    run_id = client.call("POST", IMPORTS, body=body)["run_id"]
    note(f"run {run_id}")
    with redirect_stdout(sys.stderr):  # the report alone is the command's answer
        code = follow(client, run_id)
    if code != 0:
        return code
    counts = client.call("GET", f"/api/runs/v1/runs/{run_id}")["output"] or {}
    items = client.pages(f"{IMPORTS}/{run_id}/report", {"limit": 200}, most=10_000_000)
    if options.output == "table":
        print_report(items, counts, options.brief)
    else:
        show({"run_id": run_id, "counts": counts, "items": list(items)}, options.output)
    if not options.apply:
        note("nothing was changed: repeat with --apply")
    return 0 if not counts.get("refused") and not counts.get("problems") else 1


def _sent(client: Client, documents: Iterable[Document]) -> Iterable[dict[str, str]]:
    """Documents as the request names them: with their text while they fit, else by the digest of what was sent."""
    room = INLINE
    for name, text in documents:
        if len(text) <= room:
            room -= len(text)
            yield {"name": name, "content": text}
        else:
            digest = client.call("POST", f"{IMPORTS}/documents", body={"content": text})["digest"]
            yield {"name": name, "digest": digest}
