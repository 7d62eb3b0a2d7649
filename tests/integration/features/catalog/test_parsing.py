"""Parsing in another process gives what parsing here gives, also when that process is lost."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from taxiway.features.catalog.sources import parsing
from taxiway.features.catalog.sources.parsing import Parsed, ParsedApart
from taxiway.kit.yaml12 import YamlDocument
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


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[ParsedApart]:
    monkeypatch.setattr(parsing, "WORTH_IT", 0)
    monkeypatch.setattr(parsing, "SMALL", 0)
    with ParsedApart() as parser:
        yield parser


def _told(parsed: Parsed) -> list[tuple[object, ...]]:
    return [
        (item.line, item.value) if isinstance(item, YamlDocument) else (item.line, item.detail, "fault")
        for item in parsed
    ]


def _process(apart: ParsedApart) -> int:
    assert apart._process is not None
    return apart._process.pid


def test_documents_faults_and_lines_are_the_same(apart: ParsedApart) -> None:
    begun = [apart.begin(text) for text in TEXTS]
    for text, taken in zip(TEXTS, begun, strict=True):
        assert repr(_told(taken())) == repr(_told(documents_and_faults(text)))
    assert _process(apart) != os.getpid()


def test_a_lost_process_costs_no_document_and_none_is_left_behind(apart: ParsedApart) -> None:
    assert _told(apart.begin(b"a: 1\n")()) == [(1, {"a": 1})]
    os.kill(_process(apart), signal.SIGKILL)
    begun = [apart.begin(f"a: {number}\n".encode()) for number in range(3)]
    assert [_told(taken()) for taken in begun] == [[(1, {"a": number})] for number in range(3)]
    apart.close()
    with pytest.raises(ProcessLookupError):
        os.kill(_process(apart), 0)


def test_a_process_that_starts_while_all_is_closed_is_not_left_behind(
    apart: ParsedApart, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = parsing._start
    monkeypatch.setattr(parsing, "_start", lambda: time.sleep(0.02) or start())
    apart.begin(b"a: 1\n")
    apart.close()
    with pytest.raises(ProcessLookupError):
        os.kill(_process(apart), 0)


def test_small_amounts_start_no_process() -> None:
    with ParsedApart() as parser:
        assert _told(parser.begin(TEXTS[0])()) == _told(documents_and_faults(TEXTS[0]))
        assert parser._process is None
