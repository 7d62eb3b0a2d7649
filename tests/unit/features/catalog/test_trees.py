"""Patterns mean the same in a folder and in the list of files that a forge gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.features.catalog.sources import trees
from taxiway.model.errors import TooLargeError
from taxiway.plugin.forging import Entry, ListedTree
from taxiway.plugin.forging import trees as listed

FILES = ("a.yaml", "x/a.yaml", "x/b.yaml", "x/y/a.yaml", "app/[slug]/c.yaml", "app/s/c.yaml")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.yaml", ["a.yaml"]),
        ("*/a.yaml", ["x/a.yaml"]),
        ("**/a.yaml", ["a.yaml", "x/a.yaml", "x/y/a.yaml"]),
        ("x/**", ["x/a.yaml", "x/b.yaml", "x/y/a.yaml"]),
        ("x/[ab].yaml", ["x/a.yaml", "x/b.yaml"]),
        ("app/[slug]/c.yaml", ["app/[slug]/c.yaml"]),
    ],
)
def test_a_folder_and_a_list_have_the_same_files(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert trees.FileTree(tmp_path).match(pattern) == found
    assert _listed(FILES).match(pattern) == found


def test_too_many_files_are_refused_rather_than_some_of_them_left_out() -> None:
    many = [f"x/{number}.yaml" for number in range(listed.MAX_MATCHES + 1)]
    assert len(_listed(many[1:]).match("x/*")) == listed.MAX_MATCHES
    with pytest.raises(TooLargeError, match="narrow it"):
        _listed(many).match("x/*")


def _listed(names: tuple[str, ...] | list[str]) -> ListedTree:
    return ListedTree("", {name: Entry(name) for name in names}, lambda *_: b"", lambda path: path)
