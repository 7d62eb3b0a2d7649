"""How documents go from the process that parses and judges them to the one that stores them: as JSON, and behind it the
documents themselves. A leaf that many documents of a file have is sent once.

The other process does not load the contract of plugins: nothing here may need it before a record is taken.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from taxiway.features.catalog.documents import COLUMN_NAMES
from taxiway.features.catalog.kinds import Field, Kind, Kinds, shipped
from taxiway.features.catalog.leaves import Leaf, LeafTable, Leaves, table_of
from taxiway.features.catalog.model import Packed, Record
from taxiway.kit.yaml12 import YamlDocument, YamlError

LENGTH = struct.Struct(">I")


def told_kinds(kinds: Kinds) -> list[Any]:
    """What documents are judged by, without the kinds that ship."""
    known = shipped().by_name
    return [
        [kind.name, sorted(kind.api_versions), kind.schema, {key: _field(one) for key, one in kind.fields.items()}]
        for kind in kinds.by_name.values()
        if kind is not known.get(kind.name)
    ]


def taken_kinds(told: Sequence[Any]) -> Kinds:
    """The kinds that were told of: as much of them as judging needs."""
    more = {
        name: Kind(name, frozenset(versions), schema, {key: Field(*one) for key, one in fields.items()})
        for name, versions, schema, fields in told
    }
    return Kinds({**shipped().by_name, **more})


class Answer:
    """What one file came to. JSON may not be able to hold it: `frame` raises TypeError then."""

    def __init__(self) -> None:
        self._leaves: dict[Leaf, int] = {}
        self._rows: list[Any] = []
        self._texts: list[bytes] = []

    def add(self, item: YamlDocument | YamlError) -> None:
        """A document that is to be judged where it is taken, or a fault."""
        self._rows.append([item.line, None, item.detail] if isinstance(item, YamlError) else [item.line, item.value])

    def add_record(self, record: Record, packed: Packed) -> None:
        """A document that is good as it is."""
        leaves = [self._leaves.setdefault(leaf, len(self._leaves)) for leaf in record.leaves]
        self._texts += (record.text, packed.content)
        self._rows.append(
            [
                *(record.line, record.ref, [record.columns[name] for name in COLUMN_NAMES], record.hash),
                *(list(record.relations), leaves, record.words, record.room),
                *(packed.uid, len(record.text), len(packed.content)),
            ]
        )

    def frame(self) -> bytes:
        """All of it."""
        head, leaves = orjson.dumps([len(self._leaves), self._rows]), table_of(self._leaves)
        return b"".join((LENGTH.pack(len(head)), head, LENGTH.pack(len(leaves)), leaves, *self._texts))


def taken(frame: bytes, location: str, above: int, of_record: Callable[[Record], Any]) -> Iterator[Any]:
    """The documents, faults and, by `of_record`, records of an answer, in their order. `above` lines come before."""
    size = LENGTH.size + LENGTH.unpack_from(frame)[0]
    count, rows = orjson.loads(memoryview(frame)[LENGTH.size : size])
    start, size = size + LENGTH.size, size + LENGTH.size + LENGTH.unpack_from(frame, size)[0]
    table = LeafTable(frame[start:size], count)
    for row in rows:
        row[0] += above
        if len(row) == 2:
            yield YamlDocument(row[1], row[0])
        elif len(row) == 3:
            yield YamlError(row[2], row[0])
        else:
            end = size + row[-2]
            yield of_record(_record(row, table, location, frame[size:end], frame[end : end + row[-1]]))
            size = end + row[-1]


def _record(row: Sequence[Any], table: LeafTable, location: str, text: bytes, packed: bytes) -> Record:
    line, ref, columns, digest, relations, places, words, room, uid, *_ = row
    named: Mapping[str, Any] = dict(zip(COLUMN_NAMES, columns, strict=True))
    return Record(
        *(ref, named, text, digest, location, line, frozenset(map(tuple, relations))),
        *(Leaves(table, places), tuple(words), room, Packed(uid, packed)),
    )


def _field(field: Field) -> list[Any]:
    return [field.relation, field.inverse, field.default_kind, field.is_list, field.inherit]
