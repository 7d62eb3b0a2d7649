"""The report of an import for people: what each thing became, and where each of its fields went or why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ONE = {"entities": "entity", "locations": "location", "fields carried": "field carried"}
SIGNS = {"carried": "+", "changed": "~", "not_carried": "-", "added": "*"}


def print_report(items: Iterable[Mapping[str, Any]], counts: Mapping[str, Any], brief: bool) -> None:
    """Print the report; `brief` leaves out fields, and what went well."""
    for item in items:
        wrong = item["reason"] or item["problem"]
        if brief and not wrong:
            continue
        print(f"{item['document']} {item['at'] or '/'}  {item['source']}: {_became(item)}")
        for field in [] if brief else item["fields"]:
            print(f"  {_line(field)}")
    print(_totals(counts))


def _became(item: Mapping[str, Any]) -> str:
    if item["reason"]:
        return f"refused: {item['reason']}"
    if item["outcome"] == "entity":
        became = str(item["ref"])
    elif item["location"]:
        trust = " with trust" if item["location"]["trust"] else ""
        became = f"location {item['location']['type']}:{item['location']['target']}{trust}"
    else:
        became = "no entity"
    return f"{became}, but: {item['problem']}" if item["problem"] else became


def _line(field: Mapping[str, Any]) -> str:
    where = f" → {field['to']}" if field["to"] else ""
    said = f" ({field['note']})" if field["note"] else ""
    name = "" if field["fate"] == "added" else field["field"] or "/"
    return f"{SIGNS[field['fate']]} {name}{where}{said}".replace("*  →", "* →")


def _totals(counts: Mapping[str, Any]) -> str:
    named = (
        ("entity", "entities"),
        ("location", "locations"),
        ("definition", "without an entity"),
        ("refused", "refused"),
        ("problems", "that the catalog would not take"),
        ("fields_carried", "fields carried"),
        ("fields_changed", "changed"),
        ("fields_not_carried", "not carried"),
        ("fields_added", "added"),
        ("created", "created"),
        ("updated", "updated"),
        ("unchanged", "unchanged"),
        ("deleted", "deleted"),
        ("registered", "registered"),
    )
    said = [
        f"{counts[key]} {ONE.get(name, name) if counts[key] == 1 else name}" for key, name in named if counts.get(key)
    ]
    return ", ".join(said) or "nothing was in it"
