"""The shapes that the portal draws, by display. `misfit` says what a plugin's answer lacks for its card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def misfit(display: str, data: Any) -> str:
    """Why the portal could not draw `data` (decoded JSON) as `display`; empty when it can. An empty list always fits:
    the card then says that there is nothing to show."""
    if display not in _CHECKS:
        return f"there is no display '{display}': use one of {', '.join(_CHECKS)}"
    return _CHECKS[display](data)


def _items(data: Any, name: str) -> list[Any] | None:
    found = data if isinstance(data, list) else None
    if isinstance(data, Mapping):
        found = next((data[key] for key in ("items", name) if isinstance(data.get(key), list)), None)
    return found


def _rows(name: str, what: str, fits: Callable[[Mapping[str, Any]], bool]) -> Callable[[Any], str]:
    def check(data: Any) -> str:
        rows = _items(data, name)
        if rows is None:
            return f"it must be a list, or an object with a list `items` or `{name}`"
        wrong = [row for row in rows if not isinstance(row, Mapping) or not fits(row)]
        return f"each item needs {what}, unlike {wrong[0]!r}" if wrong else ""

    return check


def _facts(data: Any) -> str:
    rows = _items(data, "facts")
    if rows is not None:
        return _rows("facts", "`label` and `value`", lambda row: _any(row, "label", "name", "title", "key"))(rows)
    return "" if isinstance(data, Mapping) else "it must be an object, or a list of {label, value}"


def _log(data: Any) -> str:
    rows = _items(data, "lines")
    if rows is None:
        return "it must be a list of lines, or an object with a list `items` or `lines`"
    wrong = [row for row in rows if not isinstance(row, str) and not (isinstance(row, Mapping) and "text" in row)]
    return f"each line is a text or has `text`, unlike {wrong[0]!r}" if wrong else ""


def _markdown(data: Any) -> str:
    text = data if isinstance(data, str) else data.get("markdown") if isinstance(data, Mapping) else None
    return "" if isinstance(text, str) else "it must be a text, or an object with a text `markdown`"


def _is_series(row: Mapping[str, Any]) -> bool:
    points = row.get("points")
    return _any(row, "name", "title") and isinstance(points, Sequence) and all(_is_point(item) for item in points)


def _is_point(item: Any) -> bool:
    return (
        isinstance(item, Sequence)
        and len(item) == 2
        and isinstance(item[0], int)
        and (item[1] is None or isinstance(item[1], (int, float)))
    )


def _is_link(row: Mapping[str, Any]) -> bool:
    url = str(row.get("url", ""))
    return url.startswith(("https://", "http://")) or (url.startswith("/") and not url.startswith("//"))


def _any(row: Mapping[str, Any], *names: str) -> bool:
    return any(row.get(name) for name in names)


_CHECKS: Mapping[str, Callable[[Any], str]] = {
    "table": _rows("rows", "columns", lambda row: True),
    "facts": _facts,
    "chart": _rows("series", "`name`, `unit` and `points`: [[microseconds UTC, number or null], …]", _is_series),
    "timeline": _rows("events", "`title` and `at`", lambda row: _any(row, "title", "text", "type")),
    "log": _log,
    "markdown": _markdown,
    "links": _rows("links", "`title` and a `url` that is http(s) or a path of the portal", _is_link),
}
