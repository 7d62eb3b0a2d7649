"""The documents of newline-delimited JSON, where a fault in one line does not cost the others.

They come as those of YAML do.
"""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.kit.plain import read_json
from taxiway.kit.yaml12 import YamlDocument, YamlError


def lines_and_faults(content: bytes) -> Iterator[YamlDocument | YamlError]:
    """The documents in order, and a fault for each line that is none. Empty lines count, and say nothing."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            yield YamlDocument(read_json(line), number)
        except ValueError as error:
            yield YamlError(str(error), number)


def pieces(content: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    """The text in pieces of whole lines, of about `size` bytes, each with how many lines are above it."""
    above = start = 0
    while start < len(content):
        end = content.find(b"\n", start + size) + 1 or len(content)
        piece = content[start:end]
        yield above, piece
        above, start = above + piece.count(b"\n"), end
