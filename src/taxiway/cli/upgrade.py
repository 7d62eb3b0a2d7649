"""`taxiway upgrade`: bring services to a new version of the golden path that made them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session, full_ref
from taxiway.cli.create import typed_answers
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show
from taxiway.cli.runs import follow

app = App(
    name="upgrade", help="Bring services to a new version of their golden path. SUBJECT is an entity, such as shop."
)
BASE = "/api/scaffolder/v1"
COLUMNS = ["subject", "template", "version", "newest", "state", "pull", "upgraded_at"]
SIGNS = {"added": "+", "removed": "-", "renamed": ">", "copied": ">"}
Answers = Annotated[list[str] | None, Parameter(name="--answer", negative="")]


@app.command(name="list")
def list_services(
    *,
    state: Literal["current", "behind", "proposed", "declined", "unknown"] | None = None,
    template: str | None = None,
    limit: int = 200,
    output: Output = "table",
) -> None:
    """List services that golden paths made, and which of them lag behind."""
    query = {"state": state, "template": template and full_ref(template, "template"), "limit": 200}
    show(list(Client(find_session()).pages(f"{BASE}/services", query, most=limit)), output, COLUMNS)


@app.command
def plan(subject: str, *, answer: Answers = None, output: Output = "table") -> None:
    """Show what an upgrade would change, where it conflicts, and what it asks. Nothing is kept.

    Parameters
    ----------
    subject
        Name or reference of the service's entity.
    answer
        An answer to a question, as NAME=VALUE; can be given more than once.
    """
    client, ref = Client(find_session()), full_ref(subject)
    found = client.call(
        "POST", f"{BASE}/upgrades/plan", body={"subject": ref, "answers": _answers(client, ref, answer)}
    )
    if output != "table":
        show(found, output)
        return
    show(found, output, ["subject", "template", "version", "to", "state", "pull"])
    _part("Questions", (_question(item) for item in found["questions"]))
    if found["files"] is None:
        note("" if found["state"] == "current" else "\nanswer with --answer NAME=VALUE to see what would change")
        return
    _part(f"Files ({found['file_count']}: +{found['additions']} -{found['deletions']})", map(_file, found["files"]))
    _part("Conflicts", (f"! {item['path']}: {item['detail']}" for item in found["conflicts"]))
    if found["is_record_changed"]:
        note("\n.taxiway/scaffold.yaml was changed by hand: it is written anew")


@app.command
def start(subject: str, *, answer: Answers = None, wait: bool = True, output: Output = "table") -> int:
    """Propose the newest version to a service as a pull request, and follow the run.

    Parameters
    ----------
    subject
        Name or reference of the service's entity.
    answer
        An answer to a question, as NAME=VALUE; can be given more than once.
    wait
        Follow the run to its end.
    """
    client, ref = Client(find_session()), full_ref(subject)
    body = {"subject": ref, "answers": _answers(client, ref, answer)}
    code, run = follow_task(client, client.call("POST", f"{BASE}/upgrades", body=body), wait, output)
    made = run.get("output") or {}
    if output == "table" and made.get("pull") is not None:
        print(f"{made['repository']}#{made['pull']}")
        note(f"{len(made['conflicts'])} files to look at; see taxiway pulls get {made['repository']}#{made['pull']}")
    return code


@app.command
def decline(subject: str) -> None:
    """Say that a service does not want the newest version; the next one counts again."""
    done = Client(find_session()).call("POST", f"{BASE}/services/decline", body={"subject": full_ref(subject)})
    note(f"{done['subject']}: {done['newest']} is {done['state']}")


@app.command
def fleet(
    template: str,
    *,
    canary: int = 1,
    pace: int = 5,
    stop_after_failures: int = 1,
    only: Annotated[list[str] | None, Parameter(negative="")] = None,
    answer: Answers = None,
    wait: bool = True,
    output: Output = "table",
) -> int:
    """Propose the newest version of TEMPLATE to all services that lag behind, and follow the run.

    Parameters
    ----------
    template
        Name or reference of the golden path.
    canary
        How many services go first; nobody else begins before they succeeded.
    pace
        How many are under way at once.
    stop_after_failures
        After how many failures no further service begins.
    only
        A service to upgrade; can be given more than once. Without it all that lag behind are.
    answer
        An answer to a question, for all services, as NAME=VALUE; can be given more than once.
    wait
        Follow the run to its end.
    """
    client = Client(find_session())
    body = {
        "template_ref": full_ref(template, "template"),
        "canary": canary,
        "pace": pace,
        "stop_after_failures": stop_after_failures,
        "subjects": [full_ref(name) for name in only or []],
        "answers": typed(client, full_ref(template, "template"), answer),
    }
    code, run = follow_task(client, client.call("POST", f"{BASE}/fleet-upgrades", body=body), wait, output)
    made = run.get("output") or {}
    if output == "table" and made:
        rows = [{**item, "result": _result(item)} for item in made["upgraded"]]
        rows += [{**item, "result": f"failed: {item['error']}"} for item in made["failed"]]
        rows += [{"subject": name, "result": "not reached"} for name in made["not_reached"]]
        print()
        show(rows, output, ["subject", "result"])
    return code


def follow_task(client: Client, task: dict[str, Any], wait: bool, output: Output) -> tuple[int, dict[str, Any]]:
    """Watch a run that was started, where that is asked for; its exit code and the run."""
    note(f"run {task['id']}")
    if not wait:
        show(task, output)
        return 0, {}
    # What is watched is for people: stdout stays for what programs read.
    with redirect_stdout(sys.stdout if output == "table" else sys.stderr):
        code = follow(client, task["id"], quiet=output != "table")
    run = client.call("GET", f"/api/runs/v1/runs/{task['id']}")
    if output != "table":
        show(run["output"], output)
    return code, run


def _answers(client: Client, ref: str, given: list[str] | None) -> dict[str, Any]:
    """Answers to the golden path of a service."""
    if not given:
        return {}
    there = client.call("GET", f"{BASE}/services", query={"subject": ref})["items"]
    if not there:
        raise CliError(f"no golden path made {ref}, as far as is known here", 5)
    return typed(client, there[0]["template"], given)


def typed(client: Client, template: str, given: list[str] | None) -> dict[str, Any]:
    """Answers with the types that the golden path's form asks for."""
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals:
            raise CliError(f"'{text}' is no answer: write NAME=VALUE", 2)
        pairs[name] = value
    return typed_answers(client, template, pairs, {}) if pairs else {}


def _part(title: str, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        print("\n".join(["", title, *(f"  {line}" for line in found)]))


def _question(item: dict[str, Any]) -> str:
    schema = item["schema"]
    kind = " | ".join(map(str, schema["enum"])) if "enum" in schema else schema.get("type") or "anything"
    told = item["problem"] or f"takes {item['answer']!r}"
    return f"? {item['name']} ({'new, ' if item['is_new'] else ''}{kind}): {told}"


def _file(item: dict[str, Any]) -> str:
    moved = f"{item['previous_path']} → " if item["previous_path"] else ""
    counts = "binary" if item["is_binary"] else f"+{item['additions']} -{item['deletions']}"
    return f"{SIGNS.get(item['status'], '~')} {moved}{item['path']} ({counts})"


def _result(item: dict[str, Any]) -> str:
    if item.get("already"):
        return "has it, or a pull request for it is open"
    if item.get("pull") is None:
        return "had everything of it already"
    return f"{item['repository']}#{item['pull']}" + (
        f", {len(item['conflicts'])} files to look at" if item["conflicts"] else ""
    )
