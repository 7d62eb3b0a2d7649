"""The peer's side of the catalog's rows: measured in the same run, or recorded by its own script."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks import peer

Cell = tuple[str, str]
"""A row of `measure.py query`, and `c1` or `c16`: over how many connections."""


def seconds(found: Sequence[Any]) -> str:
    """The median of ingestions, and their range where there are several."""
    times = sorted(float(one["all_relations_s"]) for one in found)
    between = f" ({times[0]:.2f} to {times[-1]:.2f})" if len(times) > 1 else ""
    return f"{statistics.median(times):.2f} s{between}"


def walk(found: Sequence[Any]) -> float:
    """Seconds of a walk over everything, the client's own time for reading each page among them."""
    return statistics.median(one["cursor_walk_limit_100"]["total_s"] for one in found)


def medians(names: Iterable[str], rounds: Sequence[Any]) -> dict[Cell, Mapping[str, float]]:
    """Requests a second and p95 of each cell over all rounds."""
    return {
        (row, connections): {
            key: statistics.median(one[row][connections][key] for one in rounds) for key in ("rps", "p95_ms")
        }
        for row in names
        for connections in ("c1", "c16")
    }


def rates(names: Iterable[str], rounds: Sequence[Any], count: int) -> dict[Cell, tuple[float, str]]:
    """(requests a second, the same as text) of each cell: of this run's rounds, else as recorded."""
    sign = " now" if rounds else ""
    known = rounds or [
        one["wrk"] for one in _recorded({1000: "query-1000.json", 10_000: "query-10000-main.json"}, count)
    ]
    if not known:
        return {}
    found = medians(names, known)
    return {cell: (one["rps"], f"{one['rps']:,.0f} rps{sign}") for cell, one in found.items()}


def recorded_ingest(count: int) -> str:
    """Seconds until all relations were there."""
    found = _recorded({1000: "ingest-1000.json", 10_000: "ingest-10000-final.json"}, count)
    return f"{found[0]['all_relations_s']:.1f} s" if found else "-"


def recorded_store(count: int) -> str:
    """Size of the catalog's database."""
    found = _recorded({count: f"db-{count}.json"}, count)
    return f"{found[0]['catalog_mb']:,.0f} MB" if found else "-"


def _recorded(files: Mapping[int, str], count: int) -> list[Any]:
    pattern = files.get(count, "none")
    return [json.loads(path.read_text()) for path in sorted((peer.FOLDER / "reference").glob(pattern))]
