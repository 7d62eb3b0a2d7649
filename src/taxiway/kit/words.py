"""Words of a text as the full-text indexes cut it, and the words that one typing error makes of another. Pure.

A word is a run of letters and digits, as SQLite's unicode61 sees them: it knows no letters newer than Unicode 6.1, so
newer ones part words here too. Folding drops case and accents, for the index that does not do it by itself.
"""

from __future__ import annotations

import re
from unicodedata import combining, normalize, ucd_3_2_0

TYPED = "abcdefghijklmnopqrstuvwxyz0123456789-_."
"""What names consist of, in lower case."""
MAX_WORD = 100
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """The words of `text` as written, each cut at 100 characters."""
    composed = text if text.isascii() else "".join(map(_known, normalize("NFC", text)))
    return [word[:MAX_WORD] for word in _WORD.findall(composed)]


def fold(word: str) -> str:
    """Lower case without accents."""
    if word.isascii():
        return word.lower()
    bare = "".join(character for character in normalize("NFD", word.lower()) if not combining(character))
    return normalize("NFC", bare)


def one_error_away(word: str) -> set[str]:
    """What a typist may have meant: one character of `word` too many, missing, another, or swapped with the next."""
    splits = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    found = {left + right[1:] for left, right in splits if right}
    found.update(left + right[1] + right[0] + right[2:] for left, right in splits if len(right) > 1)
    for left, right in splits:
        found.update(left + letter + right for letter in TYPED)
        if right:
            found.update(left + letter + right[1:] for letter in TYPED)
    found.discard(word)
    return found


def _known(character: str) -> str:
    return character if character.isascii() or ucd_3_2_0.category(character)[0] in "LNM" else " "
