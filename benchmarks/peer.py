"""The peer's recorded figures, read at run time from the files that its own benchmark wrote."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("BACKSTAGE_BENCH", Path(__file__).parents[2] / "shared" / "bench" / "backstage"))
ABSENT = "the peer's folder is not there: BACKSTAGE_BENCH names it"
Figure = tuple[str, str]
"""A figure, and the file it comes from; or a dash, and the reason."""


def recorded(pattern: str, pick: Callable[[Any], str | float], unit: str = "") -> Figure:
    """What `pick` finds in `reference/<pattern>`; of several files the median."""
    found = sorted((FOLDER / "reference").glob(pattern))
    if not found:
        return "-", ABSENT
    values = [pick(json.loads(path.read_text())) for path in found]
    value = values[0] if len(values) == 1 else statistics.median(float(item) for item in values)
    return f"{value}{unit}", pattern + (f" (median of {len(values)})" if len(values) > 1 else "")


def query(entities: int, row: str, connections: int) -> Figure:
    """A row of the recorded query runs."""

    def pick(content: Any) -> str:
        figures = content["wrk"][row][f"c{connections}"]
        return f"{figures['rps']:,.0f} rps, p50 {figures['p50_ms']:.1f}, p95 {figures['p95_ms']:.1f} ms"

    return recorded({1000: "query-1000.json"}.get(entities, "query-10000-main.json"), pick)
