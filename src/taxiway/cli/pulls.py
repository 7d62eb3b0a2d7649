"""`taxiway pulls`: pull requests, their reviews, and the rules that protect branches."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import quote

from cyclopts import App, Parameter

from taxiway.cli.client import Client, find_session
from taxiway.cli.errors import CliError
from taxiway.cli.output import Output, note, show

app = App(
    name="pulls", help="Pull requests, reviews, and rules of branches. PULL is REPOSITORY#NUMBER, such as shop#7."
)
BASE = "/api/pulls/v1"
COLUMNS = ["number", "repository", "title", "state", "author", "head", "base", "updated_at"]


@app.command(name="list")
def list_pulls(
    repository: str | None = None,
    *,
    state: Literal["open", "closed", "merged", "all"] = "open",
    author: str | None = None,
    limit: int = 50,
    output: Output = "table",
) -> None:
    """List pull requests, newest first."""
    query = {"repository": repository, "state": None if state == "all" else state, "author": author}
    show(list(Client(find_session()).pages(f"{BASE}/pulls", query, most=limit)), output, COLUMNS)


@app.command
def get(pull: str, *, output: Output = "table") -> None:
    """Show a pull request: what it must pass, its checks, and who reviewed it."""
    found = Client(find_session()).call("GET", _path(pull))
    if output != "table":
        show(found, output)
        return
    names = ["title", "state", "mergeable", "author", "head", "base", "ahead", "behind", "head_sha", "reason"]
    show(found, output, [name for name in names if found[name] not in ("", None)])
    parts = (
        ("gates", ["title", "verdict", "detail"]),
        ("checks", ["name", "source", "state", "detail"]),
        ("reviewers", ["reviewer", "verdict", "counts", "at"]),
    )
    for part, columns in parts:
        if found[part]:
            print()
            show(found[part], output, columns)


@app.command
def diff(pull: str) -> None:
    """Print the diff, ready for `git apply` when it is not cut."""
    print(Client(find_session()).call("GET", f"{_path(pull)}/diff", raw=True), end="")


@app.command
def create(
    repository: str,
    *,
    head: str,
    base: str | None = None,
    title: str | None = None,
    body: str = "",
    draft: bool = False,
) -> None:
    """Open a pull request from branch HEAD into BASE (the default branch)."""
    given = {"repository": repository, "head": head, "base": base, "title": title, "body": body, "draft": draft}
    made = Client(find_session()).call("POST", f"{BASE}/pulls", body=given)
    print(f"{made['repository']}#{made['number']}")
    note(f"{made['title']}: {made['mergeable']}")


@app.command
def review(
    pull: str,
    *,
    approve: bool = False,
    request_changes: bool = False,
    body: str = "",
) -> None:
    """Approve, ask for changes, or (with neither) comment."""
    if approve and request_changes:
        raise CliError("say either --approve or --request-changes", 2)
    verdict = "approve" if approve else "request_changes" if request_changes else "comment"
    client = Client(find_session())
    commit = client.call("GET", _path(pull))["head_sha"]
    made = client.call("POST", f"{_path(pull)}/reviews", body={"verdict": verdict, "body": body, "commit": commit})
    counts = "" if verdict == "comment" or made["counts"] else " (it does not count: you may not merge here)"
    note(f"{verdict.replace('_', ' ')} at {commit[:7]}{counts}")


@app.command
def merge(
    pull: str,
    *,
    method: Literal["merge", "squash", "rebase"] | None = None,
    message: str | None = None,
    delete_branch: bool = False,
) -> None:
    """Merge a pull request that passes its gates."""
    client = Client(find_session())
    seen = client.call("GET", _path(pull))
    given = {"method": method, "message": message, "delete_branch": delete_branch, "head_sha": seen["head_sha"]}
    done = client.call("POST", f"{_path(pull)}/merge", body=given)
    note(f"{done['title']}: merged into {done['base']} as {done['merge_sha'][:7]} ({done['method']})")


@app.command
def close(pull: str) -> None:
    """Close a pull request without merging it."""
    _told(Client(find_session()).call("POST", f"{_path(pull)}/close"))


@app.command
def reopen(pull: str) -> None:
    """Open a closed pull request again."""
    _told(Client(find_session()).call("POST", f"{_path(pull)}/reopen"))


@app.command
def ready(pull: str) -> None:
    """Mark a draft as ready for review."""
    _told(Client(find_session()).call("PUT", _path(pull), body={"draft": False}))


@app.command
def rules(repository: str, *, output: Output = "table") -> None:
    """Show what protects the branches of a repository."""
    found = Client(find_session()).call("GET", _rules(repository))
    columns = ["pattern", "allow_push", "required_approvals", "require_code_owners", "required_checks", "methods"]
    show(found["rules"] if output == "table" else found, output, columns)


@app.command
def protect(
    repository: str,
    branch: str,
    *,
    approvals: int = 0,
    code_owners: bool = False,
    check: Annotated[list[str] | None, Parameter(negative="")] = None,
    up_to_date: bool = False,
    allow_push: bool = False,
    method: Annotated[list[Literal["merge", "squash", "rebase"]] | None, Parameter(negative="")] = None,
) -> None:
    """Protect BRANCH (a name or a pattern); a rule of this pattern is replaced."""
    rule = {
        "pattern": branch,
        "allow_push": allow_push,
        "required_approvals": approvals,
        "require_code_owners": code_owners,
        "required_checks": check or [],
        "require_up_to_date": up_to_date,
        **({"methods": method} if method else {}),
    }
    _change_rules(repository, branch, rule)


@app.command
def unprotect(repository: str, branch: str) -> None:
    """Remove the rule of BRANCH."""
    _change_rules(repository, branch, None)


def _change_rules(repository: str, pattern: str, rule: dict[str, Any] | None) -> None:
    client = Client(find_session())
    there = client.call("GET", _rules(repository))["rules"]
    kept = [item for item in there if item["pattern"] != pattern]
    if rule is None and len(kept) == len(there):
        raise CliError(f"{repository} has no rule for '{pattern}': see `taxiway pulls rules {repository}`")
    # An exact name goes before patterns, since the first rule that matches is the one that holds.
    new = [rule] if rule is not None else []
    made = [*new, *kept] if not re.search(r"[*?\[]", pattern) else [*kept, *new]
    done = client.call("PUT", _rules(repository), body={"rules": made})
    note(f"protected in {repository}: {', '.join(item['pattern'] for item in done['rules']) or 'nothing'}")


def _told(found: dict[str, Any]) -> None:
    note(f"{found['repository']}#{found['number']} {found['title']}: {found['state']}")


def _rules(repository: str) -> str:
    return f"{BASE}/rules/{quote(repository, safe='')}"


def _path(pull: str) -> str:
    match = re.fullmatch(r"([^#/]+)[#/](\d+)", pull)
    if match is None:
        raise CliError(f"'{pull}' names no pull request: write REPOSITORY#NUMBER, such as shop#7", 2)
    return f"{BASE}/pulls/{quote(match[1], safe='')}/{match[2]}"
