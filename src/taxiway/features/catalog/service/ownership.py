"""Who owns an entity: its own owner, or the nearest one along `partOf`, with the way there."""

from __future__ import annotations

from typing import Any

from taxiway.core.context import OpContext
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.repository.filters import visible_to
from taxiway.features.catalog.repository.properties import StoredReader
from taxiway.model.errors import NotFoundError

READ = "catalog.entity.read"
MAX_STEPS = 10


def ownership_of(ctx: OpContext, ref: str) -> dict[str, Any]:
    """{owners, how, path}: `direct`, `inherited` or `none`; `path` leads from the entity to the one that is owned.

    The nearest level that has owners counts; of several parents at one level each owner is named. What the caller may
    not see is not gone through. NotFoundError for an entity that there is not for the caller.
    """
    scope = visible_to(ctx.scope(READ))
    with ctx.platform.store.read() as conn:
        if ref not in reading.refs_seen(conn, [ref], scope):
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="catalog.no_entity")
        reader = StoredReader(conn)
        paths: dict[str, list[str]] = {ref: [ref]}
        wave = [ref]
        for _ in range(MAX_STEPS):
            owned = [(one, reader.targets([one], "ownedBy")) for one in wave]
            found = [(one, owners) for one, owners in owned if owners]
            if found:
                owners = sorted({owner for _, some in found for owner in some})
                how = "direct" if wave == [ref] else "inherited"
                return {"owners": owners, "how": how, "path": paths[found[0][0]]}
            parents: list[str] = []
            for one in wave:
                ends = reader.targets([one], "partOf")
                seen = reading.refs_seen(conn, ends, scope)
                for end in (end for end in ends if end in seen and end not in paths):
                    paths[end] = [*paths[one], end]
                    parents.append(end)
            wave = parents
    return {"owners": [], "how": "none", "path": [ref]}
