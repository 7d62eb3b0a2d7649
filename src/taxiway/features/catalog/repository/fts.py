"""The full-text indexes of both databases behind one question: which rows have all of these words?

FTS5 on SQLite, a tsvector on PostgreSQL whose weights stand for the columns. Words come from `kit.words`, so nothing of
what a user typed is ever syntax. Rows come back as bitmaps: 50,000 of them take about 20 ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from pyroaring import BitMap
from sqlalchemy import Connection, text

from taxiway.kit.words import fold, words_of

MOST_POSITIONS = 16_000


@dataclass(frozen=True)
class Index:
    """A full-text table: its key on PostgreSQL (on SQLite it is `rowid`), its columns, each with its weight on
    PostgreSQL, and those that hold names."""

    table: str
    key: str
    columns: Mapping[str, str]
    names: Sequence[str]


ENTITIES = Index("entity_fts", "entity_id", {"name": "A", "title": "A", "tags": "B", "body": "D"}, ("name", "title"))


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
    statement = f"SELECT array_agg({index.key}) FROM {index.table} WHERE words @@ CAST(:words AS tsquery)"  # noqa: S608
    return BitMap(conn.execute(text(statement), {"words": words}).scalar_one() or ())


def vector(index: Index, texts: Sequence[str]) -> str:
    """The tsvector, as text, of a row whose columns have these texts."""
    places: dict[str, dict[str, int]] = {}
    position = 0
    for weight, column in zip(index.columns.values(), texts, strict=True):
        for word in words_of(column):
            position = min(position + 1, MOST_POSITIONS)
            places.setdefault(fold(word), {}).setdefault(weight, position)
    return " ".join(
        f"'{word}':" + ",".join(f"{position}{weight}" for weight, position in found.items())
        for word, found in places.items()
        if word
    )


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
    weights = "".join(sorted({index.columns[one] for one in chosen}))
    if len(chosen) == len(index.columns):
        if len(term.word) == 1 and not term.whole:
            names = "".join(sorted({index.columns[one] for one in index.names}))
            return f"('{fold(term.word)}' | '{fold(term.word)}':*{names})"
        weights = ""
    return f"'{fold(term.word)}':{'' if term.whole else '*'}{weights}"
