"""`taxiway scaffold`: golden paths in figures, and repositories that another tool made from a template."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show
from taxiway.cli.upgrade import follow_task, typed

app = App(name="scaffold", help="Golden paths in figures, and repositories that other tools made from one.")
PATH_COLUMNS = ["template", "owner", "tasks", "success_rate", "lead_seconds", "first_deployment_seconds", "services"]
PATH_COLUMNS += ["behind", "abandoned", "deprecated"]
ADOPTIONS = "/api/scaffolder/v1/adoptions"


@app.command
def paths(*, output: Output = "table") -> None:
    """List golden paths with use, success, lead times and services that lag behind, and the share of services on one.

    Times are medians in seconds; figures are of the last 90 days.
    """
    found = Client(find_session()).call("GET", "/api/scaffolder/v1/golden-paths")
    if output != "table":
        show(found, output)
        return
    rows = [
        {
            **item,
            "abandoned": f"{item['wizards']['abandoned']} of {item['wizards']['opened']}",
            "deprecated": "yes" if item["deprecation"] else None,
        }
        for item in found["items"]
    ]
    show(rows, output, PATH_COLUMNS)
    covered = found["coverage"]
    note(f"{covered['covered']} of {covered['total']} services and websites are on a golden path")


@app.command
def wizards(template: str, *, output: Output = "table") -> None:
    """List the pages of TEMPLATE's form, how many wizards of the last 90 days reached each, and how many were given up
    there."""
    ref = full_ref(template, "template")
    found = Client(find_session()).call("GET", "/api/scaffolder/v1/golden-paths")["items"]
    item = next((one for one in found if one["template"] == ref), None)
    if item is None:
        raise CliError(f"there is no golden path {ref}; taxiway scaffold paths lists them", 2)
    counted = item["wizards"]
    show(counted if output != "table" else counted["pages"], output, ["page", "title", "reached", "abandoned"])
    if output == "table":
        told = (
            f"{counted['opened']} opened, {counted['tasks']} ended in a task, {counted['drafts']} were kept as a draft"
        )
        note(told)


@app.command
def candidates(*, limit: int = 200, output: Output = "table") -> None:
    """List repositories that show which template made them, and have no record of it."""
    found = list(Client(find_session()).pages(ADOPTIONS, {"limit": 100}, most=limit))
    show(found, output, ["repository", "subject", "owner", "tool", "source", "template"])


@app.command
def adopt(
    *repositories: str,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    template: str | None = None,
    answer: Annotated[list[str] | None, Parameter(name="--answer", negative="")] = None,
    plan: bool = False,
    wait: bool = True,
    output: Output = "table",
) -> int:
    """Open a pull request with the golden path, version and answers that most likely made each of REPOSITORIES.

    Parameters
    ----------
    repositories
        Names of repositories of the built-in forge.
    every
        All candidates of which the golden path is here.
    template
        The golden path, where a repository does not tell it.
    answer
        An answer that is known, as NAME=VALUE; can be given more than once.
    plan
        Only show what would be recorded.
    wait
        Follow each run to its end.
    """
    client = Client(find_session())
    names = list(repositories)
    if every:
        found = client.pages(ADOPTIONS, {"limit": 100}, most=10_000)
        names += [item["repository"] for item in found if item["template"]]
    if not names:
        raise CliError("name a repository, or give --all; taxiway scaffold candidates lists them", 2)
    ref = full_ref(template, "template") if template else None
    if answer and ref is None:
        raise CliError("answers belong to a golden path: name it with --template", 2)
    given = typed(client, ref, answer) if ref else {}
    worst = 0
    for name in dict.fromkeys(names):
        body = {"repository": name, "template_ref": ref, "answers": given}
        if plan:
            _show(client.call("POST", f"{ADOPTIONS}/plan", body=body), output)
            continue
        code, run = follow_task(client, client.call("POST", ADOPTIONS, body=body), wait, output)
        worst = max(worst, code)
        made = run.get("output") or {}
        if output == "table" and made.get("pull") is not None:
            print(f"{made['repository']}#{made['pull']}")
    return worst


def _show(found: dict[str, Any], output: Output) -> None:
    if output != "table":
        show(found, output)
        return
    show(found, output, ["repository", "subject", "template", "version", "likeness"])
    print()
    show(found["answers"], output, ["name", "value", "origin", "lines"])
    note("taxiway scaffold adopt, without --plan, opens a pull request with this")
