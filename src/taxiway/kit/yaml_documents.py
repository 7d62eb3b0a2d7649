"""The documents of a YAML stream where a fault in one does not cost the others.

A line that begins with `---` ends a document wherever it stands, so that after a fault each piece is read by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from taxiway.kit.yaml12 import YamlDocument, YamlError, load_all

MAX_PIECES = 10_000
_MARK = re.compile(rb"^---(?=[ \t\r\n]|$)", re.MULTILINE)


def documents_and_faults(content: bytes) -> Iterator[YamlDocument | YamlError]:
    """The good documents in order, and a fault for each of the others; one for a text that is refused as a whole."""
    last = 0
    try:
        for document in load_all(content):
            last = document.line
            yield document
        return
    except YamlError as error:
        fault = error
    pieces = [0, *(match.start() for match in _MARK.finditer(content))]
    if fault.line is None or len(pieces) > MAX_PIECES:
        yield fault
        return
    lines = 0
    for start, end in zip(pieces, [*pieces[1:], len(content)], strict=True):
        piece = content[start:end]
        try:
            for document in load_all(piece):
                if document.line + lines > last:
                    yield YamlDocument(document.value, document.line + lines)
        except YamlError as error:
            yield YamlError(error.detail, (error.line or 1) + lines)
        lines += piece.count(b"\n")
