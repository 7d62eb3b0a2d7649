"""Words of the names in the catalog, each once, with how many names have it: what a mistyped word is held against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, text

from taxiway.core.store.bulk import insert_rows
from taxiway.features.catalog.repository.chunks import chunks, given_texts, texts_in
from taxiway.features.catalog.tables import catalog_word
from taxiway.kit.words import one_error_away, words_of

SHORTEST = 5
"""Shorter words have too many neighbours."""
LONGEST = 64
MOST = 20
"""So many words are taken for what was meant."""


def add(conn: Connection, names: Iterable[str]) -> None:
    """Count the words of new names."""
    more = "ON CONFLICT (word) DO UPDATE SET uses = catalog_word.uses + excluded.uses"
    insert_rows(conn, catalog_word, ("word", "uses"), _counted(names), tail=more)


def remove(conn: Connection, names: Iterable[str]) -> None:
    """Take back the words of names that are gone."""
    rows = _counted(names)
    mark = "%s" if conn.dialect.name == "postgresql" else "?"
    for batch in chunks([word for word, _ in rows]):
        counts = dict(rows)
        conn.exec_driver_sql(
            f"UPDATE catalog_word SET uses = uses - {mark} WHERE word = {mark}",  # noqa: S608  marks only
            [(counts[word], word) for word in batch],
        )
        conn.execute(
            text(f"DELETE FROM catalog_word WHERE uses <= 0 AND word IN ({texts_in(conn)})"),  # noqa: S608
            {"texts": given_texts(conn, batch)},
        )


def near(conn: Connection, word: str) -> list[str]:
    """Words of names, and whole names, that are one typing error away from `word` and long enough, by use."""
    typed = word.lower()
    if not SHORTEST - 1 <= len(typed) <= LONGEST or not typed.isascii():
        return []
    meant = [one for one in one_error_away(typed) if len(one) >= SHORTEST]
    found = conn.execute(
        text(f"SELECT word FROM catalog_word WHERE word IN ({texts_in(conn)}) ORDER BY uses DESC, word LIMIT {MOST}"),  # noqa: S608
        {"texts": given_texts(conn, meant)},
    )
    return list(found.scalars())


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(word for name in names for word in _words(name.lower())).items())


def _words(name: str) -> set[str]:
    parts = {part for part in words_of(name) if len(part) >= SHORTEST and not part.isdigit()}
    return parts | {name} if len(name) >= SHORTEST else parts
