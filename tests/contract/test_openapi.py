from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from taxiway.api.openapi import INDEX, render, render_index

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "openapi.json"
RELEASED = ROOT / "tests" / "golden" / "api.json"
"""What clients may count on: the description of the last release. `make released` writes it, at a release only."""
RUN, TOKENS = "/api/runs/v1/runs/{run_id}", "/api/access/v1/tokens"
Json = dict[str, Any]


def breaks(old: Json, new: Json) -> list[str]:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import api_diff
    finally:
        sys.path.pop(0)
    found: list[str] = api_diff.breaks(old, new)
    return found


def changed(change: Callable[[Json], object]) -> list[str]:
    """What a change of the committed description breaks."""
    old = json.loads(COMMITTED.read_text())
    new = copy.deepcopy(old)
    change(new)
    return breaks(old, new)


def schema(document: Json, name: str) -> Json:
    found: Json = document["components"]["schemas"][name]
    return found


def test_the_committed_description_is_that_of_the_code() -> None:
    assert COMMITTED.read_text() == render(), "the API changed: run `make openapi`, look at the difference, commit it"


def test_every_operation_has_its_twin_in_the_command_line() -> None:
    assert INDEX.read_text() == render_index(), "the API changed: run `make openapi` and commit the CLI's index"


def test_what_clients_count_on_stays() -> None:
    lines = breaks(json.loads(RELEASED.read_text()), json.loads(COMMITTED.read_text()))
    assert not lines, "the API only grows; leave these as they were, or make a v2 beside them:\n" + "\n".join(lines)


def test_what_would_break_a_client_is_named() -> None:
    run, tokens = f"GET {RUN}: ", f"POST {TOKENS}: "
    assert changed(lambda new: new["paths"].pop(RUN)) == [f"{run}the operation is gone"]
    # A schema that several operations share is told of once.
    (line,) = changed(lambda new: schema(new, "RunView")["properties"].pop("title"))
    assert line.endswith("title is gone")
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    (line,) = changed(lambda new: schema(new, "RunView")["properties"].update(title=nullable))
    assert line.endswith("title can be null now")
    assert changed(lambda new: schema(new, "TokenRequest")["required"].append("ttl_seconds")) == [
        f"{tokens}body.ttl_seconds is required now"
    ]
    assert changed(lambda new: new["paths"][RUN]["get"]["responses"]["200"].pop("content")) == [
        f"{run}its answer is not application/json any more"
    ]
    export = "/api/catalog/v1/export"
    assert changed(lambda new: new["paths"][export]["get"]["responses"]["200"]["content"].pop("text/csv")) == [
        f"GET {export}: its answer is not text/csv any more"
    ]
    assert changed(lambda new: new["paths"][RUN]["get"]["parameters"].pop()) == [f"{run}the parameter run_id is gone"]


def test_what_comes_beside_it_breaks_nobody() -> None:
    def grow(new: Json) -> None:
        new["paths"]["/api/more/v1/things"] = new["paths"][RUN]
        schema(new, "RunView")["properties"]["more"] = {"type": "string"}
        schema(new, "TokenRequest")["properties"]["more"] = {"type": "string"}

    assert changed(grow) == []


def test_an_answer_of_which_nothing_was_said_may_be_named_later() -> None:
    new = json.loads(COMMITTED.read_text())
    old = copy.deepcopy(new)
    old["paths"]["/api/events/v1/stream"]["get"]["responses"]["200"]["content"] = {"application/json": {"schema": {}}}
    assert breaks(old, new) == []
    assert breaks(new, old) == ["GET /api/events/v1/stream: its answer is not text/event-stream any more"]
