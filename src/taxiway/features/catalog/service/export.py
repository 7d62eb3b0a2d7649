"""Everything that a query finds, as lines: NDJSON of whole entities, or CSV of chosen fields. Streamed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.query import Listed, Query
from taxiway.features.catalog.service.past import page_at
from taxiway.features.catalog.service.query import READ, ids_of_entities, with_properties

BATCH = 500
COLUMNS = (
    *("kind", "metadata.namespace", "metadata.name", "metadata.title", "metadata.description", "metadata.tags"),
    *("spec.type", "spec.lifecycle", "spec.owner", "spec.system"),
)
"""What a CSV has when no fields are named."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def ndjson(ctx: OpContext, query: Query, fields: Sequence[str], at: int | None) -> Iterator[bytes]:
    """A JSON object a line, in order; with `fields`, only these paths of each.

    What is wrong with the question is raised here, before the first line.
    """
    batches = _batches(ctx, query, at, fields)
    return ("".join(f"{text}\n" for text in reading.projected(texts, fields)).encode() for texts in batches)


def csv_lines(ctx: OpContext, query: Query, fields: Sequence[str], at: int | None) -> Iterator[bytes]:
    """A line with the paths, then one for each entity; lists are joined by spaces, mappings are JSON.

    Cells that a spreadsheet would take for a formula get a quote in front. Errors as for `ndjson`.
    """
    columns = list(fields or COLUMNS)
    batches = _batches(ctx, query, at, columns)
    return chain([_line([columns])], (_line(_rows(texts, columns)) for texts in batches))


def _rows(texts: Sequence[str], columns: Sequence[str]) -> list[list[str]]:
    documents = [orjson.loads(text) for text in texts]
    return [[_cell(value_at(document, path)) for path in columns] for document in documents]


def value_at(value: Any, path: str) -> Any:
    """What lies at a dotted path, keys that contain dots found greedily; None where there is nothing."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    parts = path.split(".")
    for size in range(len(parts) - 1, 0, -1):
        key = ".".join(parts[:size])
        if isinstance(value.get(key), dict):
            return value_at(value[key], ".".join(parts[size:]))
    return None


def _batches(ctx: OpContext, query: Query, at: int | None, fields: Sequence[str]) -> Iterator[Sequence[str]]:
    if at is None:
        return (with_properties(ctx, texts, fields) for texts in _present(ctx, ids_of_entities(ctx, query)))
    return _past(ctx, query, at, page_at(ctx, query, at, limit=BATCH, offset=0))


def _present(ctx: OpContext, ids: Sequence[int]) -> Iterator[list[str]]:
    scope = visible_to(ctx.scope(READ))
    for start in range(0, len(ids), BATCH):
        with ctx.platform.store.read() as conn:
            found = list(reading.texts_by_ids(conn, ids[start : start + BATCH], scope).values())
        yield found


def _past(ctx: OpContext, query: Query, at: int, page: Listed) -> Iterator[list[str]]:
    yield list(page.items)
    for start in range(BATCH, page.total, BATCH):
        yield list(page_at(ctx, query, at, limit=BATCH, offset=start).items)


def _line(rows: Sequence[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        text = " ".join(str(item) for item in value)
    else:
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return "'" + text if text.startswith(FORMULA) and not isinstance(value, int | float) else text
