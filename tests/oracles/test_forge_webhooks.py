"""GitHub's own example payloads, and those of Four Keys' tests, as webhooks of the sources `github` and `gitlab`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from taxiway.plugins.github.repositories import GitHubOptions
from taxiway.plugins.github.repositories import hints_of as github_hints
from taxiway.plugins.gitlab.repositories import GitLabOptions
from taxiway.plugins.gitlab.repositories import hints_of as gitlab_hints

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "dora"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no oracle data at {FOLDER}")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_of_githubs_events_pushes_to_the_default_branch_and_changes_of_repositories_are_told() -> None:
    told: dict[str, list[str]] = {}
    files = sorted((FOLDER / "octokit+webhooks").glob("*.jsonl"))
    events = [(path.stem, one["payload"]) for path in files for one in lines(path)]
    for org in ("Codertocat", "octocoders", "octocat"):
        for event, payload in events:
            found = github_hints(event, payload, GitHubOptions(org=org))
            told.setdefault(event, []).extend(f"{org} {one['repository']}" for one in found)
    assert len(events) > 90
    assert {event: sorted(set(found)) for event, found in told.items() if found} == {
        "push": ["Codertocat Codertocat/Hello-World"],
        "repository": [
            "Codertocat Codertocat/Hello-World",
            "octocat octocat/Hello-World",
            "octocoders Octocoders/Hello-World",
        ],
    }, "a transferred repository is looked for where it was, too"
    assert len(told["push"]) == 1


def test_of_gitlabs_event_without_a_project_nothing_is_told() -> None:
    cases = [one["values"] for one in lines(FOLDER / "fourkeys-events.jsonl") if "gitlab-parser" in one["case"]]
    assert [gitlab_hints(one["data"], GitLabOptions(group="acme")) for one in cases] == [[]]
