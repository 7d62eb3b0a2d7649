"""What of an older description of the API a newer one breaks. The gate in tests/contract/test_openapi.py runs it.

    python tools/api_diff.py OLD.json NEW.json

A client that was written against OLD must still work: operations, parameters and what answers hold stay; what a request
must hold does not grow; types do not change. Everything new beside them is fine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

UNSAID = "application/json"
Side = Literal["request", "answer"]
Json = Mapping[str, Any]


@dataclass
class _Pair:
    """Two descriptions, and the pairs of named schemas that were compared: schemas may lead back to themselves."""

    old: Json
    new: Json
    seen: set[tuple[str, str, Side]] = field(default_factory=set)


def breaks(old: Json, new: Json) -> list[str]:
    """A line for each thing that a client of `old` would miss in `new`."""
    pair, found = _Pair(old, new), []
    for path, methods in old["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            there = new["paths"].get(path, {}).get(method)
            if there is None:
                found.append(f"{name}: the operation is gone")
                continue
            found += [f"{name}: {line}" for line in _operation(pair, operation, there)]
    return found


def _operation(pair: _Pair, old: Json, new: Json) -> Iterator[str]:
    if old["operationId"] != new["operationId"]:
        yield f"its id {old['operationId']} became {new['operationId']}"
    before, after = ({(p["in"], p["name"]): p for p in one.get("parameters", ())} for one in (old, new))
    for key, parameter in before.items():
        if key not in after:
            yield f"the parameter {key[1]} is gone"
        else:
            yield from _schema(pair, f"parameter {key[1]}", parameter["schema"], after[key]["schema"], "request")
    for key, parameter in after.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"the parameter {key[1]} is required now"
    if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get("required"):
        yield "a body is required now"
    yield from _content(pair, "body", old.get("requestBody", {}), new.get("requestBody", {}), "request")
    for status, answer in old["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in new["responses"]:
            yield f"it does not answer {status} any more"
        else:
            yield from _content(pair, "answer", answer, new["responses"][status], "answer")


def _content(pair: _Pair, where: str, old: Json, new: Json, side: Side) -> Iterator[str]:
    for kind, content in old.get("content", {}).items():
        if side == "answer" and kind == UNSAID and not content.get("schema"):
            continue  # the media type of an operation that names none
        if kind not in new.get("content", {}):
            yield f"its {where} is not {kind} any more"
        else:
            yield from _schema(pair, where, content.get("schema", {}), new["content"][kind].get("schema", {}), side)


def _schema(pair: _Pair, where: str, old: Json, new: Json, side: Side) -> Iterator[str]:
    names = (str(old.get("$ref")), str(new.get("$ref")), side)
    if "$ref" in old and "$ref" in new:
        if names in pair.seen:
            return
        pair.seen.add(names)
    old, new = _resolved(pair.old, old), _resolved(pair.new, new)
    before, after = _types(pair.old, old), _types(pair.new, new)
    # An answer may say less than it did, and a request may say more.
    lost = after - before if side == "answer" else before - after
    if before and after and lost:
        yield f"{where} {'can be' if side == 'answer' else 'cannot be'} {', '.join(sorted(lost))} now"
    if side == "request" and "enum" in old and "enum" in new and (gone := set(old["enum"]) - set(new["enum"])):
        yield f"{where} does not take {', '.join(sorted(map(str, gone)))} any more"
    yield from _properties(pair, where, old, new, side)
    if "items" in old and "items" in new:
        yield from _schema(pair, f"{where}[]", old["items"], new["items"], side)
    if "anyOf" in old and "anyOf" in new:
        for number, (one, other) in enumerate(zip(old["anyOf"], new["anyOf"], strict=False)):
            yield from _schema(pair, f"{where}|{number}", one, other, side)


def _properties(pair: _Pair, where: str, old: Json, new: Json, side: Side) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name, one in before.items():
        if name in after:
            yield from _schema(pair, f"{where}.{name}", one, after[name], side)
        elif side == "answer" or new.get("additionalProperties") is False:
            yield f"{where}.{name} is gone"
    old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
    if side == "request":
        for name in sorted(new_required - old_required):
            yield f"{where}.{name} is required now"
    else:
        for name in sorted((old_required - new_required) & set(after)):
            yield f"{where}.{name} can be absent now"


def _types(document: Json, schema: Json) -> set[str]:
    """The JSON types that it allows; empty: any."""
    if "anyOf" in schema:
        parts = [_types(document, _resolved(document, one)) for one in schema["anyOf"]]
        return set().union(*parts) if all(parts) else set()
    kind = schema.get("type")
    if kind is None and "const" in schema:
        return {"string"} if isinstance(schema["const"], str) else set()
    return {kind} if isinstance(kind, str) else set(kind or ())


def _resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


if __name__ == "__main__":
    lines = breaks(*(json.loads(Path(name).read_text()) for name in sys.argv[1:3]))
    print("\n".join(lines) or "nothing is broken")
    sys.exit(1 if lines else 0)
