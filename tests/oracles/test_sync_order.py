"""Argo CD's order of applying."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from taxiway.features.delivery.ordering import HOOK, KINDS, PHASES, WAVE, groups, ordered

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "argo"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no oracle data at {FOLDER}")


def manifest(entry: dict[str, Any], unlisted: str) -> dict[str, Any]:
    annotations = {HOOK: entry["phase"], WAVE: str(entry.get("wave", 0))}
    metadata = {"name": entry.get("name", ""), "annotations": annotations}
    return {"kind": entry.get("kind", unlisted), "metadata": metadata, "entry": entry}


def test_the_sorted_vector_comes_out_of_any_order(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((FOLDER / "sync-order.json").read_text())
    assert list(PHASES) == data["phases"]
    assert list(KINDS) == data["kind_order"]
    wanted = data["sorted_vector"]
    rounds, right = 20, 0
    for seed in range(rounds):
        items = [manifest(entry, "Unlisted") for entry in wanted]
        random.Random(seed).shuffle(items)
        right += [item["entry"] for item in ordered(items)] == wanted
    with capsys.disabled():
        print(f"\nargo sync order: {right} of {rounds} shuffles")
    assert right == rounds


def test_waves_of_a_folder_are_applied_one_after_the_other() -> None:
    import yaml

    items = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "sync" / "sync-waves").glob("*.yaml"))]
    applied = [[item["metadata"]["name"] for item in group] for group in groups(items)]
    assert applied == [["cm-1"], ["cm-2"]]
