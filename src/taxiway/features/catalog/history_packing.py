"""How a superseded document is stored: compressed against the one that replaced it, which it mostly repeats. Pure.

Every sixteenth version, and one that nothing replaced, stands by itself, so that reading never walks far.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

STANDS_ALONE_EVERY = 16
LEVEL = 6


@dataclass(frozen=True)
class Packed:
    """A version as stored."""

    version: int
    deleted: bool
    doc: bytes

    @property
    def stands_alone(self) -> bool:
        return stands_alone(self.version, self.deleted)


def stands_alone(version: int, deleted: bool) -> bool:
    """Whether a version can be read without the one that replaced it."""
    return deleted or version % STANDS_ALONE_EVERY == 0


def pack(text: str, newer: str | None) -> bytes:
    """`text` compressed, against `newer` when there is one."""
    if newer is None:
        return zlib.compress(text.encode(), LEVEL)
    packer = zlib.compressobj(LEVEL, zdict=newer.encode())
    return packer.compress(text.encode()) + packer.flush()


def unpack(packed: bytes, newer: str | None) -> str:
    """The text that `pack` was given, with the same `newer`."""
    if newer is None:
        return zlib.decompress(packed).decode()
    return zlib.decompressobj(zdict=newer.encode()).decompress(packed).decode()


def unpack_chain(newest_first: Iterable[Packed], current: str | None) -> dict[int, str]:
    """Texts by version number, of versions of one uid that follow each other without a gap down from the current one.

    `current` is the document that is served now; None when nothing replaced the newest of them.
    """
    texts: dict[int, str] = {}
    newer = current
    for item in newest_first:
        newer = texts[item.version] = unpack(item.doc, None if item.stands_alone else newer)
    return texts
