"""Documents that were refused, and are taken in by themselves once nothing stands against them any more: their kind
allows them, or the name that they claim is free.

A location is read again. What cannot be read again, a push or an import, or not without reading all of it, a configured
source, is judged by the documents that were kept with its problems.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import CONFIGURED, IMPORT, Location
from taxiway.features.catalog.repository import configured, files, locations, refused
from taxiway.features.catalog.service.apply import apply_entities
from taxiway.features.catalog.service.locations import refresh_location
from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError
from taxiway.plugin import SourcedEntity

BATCH = 1000
BUSY = "catalog.busy"


def take_over(ctx: OpContext, ref: str) -> None:
    """Let the sources whose claim to `ref` was refused have it, when the name is free: the first one gets it."""
    with ctx.platform.store.read() as conn:
        claimants = refused.claimants(conn, ref)
    try_again(ctx, claimants, partial(_claim_again, ctx=ctx, ref=ref))


def try_again(ctx: OpContext, source_ids: Collection[str], apply: Callable[..., None]) -> None:
    """Read those of the sources again that are locations, in the order of their ids. Of each of the others,
    `apply(tx, source_id=…)` takes in what was kept. ConflictError, in the end, when one of them cannot be read now."""
    busy: ConflictError | None = None
    with ctx.platform.store.read() as conn:
        readable = {id_ for id_ in source_ids if _is_readable(locations.get(conn, id_))}
    for source_id in sorted(source_ids):
        try:
            if source_id in readable:
                refresh_location(ctx, source_id)
            else:
                ctx.platform.store.write(partial(apply, source_id=source_id))
        except NotFoundError:
            continue  # unregistered in the meantime
        except ConflictError as error:
            busy = error if error.code == BUSY else busy
            ctx.platform.log.warning("catalog.refused_again", source=source_id, error=error.detail)
        except TaxiwayError as error:
            ctx.platform.log.warning("catalog.refused_again", source=source_id, error=error.detail)
    if busy is not None:
        raise busy  # it is being read, and may have been judged before the name was free: whoever calls tries again


def _claim_again(tx: Tx, *, ctx: OpContext, source_id: str, ref: str) -> None:
    # Looked up here: a push in the meantime may have brought a newer one, which stays. All that is free goes at once.
    rows = refused.claims(tx.conn, source_id, ref, BATCH)
    refused.forget_all(tx.conn, [row.id for row in rows])
    apply_kept(tx, ctx, source_id, rows)


def apply_kept(tx: Tx, ctx: OpContext, source_id: str, rows: Sequence[Any]) -> None:
    """Take in the documents that were kept with these problems of a source."""
    kept = {row.ref: row for row in rows if row.document is not None}
    documents = [SourcedEntity(orjson.loads(row.document), row.location, row.line or 1) for row in kept.values()]
    if documents:
        apply_entities(tx, ctx, documents, source_id, full=False)
        read_anew(tx, source_id, list(kept))


def read_anew(tx: Tx, source_id: str, refs: Sequence[str]) -> None:
    """What describes `refs` is read whether it changed or not: skipped, what is wrong with it would be forgotten, or
    told for good."""
    files.forget(tx.conn, source_id)
    if source_id.startswith(CONFIGURED):
        configured.place_problems(tx.conn, source_id, configured.forget_states(tx.conn, source_id, refs))


def _is_readable(location: Location | None) -> bool:
    return location is not None and location.type != IMPORT
