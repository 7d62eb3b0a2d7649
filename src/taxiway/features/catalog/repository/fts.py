"""The full-text indexes of both databases behind one question: which rows have all of these words?

FTS5 on SQLite, a tsvector on PostgreSQL, where a word of a column that is asked for alone stands there twice, once with
the mark of that column before it: weights would do the same, but take a third more room, and the index does not know
them. Words come from `kit.words`, so nothing of what a user typed is ever syntax. Rows come back as bitmaps: 50,000 of
them take about 20 ms.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import byteorder

import orjson
from pyroaring import BitMap
from sqlalchemy import Connection, text

from taxiway.kit.words import fold, words_of


@dataclass(frozen=True)
class Index:
    """A full-text table: its key on PostgreSQL (on SQLite it is `rowid`), its columns, each with its mark on
    PostgreSQL, empty for those that are never asked for alone, and those that hold names."""

    table: str
    key: str
    columns: Mapping[str, str]
    names: Sequence[str]


ENTITIES = Index("entity_fts", "entity_id", {"name": "=", "title": "=", "tags": "#", "body": ""}, ("name", "title"))


@dataclass(frozen=True)
class Term:
    """A word to find; as the beginning of words too, unless `whole`; only in `columns`, when they are given."""

    word: str
    whole: bool = False
    columns: Sequence[str] = ()


def terms(words: Sequence[str], *, whole: bool = False) -> list[Term]:
    """Every word, as a term."""
    return [Term(word, whole) for word in words]


def matching(
    conn: Connection, index: Index, alternatives: Sequence[Sequence[Term]], columns: Sequence[str] = ()
) -> BitMap:
    """The rows that have all terms of one of the alternatives, in `columns` when they are given."""
    if conn.dialect.name == "sqlite":
        words = " OR ".join("(" + " AND ".join(_fts5(index, term) for term in one) + ")" for one in alternatives)
        if columns:
            words = f"{{{' '.join(columns)}}} : ({words})"
        statement = f"SELECT json_group_array(rowid) FROM {index.table} WHERE {index.table} MATCH :words"  # noqa: S608
        return BitMap(orjson.loads(conn.execute(text(statement), {"words": words}).scalar_one()))
    words = " | ".join("(" + " & ".join(_tsquery(index, term, columns) for term in one) + ")" for one in alternatives)
    # As bytes: a hundred thousand numbers take longer to be written out and read as an array.
    numbers = f"string_agg(int4send(CAST({index.key} AS integer)), '')"
    statement = f"SELECT {numbers} FROM {index.table} WHERE words @@ CAST(:words AS tsquery)"  # noqa: S608
    conn.execute(_BY_INDEX)
    found = array("I", conn.execute(text(statement), {"words": words}).scalar_one() or b"")
    conn.execute(_AS_IT_SEES_FIT)
    if byteorder == "little":
        found.byteswap()
    return BitMap(found)


_BY_INDEX, _AS_IT_SEES_FIT = text("SET LOCAL enable_seqscan = off"), text("SET LOCAL enable_seqscan TO DEFAULT")
"""The words of entities lie apart from their rows, and PostgreSQL does not reckon what it costs to fetch each: it would
read all of them for a word that most have, which takes twenty times as long."""


def vector(index: Index, texts: Sequence[str]) -> str:
    """The tsvector, as text, of a row whose columns have these texts."""
    found: set[str] = set()
    for mark, column in zip(index.columns.values(), texts, strict=True):
        words = {fold(word) for word in words_of(column)}
        found |= words
        if mark:
            found.update(mark + word for word in words if word)
    found.discard("")
    return " ".join(sorted(found))


def _fts5(index: Index, term: Term) -> str:
    columns = f"{{{' '.join(term.columns)}}} : " if term.columns else ""
    if term.whole:
        return f'({columns}"{term.word}")'
    if len(term.word) == 1 and not columns:
        # The words that begin with one letter are a part of all words: names will do.
        return f'("{term.word}" OR {{{" ".join(index.names)}}} : "{term.word}" *)'
    return f'({columns}"{term.word}" *)'


def _tsquery(index: Index, term: Term, columns: Sequence[str]) -> str:
    chosen = [one for one in index.columns if one in (columns or index.columns)]
    chosen = [one for one in chosen if one in (term.columns or index.columns)]
    end = "" if term.whole else ":*"
    marks = sorted({index.columns[one] for one in chosen})
    if len(chosen) < len(index.columns):
        return "(" + " | ".join(f"'{mark}{fold(term.word)}'{end}" for mark in marks) + ")"
    if len(term.word) == 1 and not term.whole:
        names = sorted({index.columns[one] for one in index.names})
        return "(" + " | ".join((f"'{fold(term.word)}'", *(f"'{mark}{fold(term.word)}':*" for mark in names))) + ")"
    return f"'{fold(term.word)}'{end}"
