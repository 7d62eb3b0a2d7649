"""Which workflows a push starts, and which actions they name."""

from pathlib import Path

import pytest

from taxiway.plugins.act.actions import load_index, used_actions
from taxiway.plugins.act.filters import pattern_matches
from taxiway.plugins.act.workflow import WorkflowError, parse, parse_uses, started_by_pull, started_by_push

ACTIONS = Path(__file__).parents[4] / "src/taxiway/library/actions"
JOBS = "\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: x}]}}\n"


def starts(on: str, ref: str = "refs/heads/main", changed: list[str] | None = None) -> bool:
    return started_by_push(parse((on + JOBS).encode(), "ci.yml"), ref, changed)


@pytest.mark.parametrize(
    ("on", "ref", "changed", "expected"),
    [
        ("on: push", "refs/heads/main", None, True),
        ('"on": [pull_request, push]', "refs/heads/x", None, True),
        ("on: {push: }", "refs/heads/x", None, True),
        ("on: pull_request", "refs/heads/main", None, False),
        ("on: {push: {branches: [main]}}", "refs/heads/main", None, True),
        ("on: {push: {branches: [main]}}", "refs/heads/other", None, False),
        ("on: {push: {branches: main}}", "refs/heads/main", None, True),
        ("on: {push: {branches: ['releases/**', '!releases/old']}}", "refs/heads/releases/a/b", None, True),
        ("on: {push: {branches: ['releases/**', '!releases/old']}}", "refs/heads/releases/old", None, False),
        ("on: {push: {branches-ignore: ['wip/*']}}", "refs/heads/wip/a", None, False),
        ("on: {push: {branches-ignore: ['wip/*']}}", "refs/heads/wip/a/b", None, True),
        ("on: {push: {branches: [main]}}", "refs/tags/v1", None, False),
        ("on: {push: {tags: ['v[0-9]+.*']}}", "refs/tags/v12.3", None, True),
        ("on: {push: {tags: ['v*']}}", "refs/heads/main", None, False),
        ("on: push", "refs/tags/v1", None, True),
        ("on: {push: {paths: ['src/**']}}", "refs/heads/main", ["docs/a.md"], False),
        ("on: {push: {paths: ['src/**', '!src/gen/**']}}", "refs/heads/main", ["src/gen/x"], False),
        ("on: {push: {paths: ['**/*.py']}}", "refs/heads/main", ["setup.py"], True),
        ("on: {push: {paths-ignore: ['docs/**']}}", "refs/heads/main", ["docs/a", "b"], True),
        ("on: {push: {paths-ignore: ['docs/**']}}", "refs/heads/main", ["docs/a"], False),
        ("on: {push: {paths: ['src/**']}}", "refs/heads/main", None, True),
    ],
)
def test_push_starts_what_github_would_start(on: str, ref: str, changed: list[str] | None, expected: bool) -> None:
    assert starts(on, ref, changed) is expected


@pytest.mark.parametrize(
    ("on", "action", "changed", "expected"),
    [
        ("on: pull_request", "opened", None, True),
        ("on: push", "opened", None, False),
        ('"on": [push, pull_request]', "synchronize", None, True),
        ("on: {pull_request: {types: [closed]}}", "opened", None, False),
        ("on: {pull_request: {types: [reopened, opened]}}", "reopened", None, True),
        ("on: {pull_request: {branches: [main]}}", "opened", None, True),
        ("on: {pull_request: {branches: ['release/**']}}", "opened", None, False),
        ("on: {pull_request: {branches-ignore: [main]}}", "opened", None, False),
        ("on: {pull_request: {paths: ['src/**']}}", "opened", ["docs/a"], False),
        ("on: {pull_request: {paths-ignore: ['docs/**']}}", "opened", ["docs/a", "b"], True),
        ("on: pull_request_target", "opened", None, False),
    ],
)
def test_a_pull_request_into_main_starts_what_github_would_start(
    on: str, action: str, changed: list[str] | None, expected: bool
) -> None:
    assert started_by_pull(parse((on + JOBS).encode(), "ci.yml"), "main", action, changed) is expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*.jsx?", "page.js", True),
        ("*.jsx?", "page.jsx", True),
        ("**", "a/b", True),
        ("feature/*", "feature/a/b", False),
        ("v2*", "v2.9", True),
        ("**/docs/**", "docs/hello.md", True),
        ("**/docs/**", "mydocs/hello.md", False),
        ("[CB]at", "Cat", True),
        ("a.b", "axb", False),
        ("[unclosed", "[unclosed", True),
    ],
)
def test_filter_patterns(pattern: str, name: str, expected: bool) -> None:
    assert pattern_matches(pattern, name) is expected


def test_hostile_pattern_is_matched_in_bounded_time() -> None:
    assert not pattern_matches("**a" * 300 + "b", "a" * 4000)
    assert not pattern_matches("a?" * 400 + "b", "a" * 4000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("on: push\njobs: [", "not valid YAML"),
        ("- a", "not a mapping"),
        ("jobs: {a: {steps: []}}", "no `on`"),
        ("on: push", "no `jobs`"),
        ("on: push\njobs: " + "[" * 500 + "]" * 500, "levels"),
        ("a: &a {x: 1}\nb: {<<: [*a, *a]}", "merge keys"),
        ("on: push\nx: " + "y" * 600_000, "bytes"),
    ],
)
def test_unusable_workflow_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(WorkflowError, match=r"(?s).*") as caught:
        parse(text.encode(), "ci.yml")
    assert message in str(caught.value)


def test_uses_lines_are_told_apart() -> None:
    restored = parse_uses("actions/cache/restore@v4")
    assert restored is not None
    assert (restored.repository, restored.path, restored.ref) == ("actions/cache", "restore", "v4")
    called = parse_uses("a/b/.github/workflows/x.yml@main")
    assert called is not None
    assert called.reusable_workflow
    assert [parse_uses(text) for text in ("./local", "docker://alpine", "a/b", "a/b/../c@v1")] == [None] * 4


def test_actions_behind_the_repositorys_own_action_are_found_and_missing_ones_named(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/action.yml").write_text(
        "runs: {using: composite, steps: [{uses: foo/bar@v1}, {uses: Actions/Setup-Python@v5}, {uses: ./own}]}"
    )
    text = "on: push\njobs: {a: {runs-on: x, steps: [{uses: ./own}, {uses: actions/checkout@v4}]}}"
    used = used_actions(parse(text.encode(), "ci.yml"), tmp_path, load_index(ACTIONS))
    assert [uses.text for uses in used.remote] == ["actions/checkout@v4", "foo/bar@v1", "Actions/Setup-Python@v5"]
    assert list(used.refused) == ["a"]
    assert "foo/bar@v1" in used.refused["a"][0]


def test_every_mapped_action_exists() -> None:
    for folder in set(load_index(ACTIONS).folders.values()):
        assert (ACTIONS / folder / "action.yml").is_file()
