"""`taxiway catalog onboard`: repositories without a descriptor, and pull requests that bring them one."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show
from taxiway.cli.runs import PATH, follow

BASE = "/api/catalog/v1/onboarding"
AT_ONCE = 500
COLUMNS = ["name", "source", "type", "owner", "system", "apis", "why", "ready"]


def onboard(
    names: list[str] | None = None,
    *,
    plan: bool = False,
    all: bool = False,
    source: str | None = None,
    no_look: bool = False,
    afresh: bool = False,
    output: Output = "table",
) -> None:
    """Find repositories without a catalog-info.yaml, and open pull requests that bring one.

    Parameters
    ----------
    names
        The repositories to open pull requests for.
    plan
        List what is proposed only.
    all
        Open a pull request for each repository whose proposal has an owner and a free name.
    source
        Who hosts the named repositories, as the list says: `git_local`, or `source:NAME` of a configured source.
    no_look
        Use what the last look found instead of looking again.
    afresh
        Open repositories that did not change too, since the catalog knows more people than last time.
    """
    client = Client(find_session())
    if not no_look:
        done = _followed(client, client.call("POST", f"{BASE}/looks", query={"afresh": afresh or None})["run_id"])
        if done["state"] != "succeeded":
            raise CliError("the look at the repositories did not end well: --no-look uses the one before", 1)
        found = done["steps"][0]["output"] or {}
        note(f"{found.get('looked_at', 0)} looked at, {found.get('unchanged', 0)} unchanged")
    items = list(client.pages(f"{BASE}/repositories", {"status": "missing", "limit": 100}, most=100_000))
    if plan or not (names or all):
        show([_row(item) for item in items], output, COLUMNS)
        if items and not plan:
            note("name the ones to open pull requests for, or say --all")
        return
    chosen = [{"source": item["source"], "name": item["name"]} for item in items if item["proposal"]["is_ready"]]
    if names:
        chosen = [{"source": source or _source_of(name, items), "name": name} for name in names]
    if not chosen:
        raise CliError("none of them has an owner and a free name: look at --plan, then name one", 1)
    for start in range(0, len(chosen), AT_ONCE):
        made = client.call("POST", f"{BASE}/pulls", body={"items": chosen[start : start + AT_ONCE]})
        done = _followed(client, made["run_id"])
        for step in done["steps"]:
            print(f"{step['name']}: {(step['output'] or {}).get('url') or step['error'] or step['state']}")
        if done["state"] != "succeeded":
            raise CliError("some repositories got no pull request", 1)


def _source_of(name: str, items: list[dict[str, Any]]) -> str:
    found = [item["source"] for item in items if item["name"] == name]
    if len(found) > 1:
        raise CliError(f"{name} is there more than once: say --source {' or '.join(found)}", 2)
    return str(found[0]) if found else "git_local"


def _row(item: dict[str, Any]) -> dict[str, Any]:
    proposal = item["proposal"]
    return {
        **{key: proposal[key] for key in ("type", "owner", "system", "apis")},
        "name": item["name"],
        "source": item["source"],
        "why": proposal["reasons"].get("owner", ""),
        "ready": proposal["is_ready"],
    }


def _followed(client: Client, run_id: str) -> dict[str, Any]:
    with redirect_stdout(sys.stderr):  # what was proposed or opened is the command's answer
        follow(client, run_id, quiet=True)
    run: dict[str, Any] = client.call("GET", f"{PATH}/{run_id}")
    return run
