"""Score's own material: every sample must validate, and what the reference tools refuse must be refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from taxiway.features.environments import score as module
from taxiway.features.environments.score import read_document, upgrade
from taxiway.model.errors import InputError

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "score"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no oracle data at {FOLDER}")


def documents() -> list[tuple[str, Any]]:
    found = []
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name.startswith("score"):
            found += [(str(path.relative_to(FOLDER)), item) for item in yaml.safe_load_all(path.read_text())]
    return [(name, item) for name, item in found if item is not None]


def test_every_published_score_file_is_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    failed = []
    cases = documents()
    for name, document in cases:
        try:
            read_document(document)
        except InputError as error:
            failed.append(f"{name}: {error.detail}")
    with capsys.disabled():
        print(f"\nscore files: {len(cases) - len(failed)} of {len(cases)}")
    assert not failed


def test_our_schema_judges_as_the_published_one(capsys: pytest.CaptureFixture[str]) -> None:
    published = json.loads((FOLDER / "score-spec+spec" / "score-v1b1.json").read_text())
    ours = json.loads(Path(module.__file__).with_name("score-v1b1.json").read_text())
    theirs, mine = jsonschema_rs.Draft202012Validator(published), jsonschema_rs.Draft202012Validator(ours)
    broken = [broken for _, document in documents() for broken in mutations(document)]
    equal = sum(theirs.is_valid(item) == mine.is_valid(item) for item in broken)
    with capsys.disabled():
        print(f"\nscore schema verdicts: {equal} of {len(broken)}")
    assert equal == len(broken)


def mutations(document: Any) -> list[Any]:
    """The document with each key taken away, misnamed, or given a value of another type."""
    result = []
    text = json.dumps(document, default=str)

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            for change in ("drop", "rename", "type"):
                copy = json.loads(text)
                place = copy
                for part in path:
                    place = place[part]
                if change == "drop":
                    del place[key]
                elif change == "type":
                    place[key] = {"x": [1]} if not isinstance(item, dict) else "x"
                elif isinstance(place, dict):
                    place[f"{key}_X"] = place.pop(key)
                result.append(copy)
            walk(item, (*path, key))

    walk(json.loads(text), ())
    return result


def test_files_of_the_reference_tools_tests_get_their_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """A file that a test of a tool writes and generates from is refused exactly when the tool refuses it."""
    right, cases, wrong = 0, 0, []
    for line in (FOLDER / "generate-tests.jsonl").read_text().splitlines():
        case = json.loads(line)
        for text, is_refused in verdicts(case["events"]):
            cases += 1
            if refused(text) == is_refused:
                right += 1
            else:
                wrong.append(case["test"])
    with capsys.disabled():
        print(f"\nscore verdicts of the reference tools' tests: {right} of {cases} {wrong or ''}")
    assert right == cases


def verdicts(events: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    """(text of a score file, whether validation refused it), for files that are used by the run behind them."""
    found, written = [], None
    for event in events:
        if "write" in event:
            is_score = Path(event["write"]).name.startswith("score") or event["write"] == "thing"
            written = event["text"] if is_score else written
        elif written is not None and str(event.get("expect", "")).startswith(("Error", "EqualError", "exit")):
            if "validation failed" in str(event.get("text", "")):
                found.append((written, True))
                written = None
            elif event["expect"] == "exit zero":
                found.append((written, False))
                written = None
    return found


def refused(text: str) -> bool:
    try:
        document = yaml.safe_load(text)
        if isinstance(document, dict) and "apiVersion" in document:
            upgrade(document)
        read_document(document)
    except (InputError, yaml.YAMLError):
        return True
    return False
