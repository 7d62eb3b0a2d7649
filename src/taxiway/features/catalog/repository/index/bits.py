"""Filters as bitmaps: what `grammar` reads becomes a set of ids, from memory or from the store."""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap
from sqlalchemy import Connection, select

from taxiway.features.catalog.repository.filters import RELATIONS, Clause, Sql, contains_text, on, relation_types
from taxiway.features.catalog.repository.index.state import State, UnheldError
from taxiway.features.catalog.repository.index.values import Path
from taxiway.features.catalog.tables import entity, relation

NAME, UID = "metadata.name", "metadata.uid"
"""Paths that are no facets."""
LAST = "\U0010ffff"


class Bits:
    """The algebra of filters as bitmaps, at the snapshot that both arguments stand at. Results may be the index's own
    bitmaps: nobody changes them. Relations stated by what `scope` does not let through do not count. Without a
    connection, UnheldError where the store would be asked."""

    def __init__(self, state: State, conn: Connection | None, scope: Clause | None = None) -> None:
        self._state, self._conn, self._scope = state, conn, scope
        self._sql = Sql(scope)

    def everything(self) -> BitMap:
        return self._state.everything

    def all_of(self, parts: Sequence[BitMap]) -> BitMap:
        if len(parts) == 1:
            return parts[0]
        return BitMap.intersection(*sorted(parts, key=len)) if parts else self._state.everything

    def any_of(self, parts: Sequence[BitMap]) -> BitMap:
        if len(parts) == 1:
            return parts[0]
        return BitMap.union(*parts) if parts else BitMap()

    def none_of(self, part: BitMap) -> BitMap:
        return self._state.everything - part

    def one_of(self, key: str, values: Sequence[str]) -> BitMap:
        if key == NAME:
            order = self._state.by_name
            return BitMap([one for value in values for one in order.between(f"{value}\0", f"{value}\1")])
        if key.startswith(RELATIONS):
            return self.related(key[len(RELATIONS) :], values)
        path = self._path(key)
        return self._asked(self._sql.one_of(key, values)) if path is None else self.any_of(path.equal(values))

    def exists_at(self, key: str) -> BitMap:
        if key in (NAME, UID):
            return self._state.everything
        path = self._path(key)
        if path is None:
            return self._asked(self._sql.exists_at(key))
        return self.any_of([value.bits for value in path.by_id.values()])

    def prefixed(self, key: str, prefix: str) -> BitMap:
        if key == NAME:
            return BitMap(self._state.by_name.between(prefix, prefix + LAST))
        path = self._path(key)
        if path is None:
            return self._asked(self._sql.prefixed(key, prefix))
        return self.any_of([value.bits for value in path.comparable() if value.folded.startswith(prefix)])

    def related(self, type_: str, targets: Sequence[str] | None) -> BitMap:
        forward, inverse = relation_types(type_)
        other = entity.alias("other")
        stated = select(relation.c.source_id).where(forward)
        received = (
            select(entity.c.id)
            .join(relation, relation.c.target == entity.c.ref)
            .join(other, other.c.id == relation.c.source_id)
            .where(inverse, on(other, self._scope))
        )
        if targets is not None:
            stated, received = stated.where(relation.c.target.in_(targets)), received.where(other.c.ref.in_(targets))
        conn = self._store()
        return BitMap(conn.scalars(stated)) | BitMap(conn.scalars(received))

    def containing(self, keys: Sequence[str], term: str) -> BitMap:
        """A value at one of `keys` contains `term`."""
        return self._asked(contains_text(keys, term))

    def visible(self, clause: Clause) -> BitMap:
        """What a caller's scope, given as a clause, lets through."""
        return self._asked(clause)

    def _asked(self, clause: Clause) -> BitMap:
        return BitMap(self._store().scalars(select(entity.c.id).where(clause)))

    def _store(self) -> Connection:
        if self._conn is None:
            raise UnheldError
        return self._conn

    def _path(self, key: str) -> Path | None:
        if key in (NAME, UID) or key.startswith(RELATIONS):
            return None
        return self._state.path(self._conn, key)
