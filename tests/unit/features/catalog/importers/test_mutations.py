"""Examples with a few fields made odd: nothing breaks, nothing invalid comes out, and nothing goes unsaid."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from factories.imported import validate_all
from factories.leaves import unheld
from taxiway.features.catalog.importers.formats import FORMATS, converter
from taxiway.features.catalog.importers.report import Input, Options
from taxiway.kit.yaml12 import load_all

DATA = Path(__file__).parent / "data"
ODD: list[Any] = [
    *(None, True, 0, 1.5, "", "x", "https://a.example/x", "a/b c", "é" * 80),
    *([], {}, [[]], [None], [1], ["x"], {"a": 1}, {"tag": "t"}, [{"tag": "t", "z": 1}], {"": {"": None}}),
    *({"nodes": [{"alias": "q"}]}, {"nodes": "x"}, {"edges": [1]}, {"alias": "a"}, {"key": "k", "value": {}}),
    *([{"key": "k"}], {"node": {"name": "n"}, "cursor": "c"}),
]
KEYS = ["extra", "a/b", "~", "tag", "owner", "nodes", "edges", "identifier", "relations", "catalog"]


def examples(name: str) -> list[Any]:
    paths = sorted(path for path in (DATA / name).iterdir() if not path.name.startswith("report"))
    return [document.value for path in paths for document in load_all(path.read_text())]


def places(value: Any, parent: Any = None, key: Any = None) -> list[tuple[Any, Any]]:
    found = [(parent, key)]
    for inner in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += places(value[inner], value, inner)
    return found


def make_odd(chance: random.Random, documents: list[Any]) -> None:
    parent, key = chance.choice(places(chance.choice(documents)))
    if parent is None:
        return
    odd = copy.deepcopy(chance.choice(ODD))
    what = chance.random()
    if what < 0.6:
        parent[key] = odd
    elif what < 0.75:
        del parent[key]
    elif isinstance(parent, dict):
        parent[chance.choice(KEYS)] = odd
    else:
        parent.append(odd)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_odd_fields_are_mentioned_and_break_nothing(name: str) -> None:
    chance, originals = random.Random(name), examples(name)
    for _ in range(120):
        documents = copy.deepcopy(originals)
        for _ in range(chance.randint(1, 4)):
            make_odd(chance, documents)
        inputs = [Input(f"{number}.json", json.dumps(one)) for number, one in enumerate(documents)]
        items = list(converter(name)(inputs, Options(base="/srv")))
        validate_all(items)
        for item in items:
            assert item.outcome != "refused" or item.reason
        for number, one in enumerate(documents):
            mine = [item for item in items if item.document == f"{number}.json"]
            assert unheld(one, mine) == []
