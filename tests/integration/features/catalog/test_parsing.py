"""Parsing in another process gives what parsing here gives, also when that process is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from orjson import dumps, loads
from sqlalchemy import select

from taxiway.core.store.database import Store
from taxiway.features.catalog.kinds import Kinds, kind_of, shipped
from taxiway.features.catalog.packing import unpack
from taxiway.features.catalog.repository.entities import insert_entities
from taxiway.features.catalog.repository.facets import code_of, unpacked
from taxiway.features.catalog.repository.facets import codes as facet_codes
from taxiway.features.catalog.service.apply import Judged, judge
from taxiway.features.catalog.service.pushing import _item
from taxiway.features.catalog.sources import parsing, parsing_process
from taxiway.features.catalog.sources.forms import LINES
from taxiway.features.catalog.sources.items import ReadEntity, ReadRecord
from taxiway.features.catalog.sources.parsing import ParsedApart
from taxiway.features.catalog.sources.parsing_process import Standby
from taxiway.features.catalog.sources.read import Parsed
from taxiway.features.catalog.tables import entity, entity_doc, entity_facet
from taxiway.kit.json_lines import lines_and_faults, pieces
from taxiway.kit.yaml12 import YamlError, load
from taxiway.kit.yaml_documents import documents_and_faults

TEXTS = [
    b"a: 1\nb: [x, 2.5, 18446744073709551615, -0.0, 1e22, true, ~]\n---\n\n# c\nc: {1: y, '\xc3\xa9': z}\n",
    b"a: 1\n---\nb: [\n---\nc: 3\n---\nd: 1\nd: 2\n",
    b"base: &base {x: [1, 2]}\nmore: {<<: *base, y: *base}\n",
    b"a: \xff\n",
    b'lone: "\\ud83d"\n',
    b"- " * 5000 + b"a",
    b"a: 1e400\n",
    b"",
]

ORIGIN, ONE = "file:/all.yaml", "file:/one.yaml"
SERVICE = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: %s, uid: given, annotations: {a: b}, tags: [x, %s]}
spec: {type: Service, lifecycle: production, owner: user:shop/eve, dependsOn: [resource:z, resource:a], more: [1, {}]}
"""
SPEC_FIRST = """spec: {metadata: {name: turned, namespace: default}, type: a, owner: b, lifecycle: c}
kind: Component
metadata: {name: turned}
apiVersion: backstage.io/v1alpha1
"""
KIND = """apiVersion: taxiway.dev/v1
kind: Kind
metadata: {name: Robot}
spec:
  apiVersions: [robots.example/v1]
  schema: {type: object}
  relations: [{field: %s, type: dependsOn, inverse: dependencyOf, defaultKind: robot, list: true}]
"""
ROBOT = """apiVersion: robots.example/v1
kind: Robot
metadata: {name: r2}
spec: {uses: [c3, b1], knows: [z9, a0]}
"""
LOCATION = """apiVersion: backstage.io/v1alpha1
kind: Location
metadata: {name: more}
spec: {targets: []}
"""
SERVICES = [SERVICE % names for names in (("pay", "y"), ("pay", "y"), ("n\u00fc", "y"), ("fine", "UP"))]
FILE = "---\n".join((*SERVICES, SPEC_FIRST, LOCATION, ROBOT)).encode()
WHOLE_AND_PART = ((("one", "A"), ("two", "a")), (("three", "\u00dcml"), ("four", "left-out")))
IS_OF = entity.c.id == entity_facet.c.entity_id


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[ParsedApart]:
    monkeypatch.setattr(parsing, "WORTH_IT", 0)
    monkeypatch.setattr(parsing, "SMALL", 0)
    kinds = shipped().adding([kind_of(load(KIND % "uses"))], "robots")
    with ParsedApart(ORIGIN, kinds) as parser:
        parser.begin(b"")()
        parser.begin(b"")()
        for process in parser._processes:
            process.started.result(30)
        yield parser


def _told(parsed: Parsed) -> list[tuple[object, ...]]:
    return [
        (item.line, item.detail, "fault") if isinstance(item, YamlError) else (item.line, item.value)
        for item in parsed
        if not isinstance(item, ReadRecord)
    ]


def _processes(apart: ParsedApart) -> list[int]:
    started = [one.process.pid for one in apart._processes if one.process is not None]
    assert len(started) == parsing.PROCESSES == len(apart._processes)
    return started


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_documents_faults_and_lines_are_the_same(apart: ParsedApart) -> None:
    begun = [apart.begin(text) for text in TEXTS]
    for text, taken in zip(TEXTS, begun, strict=True):
        assert repr(_told(taken())) == repr(_told(documents_and_faults(text)))
    assert os.getpid() not in _processes(apart)


def _judged(parsed: Parsed, kinds: Kinds) -> tuple[Judged, int]:
    """What a file came to, and how much of it was judged before."""
    items = [
        item
        if isinstance(item, ReadRecord)
        else ReadEntity(item.value, "file:/one.yaml", item.line, text=FILE.decode())
        for item in parsed
        if not isinstance(item, YamlError)
    ]
    found = judge(items, ORIGIN, trusted=True, kinds=kinds, source_id="robots")
    return found, sum(isinstance(item, ReadRecord) for item in items)


def test_what_is_judged_apart_comes_to_the_same_also_when_a_kind_has_changed_meanwhile(apart: ParsedApart) -> None:
    other = shipped().adding([kind_of(load(KIND % "knows"))], "robots")
    for kinds in (apart.kinds, other):
        here, none = _judged(documents_and_faults(FILE), kinds)
        there, ahead = _judged(apart.begin(FILE, ONE)(), kinds)
        assert (none, ahead) == (0, 4)
        assert there.problems == here.problems
        assert list(there.records) == list(here.records) != []
        for ref, record in here.records.items():
            other_one = there.records[ref]
            assert replace(other_one, packed=None, leaves=set(other_one.leaves)) == record
            stored = record.stored("0190").decode()
            assert stored == dumps(loads(stored)).decode(), "uid and etag stand where they belong"
            assert loads(stored)["metadata"] == {**record.document["metadata"], "uid": "0190", "etag": record.etag}
            if other_one.packed is not None:
                assert unpack(other_one.packed.content).encode() == record.stored(other_one.packed.uid)


def test_each_entity_is_stored_with_its_own_leaves_and_nothing_of_documents_that_were_left_out(
    apart: ParsedApart, store: Store
) -> None:
    whole, part = ("---\n".join(SERVICE % names for names in some) for some in WHOLE_AND_PART)
    begun = [apart.begin(text.encode(), f"file:/{place}.yaml") for place, text in enumerate((whole, part))]
    records = [item.record for taken in begun for item in taken() if isinstance(item, ReadRecord)]
    here, _ = _judged(documents_and_faults(FILE), apart.kinds)
    kept = [*records[:-1], *here.records.values()]
    store.write(lambda tx: insert_entities(tx.conn, 1, "s", [(f"u{i}", one) for i, one in enumerate(kept)]))
    with store.read() as conn:
        codes = {code.id: (code.key, code.value, code.opaque) for code in map(code_of, conn.execute(facet_codes()))}
        rows = conn.execute(select(entity.c.ref, entity_doc.c.facets).join(entity_doc)).all()
        pairs = conn.execute(select(entity.c.ref, entity_facet.c.facet_id).join_from(entity, entity_facet, IS_OF)).all()
    stored = {row.ref: [codes[number] for number in unpacked(row.facets)] for row in rows}
    assert {ref: set(found) for ref, found in stored.items()} == {one.ref: set(one.leaves) for one in kept}
    assert sorted(tuple(row) for row in pairs) == sorted(
        (row.ref, number) for row in rows for number in unpacked(row.facets)
    )
    assert len(set(codes.values())) == len(codes), "each value has one number"
    assert ("metadata.tags", "left-out", False) in set(records[-1].leaves)
    assert "left-out" not in {value for _, value, _ in codes.values()}


def test_pieces_of_json_lines_come_to_the_same_apart(apart: ParsedApart) -> None:
    good = [dumps(load(SERVICE % names)) for names in (("one", "a"), ("two", "b"), ("three", "UP"), ("four", "c"))]
    body = b"\n".join([good[0], b"", b"{", good[1], good[2], b"[]", dumps(load(ROBOT)), good[3]])
    cut = list(pieces(body, 300))
    assert b"".join(piece for _, piece in cut) == body
    assert len(cut) > 2
    begun = [apart.begin(piece, "push:x", LINES, above) for above, piece in cut]
    items = [_item(one, "push:x") for taken in begun for one in taken()]
    assert sum(isinstance(one, ReadRecord) for one in items) == 4
    here = [_item(one, "push:x") for one in lines_and_faults(body)]
    for kinds in (apart.kinds, shipped().adding([kind_of(load(KIND % "knows"))], "robots")):
        there, expected = (judge(some, ORIGIN, trusted=True, kinds=kinds, source_id="push:x") for some in (items, here))
        assert there.problems == expected.problems
        assert [problem.line for problem in there.problems] == [3, 5, 6]
        assert [(ref, one.text, one.line) for ref, one in there.records.items()] == [
            (ref, one.text, one.line) for ref, one in expected.records.items()
        ]


def test_what_is_begun_is_taken_before_it_is_too_much_however_small_its_parts_are(
    apart: ParsedApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsing, "AHEAD", 9)
    for smallest in (0, 100):
        monkeypatch.setattr(parsing, "SMALL", smallest)
        begun = [apart.begin(b"a: 1\n"), apart.begin(b"b: 2\n")]
        assert apart.is_full()
        assert [_told(taken()) for taken in begun] == [[(1, {"a": 1})], [(1, {"b": 2})]]
        assert not apart.is_full()


def test_a_lost_process_costs_no_document_and_none_is_left_behind(apart: ParsedApart) -> None:
    assert _told(apart.begin(b"a: 1\n")()) == [(1, {"a": 1})]
    before = _processes(apart)
    os.kill(before[0], signal.SIGKILL)
    begun = [apart.begin(f"a: {number}\n".encode()) for number in range(5)]
    assert [_told(taken()) for taken in begun] == [[(1, {"a": number})] for number in range(5)]
    apart.close()
    assert not any(map(_is_there, before))


def test_processes_stand_by_again_unless_they_are_lost_busy_or_have_read_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "WORTH_IT", 0)
    monkeypatch.setattr(parsing, "SMALL", 0)
    standby = Standby()
    standby.keep(parsing.PROCESSES)
    first = _standing(standby)
    _parse_four(standby, first)
    assert sorted(_standing(standby)) == sorted(first)
    os.kill(first[0], signal.SIGKILL)  # nobody notices before it is needed
    _parse_four(standby, first)
    second = _standing(standby)
    assert first[0] not in second
    assert first[1] in second
    monkeypatch.setattr(parsing_process, "LIFE", 1)
    _parse_four(standby, second)
    third = _standing(standby)
    assert not {*first, *second} & {*third}
    assert not any(map(_is_there, second))
    standby.keep(0)
    assert not any(map(_is_there, third))


def _parse_four(standby: Standby, processes: list[int]) -> None:
    with ParsedApart(standby=standby) as parser:
        begun = [parser.begin(f"a: {one}\n".encode()) for one in range(4)]
        assert [_told(taken()) for taken in begun] == [[(1, {"a": one})] for one in range(4)]
        assert sorted(_processes(parser)) == sorted(processes)


def _standing(standby: Standby) -> list[int]:
    for one in standby._ready:
        one.started.result(30)
    return [one.process.pid for one in standby._ready if one.process is not None]


def test_processes_that_start_while_all_is_closed_are_not_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    start = parsing_process._start
    monkeypatch.setattr(parsing_process, "_start", lambda: time.sleep(0.02) or start())
    monkeypatch.setattr(parsing, "WORTH_IT", 0)
    parser = ParsedApart()
    parser.begin(b"a: 1\n")
    parser.begin(b"a: 1\n")
    begun = parser._processes
    parser.close()
    started = [one.process.pid for one in begun if one.process is not None]
    assert len(started) == parsing.PROCESSES
    assert not any(map(_is_there, started))


def test_what_finds_all_processes_taken_is_parsed_here_and_one_that_is_ready_is_taken_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parsing, "SMALL", 0)
    monkeypatch.setattr(parsing, "WORTH_IT", 0)
    monkeypatch.setattr(parsing_process, "MOST", 1)
    start, slow = parsing_process._start, threading.Event()
    standby = Standby()
    standby.keep(1)
    (ready,) = _standing(standby)
    monkeypatch.setattr(parsing_process, "_start", lambda: (slow.wait(30), start())[1])
    standby.keep(2)
    with ParsedApart(standby=standby) as parser, ParsedApart(standby=standby) as other:
        assert _told(parser.begin(b"a: 1\n")()) == [(1, {"a": 1})]
        assert [one.process.pid for one in parser._processes if one.process is not None] == [ready]
        assert _told(other.begin(b"b: 2\n")()) == [(1, {"b": 2})]
        assert (len(parser._processes), other._processes) == (1, [])
        slow.set()
    standby.keep(0)
    assert not _is_there(ready)


def test_small_amounts_start_no_process() -> None:
    with ParsedApart() as parser:
        for text in TEXTS:
            assert repr(_told(parser.begin(text)())) == repr(_told(documents_and_faults(text)))
        assert parser._processes == []
