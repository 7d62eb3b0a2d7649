"""Notes, in the transaction of a change, whose computed properties are out of date by it.

Nothing is looked at while no kind has properties. Computing follows the event, see `service/properties`.
"""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.model import Record
from taxiway.features.catalog.repository import properties
from taxiway.features.catalog.repository.entities import Known
from taxiway.features.catalog.repository.kinds import inverse_in
from taxiway.model.event import EventDraft

OUTDATED = "dev.taxiway.properties.outdated.v1"
Edge = tuple[str, str, str]


class Marks:
    """One change of entities. Made before it is written, with those that are there already."""

    def __init__(self, tx: Tx, ctx: OpContext, kinds: Kinds, present: Sequence[Known]) -> None:
        self._tx, self._ctx, self._kinds, self._present = tx, ctx, kinds.rules, present
        self._before: set[Edge] = set()
        if self._kinds:
            refs = {known.id: known.ref for known in present}
            stated = properties.stated(tx.conn, list(refs))
            self._before = {(refs[id_], *edge) for id_, edges in stated.items() for edge in edges}

    def forget(self) -> None:
        """The entities go: their own properties with them."""
        properties.forget(self._tx.conn, {known.id: known.ref for known in self._present})

    def changed(self, records: Sequence[Record]) -> None:
        """These are written now, in place of what was there."""
        if not self._kinds:
            return
        after = {(record.ref, *edge) for record in records for edge in record.relations}
        refs = {record.ref for record in records}
        keys = {*refs, *(known.ref for known in self._present)}
        inverse = inverse_in(self._tx.conn)
        for source, type_, target in self._before ^ after:
            keys |= {f"{source}|{type_}", f"{target}|{inverse(type_)}"}
        if properties.mark(self._tx.conn, sorted(keys), sorted(refs), self._kinds.keys()):
            self._ctx.emit(self._tx, EventDraft(OUTDATED, "catalog:properties", {}))
