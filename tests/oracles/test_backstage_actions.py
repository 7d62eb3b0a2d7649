"""Backstage's actions by the schemas that its modules register: ours have the same names, inputs and outputs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from taxiway.api.platform import build_platform
from taxiway.core.settings import load_settings

PAGE = Path(__file__).parents[3] / "shared" / "reference" / "backstage.md"
pytestmark = pytest.mark.skipif(
    not PAGE.is_file(), reason="the page on Backstage's actions is not there: it is kept beside the repository"
)
MODULES = {"core", "azure", "bitbucket", "bitbucket-cloud", "bitbucket-server", "gitea", "github", "gitlab"}
GIT3 = ["gitCommitMessage", "gitAuthorName", "gitAuthorEmail"]
MORE = {"catalog:register": {"repository"}, "debug:log": {"extra"}}
"""Inputs that we have beside Backstage's, of which none is required."""


def names(cell: str) -> tuple[set[str], set[str]]:
    """(all, required) of a cell such as `repoUrl*, topics[], active=true`."""
    words = re.sub(r"\([^)]*\)", "", cell.replace(" OR ", ", ").replace("`", ""))
    found = [word.strip() for word in words.split(",") if word.strip()]
    found = [part for word in found for part in (GIT3 if word == "GIT3" else [word])]
    said = [re.findall(r"^(\w+)(\*?)", word)[0] for word in found]
    return {name for name, _ in said}, {name for name, star in said if star}


def rows() -> list[tuple[str, str, str, str]]:
    """(module, action, inputs, outputs) of the table."""
    text = PAGE.read_text().partition("### 3.5 ")[2].partition("### 3.6 ")[0]
    cells = [[part.strip() for part in line.strip("|").split(" | ")] for line in text.splitlines() if line[:2] == "| "]
    made = [(row[0], row[1].strip("`"), row[3], row[4].strip(" |") if row[4:] else "") for row in cells if row[3:]]
    return [row for row in made if row[0] in MODULES]


def test_actions_have_the_inputs_and_outputs_of_backstage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    platform = build_platform(load_settings({}, {"data": tmp_path}))
    wrong, listed = [], rows()
    assert len(listed) == 49
    known = [row for row in listed if platform.registry.has("action", row[1])]
    for _, key, inputs, outputs in known:
        action = platform.registry.get("action", key)
        (has, needs), (wanted, required) = shape(action.input_schema), names(inputs)
        if not wanted <= has or not has - wanted <= MORE.get(key, set()) or not needs <= required:
            wrong.append(f"{key}: lacks {wanted - has}, adds {has - wanted}, needs {needs - required} too")
        if lacking := names(outputs)[0] - shape(action.output_schema)[0]:
            wrong.append(f"{key}: lacks the outputs {lacking}")
    with capsys.disabled():
        print(f"\nactions of Backstage with its inputs and outputs: {len(known) - len(wrong)} of {len(listed)}")
    assert not wrong, "\n".join(wrong)
    assert known == listed


def shape(schema: object) -> tuple[set[str], set[str]]:
    assert isinstance(schema, dict)
    return set(schema.get("properties") or {}), set(schema.get("required") or [])
