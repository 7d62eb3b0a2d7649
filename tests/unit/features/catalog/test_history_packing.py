"""Packing of superseded versions, and what is told to be different between two of them."""

from __future__ import annotations

import json

import pytest

from taxiway.features.catalog.diffs import MAX_CHANGES, diff
from taxiway.features.catalog.history_packing import Packed, pack, stands_alone, unpack, unpack_chain


def document(version: int) -> str:
    spec = {"type": "service", "owner": f"team-{version}", "definition": "some words that stay the same. " * 30}
    return json.dumps({"metadata": {"name": "x", "title": f"Title {version}"}, "spec": spec})


def test_a_chain_of_versions_is_read_back_byte_by_byte_and_is_small() -> None:
    texts = {version: document(version) for version in range(1, 41)}
    packed = [
        Packed(version, False, pack(texts[version], None if stands_alone(version, False) else texts[version + 1]))
        for version in range(39, 0, -1)
    ]
    assert unpack_chain(packed, texts[40]) == {version: texts[version] for version in range(1, 40)}
    linked = [item for item in packed if not item.stands_alone]
    assert sum(len(item.doc) for item in linked) / len(linked) < 60


def test_what_nothing_replaced_stands_by_itself() -> None:
    text = document(1)
    assert unpack_chain([Packed(3, True, pack(text, None))], None) == {3: text}


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_large_and_odd_texts_survive(size: int) -> None:
    newer, text = "ü\u2028" * size, "é" * size + "\\u0000"
    assert unpack(pack(text, newer or None), newer or None) == text


def test_changes_are_told_with_the_old_value() -> None:
    old = {"metadata": {"etag": "1", "tags": ["a"], "links": [{"url": "x"}]}, "spec": {"owner": "a", "system": "s"}}
    new = {"metadata": {"etag": "2", "tags": ["a", "b"], "links": [{"url": "y"}]}, "spec": {"owner": "b", "x/y": 1}}
    assert diff(old, new) == [
        {"op": "replace", "path": "/metadata/links/0/url", "value": "y", "old": "x"},
        {"op": "replace", "path": "/metadata/tags", "value": ["a", "b"], "old": ["a"]},
        {"op": "replace", "path": "/spec/owner", "value": "b", "old": "a"},
        {"op": "remove", "path": "/spec/system", "old": "s"},
        {"op": "add", "path": "/spec/x~1y", "value": 1},
    ]
    assert diff(old, {**old, "metadata": {**old["metadata"], "etag": "3"}}) == []


def test_differences_are_bounded() -> None:
    changes = diff({}, {str(number): "x" * 10_000 for number in range(1000)})
    assert len(changes) == MAX_CHANGES
    assert len(changes[0]["value"]) < 5000
    assert diff({"a": True}, {"a": 1}) == [{"op": "replace", "path": "/a", "value": 1, "old": True}]
