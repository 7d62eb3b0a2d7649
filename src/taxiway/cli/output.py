"""How the CLI shows things: tables for people, JSON and YAML for programs. `--output` chooses."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

Output = Literal["table", "json", "yaml"]


def show(value: Any, output: Output, columns: Sequence[str] = ()) -> None:
    """Print a value, or the rows of a list with these columns (dotted paths) in a table."""
    if output == "json":
        print(json.dumps(value, indent=2, ensure_ascii=False))
    elif output == "yaml":
        import yaml

        print(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), end="")
    elif isinstance(value, list):
        _table(value, columns)
    else:
        _facts(value, columns)


def note(text: str) -> None:
    """A line for people, on stderr, so that stdout stays for programs."""
    print(text, file=sys.stderr)


def when(at: Any) -> str:
    """Microseconds UTC as local-free text, or a dash."""
    return f"{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}" if isinstance(at, int) else "-"


def cell(row: Any, path: str) -> str:
    """The text of a dotted path in a row."""
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    if row is None:
        return "-"
    if path.endswith("_at") or path.split(".")[-1] == "at":
        return when(row)
    if isinstance(row, bool):
        return "yes" if row else "no"
    return ", ".join(str(item) for item in row) if isinstance(row, list) else str(row)


def _table(rows: list[Any], columns: Sequence[str]) -> None:
    if not rows:
        note("nothing here yet")
        return
    columns = columns or list(rows[0])
    cells = [[cell(row, column) for column in columns] for row in rows]
    heads = [column.split(".")[-1].removesuffix("_at").replace("_", " ") for column in columns]
    widths = [max(len(text[i]) for text in [heads, *cells]) for i in range(len(columns))]
    for line in [heads, *cells]:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _facts(value: Any, columns: Sequence[str]) -> None:
    if not isinstance(value, dict):
        print(value)
        return
    names = columns or list(value)
    width = max((len(name) for name in names), default=0)
    for name in names:
        print(f"{name.ljust(width)}  {cell(value, name)}")
