"""Operations on the history of entities."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response

from taxiway.core.cursors import last_seen
from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_list
from taxiway.features.catalog import views
from taxiway.features.catalog.own_routes import operations
from taxiway.features.catalog.routes import READ
from taxiway.features.catalog.service.history import history_of
from taxiway.kit.paging import encode_cursor

__all__ = ["operations"]
Part = Annotated[str, Path(max_length=253)]
MOST = 100


@operations.get("/api/catalog/v1/history/{kind}/{namespace}/{name}", READ, response=views.History)
def history(
    ctx: Ctx,
    kind: Part,
    namespace: Part,
    name: Part,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """Every version of an entity, newest first: who, what, when, and what changed.

    Deleted entities have one too. `diff` is null where the version before is not kept any more.
    """
    # The row of the current version is 0: behind it come all the others.
    before = 2**62 if (row := last_seen(cursor, int)) == 0 else row
    entries = history_of(ctx, f"{kind}:{namespace}/{name}".lower(), before, limit)
    # A version that was deleted is two entries; pages are cut between versions.
    rows = list(dict.fromkeys(entry["row"] for entry in entries))
    shown = [entry for entry in entries if entry["row"] in rows[:limit]]
    items = [{key: value for key, value in entry.items() if key != "row"} for entry in shown]
    return json_list(items, encode_cursor([rows[limit - 1]]) if len(rows) > limit else None)
