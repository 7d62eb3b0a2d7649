"""Globs mean in lists of files what they mean in folders."""

from __future__ import annotations

import itertools
from pathlib import Path

from taxiway.kit.globs import matches

FILES = ("a", "b.yaml", "x/a", "x/b.yaml", "x/.c/a", "x/y/a", "x/y/ab", "x/y/b.yaml", "y/x/y/a", "[a]/a")
SEGMENTS = ("a", "x", "*", "**", "?", "*b*", "b.*", "[ax]", "[!a]", "x*")


def test_a_list_of_files_gives_what_a_folder_with_them_gives(tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    patterns = ["/".join(some) for count in (1, 2, 3, 4) for some in itertools.product(SEGMENTS, repeat=count)]
    for pattern in (one for one in patterns if not one.endswith("**")):  # folders alone, there
        in_folder = {file.relative_to(tmp_path).as_posix() for file in tmp_path.glob(pattern) if file.is_file()}
        assert {name for name in FILES if matches(name, pattern)} == in_folder, pattern


def test_two_asterisks_in_the_end_are_everything_below() -> None:
    assert [name for name in FILES if matches(name, "x/**")] == [name for name in FILES if name.startswith("x/")]


def test_a_hostile_pattern_costs_little() -> None:
    assert not matches("/".join("a" * 100 for _ in range(40)) + "/c", "/".join(["**", "*a" * 50] * 20) + "/b")
