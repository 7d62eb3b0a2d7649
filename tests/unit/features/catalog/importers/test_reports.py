"""Each format's example gives the report that is kept beside it, and no field of an example goes unmentioned.

`TAXIWAY_GOLDEN=write` writes the reports anew; the diff is what to review.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from factories.imported import validate_all
from factories.leaves import unheld
from taxiway.features.catalog.importers.formats import FORMATS, converter
from taxiway.features.catalog.importers.reading import Value, read_values
from taxiway.features.catalog.importers.report import Input, Item, Options

DATA = Path(__file__).parent / "data"
OPTIONS = {"backstage-config": Options(base="/srv/backstage/packages/backend")}


def documents(name: str) -> list[Input]:
    paths = sorted(path for path in (DATA / name).iterdir() if not path.name.startswith("report"))
    if name == "backstage-config":
        paths.sort(key=lambda path: len(path.name))
    return [Input(path.name, path.read_text()) for path in paths]


def convert(name: str) -> list[Item]:
    return list(converter(name)(documents(name), OPTIONS.get(name, Options())))


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_the_report_is_the_one_that_was_reviewed(name: str) -> None:
    found = json.dumps([asdict(item) for item in convert(name)], indent=1, ensure_ascii=False) + "\n"
    golden = DATA / name / "report.golden.json"
    if os.environ.get("TAXIWAY_GOLDEN") == "write":
        golden.write_text(found)
    assert json.loads(found) == json.loads(golden.read_text())


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_leaf_of_the_examples_is_told_of_and_is_where_it_was_carried_to(name: str) -> None:
    items = convert(name)
    for document in documents(name):
        for value in read_values(document):
            assert isinstance(value, Value)
            # A stream of YAML has the same pointers in each document: the line tells them apart.
            mine = [item for item in items if item.document == document.name and item.line == value.line]
            assert unheld(value.value, mine) == []


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_entity_is_valid_and_every_place_that_is_named_exists(name: str) -> None:
    items = convert(name)
    validate_all(items)
    for item in items:
        for note in item.notes if item.entity is not None else ():
            if note.to is not None:
                assert found_at(item.entity, note.to), (item.source, note)


def found_at(value: Any, at: str) -> bool:
    for part in at.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return False
    return True
