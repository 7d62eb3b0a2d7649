"""Documents that were refused and stand for no entity: what Backstage lists under `/entities/unprocessed`.

An entity that was valid once is not among them; it shows its faults itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import MANAGED_BY, ORIGIN, Location
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository import refused
from taxiway.model.access import EVERYTHING

MAX = 1000


def failed(platform: Platform, owner: str | None) -> list[dict[str, Any]]:
    """Refused documents that are no entity, newest first; with `owner`, those whose `spec.owner` is just that."""
    with platform.store.read() as conn:
        found = refused.without_entity(conn, MAX)
        sources = {row.id: row for row in rows.listed(conn, None, 10_000)}
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in found:
        grouped.setdefault((row["source_id"], row["location"], row["ref"], row["document"]), []).append(row)
    entries = [_refused(faults, sources.get(faults[0]["source_id"])) for faults in grouped.values()]
    return [entry for entry in entries if _is_owned(entry, owner)]


def pending(platform: Platform, owner: str | None) -> list[dict[str, Any]]:
    """The Location entities of sources that a run is taking in for the first time or again."""
    ids: set[str] = set()
    for state in ("queued", "running", "waiting"):
        wanted = {"kind": "ingest", "state": state}
        runs = platform.runs.list(EVERYTHING, filters=wanted, limit=100, cursor=None)
        ids |= {str(run.input["location_id"]) for run in runs.items if "location_id" in run.input}
    with platform.store.read() as conn:
        waiting = [found for id_ in sorted(ids) if (found := rows.get(conn, id_)) is not None]
    return [entry for item in waiting if _is_owned(entry := _waiting(item), owner)]


def forget(ctx: OpContext, problem_id: str) -> None:
    """Forget a refused document. It comes back when its source is read again and still has it."""

    def work(tx: Tx) -> None:
        source_id = refused.source_of(tx.conn, problem_id)
        source = None if source_id is None else rows.get(tx.conn, source_id)
        ctx.authorize("catalog.entity.delete", None if source is None else source.owner)
        refused.forget(tx.conn, problem_id)

    ctx.platform.store.write(work)


def _refused(faults: Sequence[Mapping[str, Any]], source: Location | None) -> dict[str, Any]:
    first = faults[0]
    document = orjson.loads(first["document"]) if first["document"] else {}
    if isinstance(document.get("metadata"), dict):
        annotations = document["metadata"].get("annotations")
        origin = first["location"] if source is None else source.reference
        placed = {MANAGED_BY: first["location"], ORIGIN: origin}
        document["metadata"]["annotations"] = {**(annotations if isinstance(annotations, dict) else {}), **placed}
    errors = [{"name": _NAMES.get(fault["code"], "InputError"), "message": _message(fault)} for fault in faults]
    key = first["location"] if source is None else source.reference
    return _entry(first["id"], first["ref"], document, key, errors, first["at"])


_NAMES = {"conflict": "ConflictError", "duplicate": "ConflictError", "untrusted": "NotAllowedError"}


def _message(fault: Mapping[str, Any]) -> str:
    where = fault["location"] if fault["line"] is None else f"{fault['location']}, line {fault['line']}"
    return f"{fault['detail']} ({where}). {fault['remedy']}"


def _waiting(item: Location) -> dict[str, Any]:
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {
            "name": item.entity_ref.partition("/")[2],
            "annotations": {MANAGED_BY: item.reference, ORIGIN: item.reference},
        },
        "spec": {"type": item.type, "target": item.target},
    }
    return _entry(item.id, item.entity_ref, document, item.reference, [], None)


def _entry(
    id_: str, ref: str | None, document: Any, key: str, errors: Sequence[Mapping[str, str]], at: int | None
) -> dict[str, Any]:
    moment = None if at is None else f"{datetime.fromtimestamp(at / 1_000_000, UTC):%Y-%m-%d %H:%M:%S}"
    return {
        "entity_id": id_,
        "entity_ref": ref,
        "unprocessed_entity": document,
        "processed_entity": None,
        "errors": list(errors),
        "cache": {},
        "location_key": key,
        "next_update_at": None,
        "last_discovery_at": moment,
        "final_entity": None,
    }


def _is_owned(entry: Mapping[str, Any], owner: str | None) -> bool:
    spec = entry["unprocessed_entity"].get("spec")
    return owner is None or (isinstance(spec, Mapping) and spec.get("owner") == owner)
