"""Records of one plugin over the table `plugin_record`, with compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from taxiway.core.store.companion import apart
from taxiway.core.store.database import Store, Tx
from taxiway.core.store.tables import plugin_record
from taxiway.model.errors import ConflictError, InputError
from taxiway.plugin import Record

T = TypeVar("T")
LONGEST_KEY = 500


@dataclass(frozen=True)
class StoredRecords:
    """Implements `Records` for the plugin `plugin`; it sees no other plugin's records."""

    store: Store
    plugin: str

    def get(self, key: str) -> Record | None:
        with self.store.read() as conn:
            return self._find(conn, key)

    def list(self, prefix: str = "", after: str = "", limit: int = 500) -> Sequence[Record]:
        # A range instead of LIKE: it uses the primary key on both databases and needs no escaping.
        column = plugin_record.c.key
        query = select(plugin_record).where(plugin_record.c.plugin == self.plugin, column > after)
        if prefix:
            query = query.where(column >= prefix, column < prefix + "\U0010ffff")
        with self.store.read() as conn:
            rows = conn.execute(query.order_by(column).limit(max(1, min(limit, 5000)))).all()
        return [Record(row.key, row.value, row.version) for row in rows]

    def put(self, key: str, value: Mapping[str, Any], *, expect: int | None = None) -> Record:
        if not key or len(key) > LONGEST_KEY:
            raise InputError(f"a record's key must have 1 to {LONGEST_KEY} characters", code="plugin.key")

        def work(tx: Tx) -> Record:
            found = self._find(tx.conn, key, lock=True)
            version = found.version if found else 0
            self._compare(key, expect, version)
            where = (plugin_record.c.plugin == self.plugin, plugin_record.c.key == key)
            if found is None:
                values = {"plugin": self.plugin, "key": key, "value": dict(value), "version": 1}
                tx.conn.execute(insert(plugin_record).values(**values))
            else:
                tx.conn.execute(update(plugin_record).where(*where).values(value=dict(value), version=version + 1))
            return Record(key, dict(value), version + 1)

        return self._write(work)

    def delete(self, key: str, *, expect: int | None = None) -> bool:
        def work(tx: Tx) -> bool:
            found = self._find(tx.conn, key, lock=True)
            self._compare(key, expect, found.version if found else 0)
            where = (plugin_record.c.plugin == self.plugin, plugin_record.c.key == key)
            tx.conn.execute(delete(plugin_record).where(*where))
            return found is not None

        return self._write(work)

    def _write(self, work: Callable[[Tx], T]) -> T:
        # What a plugin notes on the way to an operation's own transaction is not yet the operation.
        with apart():
            return self.store.write(work)

    def _find(self, conn: Connection, key: str, *, lock: bool = False) -> Record | None:
        query = select(plugin_record).where(plugin_record.c.plugin == self.plugin, plugin_record.c.key == key)
        row = conn.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else Record(row.key, row.value, row.version)

    def _compare(self, key: str, expect: int | None, version: int) -> None:
        if expect is not None and expect != version:
            raise ConflictError(
                f"the record '{key}' is at version {version}, not {expect}: read it again", code="plugin.record_changed"
            )
