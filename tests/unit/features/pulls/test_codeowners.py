"""CODEOWNERS as GitHub reads it, and patterns of rules."""

from __future__ import annotations

import time

import pytest

from taxiway.features.pulls.codeowners import owners_of, parse_codeowners
from taxiway.kit.globs import matches


@pytest.mark.parametrize(
    ("pattern", "path", "is_owned"),
    [
        ("*", "a/b/c", True),
        ("*.js", "a/b.js", True),
        ("*.js", "a/b.jsx", False),
        ("/build/logs/", "build/logs/x/y", True),
        ("/build/logs/", "a/build/logs/x", False),
        ("docs/*", "docs/getting-started.md", True),
        ("docs/*", "docs/build-app/troubleshooting.md", False),
        ("apps/", "deep/apps/x", True),
        ("apps/", "apps", False),
        ("/docs/", "docs/a", True),
        ("**/logs", "build/logs/x", True),
        ("**/logs", "logs/x", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**", "a/x/y", True),
        ("/apps/github", "apps/github/x", True),
        ("/apps/github", "apps/github-x", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("x*y*z", "xyyz", True),
        ("with\\ space", "with space", True),
        ("!a", "a", False),
        ("[ab]", "a", False),
        ("A", "a", False),
    ],
)
def test_patterns(pattern: str, path: str, is_owned: bool) -> None:
    assert bool(owners_of(parse_codeowners(f"{pattern} @me\n"), path)) is is_owned


def test_the_last_line_wins_and_one_without_owners_frees() -> None:
    lines = parse_codeowners("# all\n* @Acme/Team @kim # us\n\n/free/\n/mail/ kim@example.org\n")
    assert owners_of(lines, "x") == ("group:default/team", "user:default/kim")
    assert owners_of(lines, "free/x") == ()
    assert owners_of(lines, "mail/x") == (None,)


def test_evil_patterns_take_no_time() -> None:
    lines = parse_codeowners("*a" * 100 + "b @me\n" + "**/" * 50 + "b @me\n" + "**/a**/a**/a/b @me\n")
    start = time.perf_counter()
    owners_of(lines, "a" * 4000 + "/a" * 1000)
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(
    ("pattern", "branch", "is_match"),
    [
        ("main", "main", True),
        ("main", "main2", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("**/fix", "fix", True),
        ("**/fix", "a/b/fix", True),
        ("*", "a/b", False),
        ("v?", "v1", True),
    ],
)
def test_patterns_of_rules(pattern: str, branch: str, is_match: bool) -> None:
    assert matches(branch, pattern) is is_match
