"""Backstage's own verdicts, references and relations, compared with ours.

The floors are the figures reached; they only go up. A difference that is wanted is listed with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxiway.features.catalog.kinds import INVERSE
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.service.locations import parse_location
from taxiway.features.catalog.validation import validate
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.model.entity import ref_of
from taxiway.model.errors import InputError

ORACLE = Path(__file__).parents[3] / "shared" / "oracles" / "catalog-entities"
FLOORS = {"verdict": 412, "ref": 397, "relations": 397, "boundaries": 172, "kinds": 257, "refs": 42, "locations": 7}

pytestmark = [
    pytest.mark.oracles,
    pytest.mark.skipif(not ORACLE.is_dir(), reason=f"the oracle set is not at {ORACLE}"),
]


def test_documents_get_backstages_verdict_reference_and_relations() -> None:
    passed, total, missed = {"verdict": 0, "ref": 0, "relations": 0}, 0, []
    for case in _rows("entities.jsonl"):
        total += 1
        document = _document(case)
        verdict, relations = _judge(document)
        good = verdict == case["verdict"]
        passed["verdict"] += good
        if case["verdict"] == "valid" and verdict == "valid":
            ref_good = str(ref_of(document)) == case["ref"]
            relations_good = _both_directions(case["ref"], relations) == _expected(case)
            passed["ref"] += ref_good
            passed["relations"] += relations_good
            good = good and ref_good and relations_good
        if not good:
            missed.append(case["id"])
    valid = sum(case["verdict"] == "valid" for case in _rows("entities.jsonl"))
    _report({"verdict": passed.pop("verdict")}, total, missed)
    _report(passed, valid, missed)


def test_boundary_values_get_backstages_verdict() -> None:
    rows = list(_rows("boundaries.jsonl"))
    good = [_judge(_minimal(row))[0] == row["verdict"] for row in rows]
    _report({"boundaries": sum(good)}, len(rows), [r for r, ok in zip(rows, good, strict=True) if not ok])


def test_every_spec_field_gets_backstages_verdict_and_relations() -> None:
    rows, good = list(_rows("kinds.jsonl")), []
    for row in rows:
        verdict, relations = _judge(row["entity"])
        same = verdict == row["verdict"]
        if same and verdict == "valid":
            same = _both_directions(row["ref"], relations) == _expected(row)
        good.append(same)
    _report({"kinds": sum(good)}, len(rows), [r["change"] for r, ok in zip(rows, good, strict=True) if not ok])


def test_references_are_read_as_backstage_reads_them() -> None:
    rows = list(_rows("refs.jsonl"))
    good = [_ref(row) == row.get("string") for row in rows]
    _report({"refs": sum(good)}, len(rows), [r for r, ok in zip(rows, good, strict=True) if not ok])


def test_location_references_are_read_as_backstage_reads_them() -> None:
    rows = list(_rows("locations.jsonl"))
    good = [_location(row["location"]) == row.get("parsed") for row in rows]
    _report({"locations": sum(good)}, len(rows), [r for r, ok in zip(rows, good, strict=True) if not ok])


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (ORACLE / name).open() as lines:
        yield from (json.loads(line) for line in lines)


def _report(passed: dict[str, int], total: int, missed: list[Any]) -> None:
    for part, count in passed.items():
        print(f"catalog-entities {part}: {count} of {total}")
    print("not as upstream:", *missed, sep="\n  ")
    for part, count in passed.items():
        assert count >= FLOORS[part], f"{part} fell from {FLOORS[part]} to {count}; differing: {missed[:10]}"


def _document(case: dict[str, Any]) -> Any:
    try:
        value = next(iter(load_all(case["text"]))).value
    except (YamlError, StopIteration):
        return None
    return _without_placeholders(value) if case.get("placeholders") else value


def _without_placeholders(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_placeholders(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in ("$text", "$openapi", "$asyncapi"):
            return "<placeholder>"
        if len(value) == 1 and next(iter(value)) in ("$json", "$yaml"):
            return {"placeholder": True}
        return {key: _without_placeholders(item) for key, item in value.items()}
    return value


def _judge(document: Any) -> tuple[str, frozenset[tuple[str, str]]]:
    try:
        return "valid", validate(document)
    except InputError:
        return "error", frozenset()


def _both_directions(ref: str, relations: frozenset[tuple[str, str]]) -> set[tuple[str, str, str]]:
    forward = {(ref, type_, target) for type_, target in relations}
    return forward | {(target, INVERSE[type_], ref) for type_, target in relations}


def _expected(case: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(r["source"], r["type"], r["target"]) for r in case["relations"]}


def _minimal(row: dict[str, Any]) -> Any:
    document: dict[str, Any] = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "sample"},
        "spec": {"type": "service", "lifecycle": "production", "owner": "team-a"},
    }
    field, metadata = row["field"], document["metadata"]
    if "value" not in row:
        document.pop(field)
        return document
    value = row["value"]
    match field.split("."):
        case ["metadata", part, "<key>"]:
            metadata[part] = {value: "v"}
        case ["metadata", part, "<value>"]:
            metadata[part] = {"k": value}
        case ["metadata", "tags[0]"]:
            metadata["tags"] = [value]
        case ["metadata", part]:
            metadata[part] = value
        case ["<root>", part]:
            document[part] = value
        case [part]:
            document[part] = value
    return document


def _ref(row: dict[str, Any]) -> str | None:
    context = row.get("context") or {}
    kind, namespace = context.get("defaultKind"), context.get("defaultNamespace", "default")
    try:
        return full_ref(row["ref"], kind, namespace)
    except InputError:
        return None


def _location(text: str) -> dict[str, str] | None:
    try:
        kind, target = parse_location(text)
    except InputError:
        return None
    return {"type": kind, "target": target}
