"""Unpacks what is packed by gzip piece by piece, never more at once than is asked for."""

from __future__ import annotations

import zlib

GZIP = zlib.MAX_WBITS | 16


class Gunzip:
    """One packed text, as it comes in."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP)

    def unpack(self, piece: bytes, most: int, *, last: bool) -> bytes:
        """What the next piece stands for, at most `most` bytes (more than none): the rest is dropped, for a caller
        who refuses that much. ValueError when it is no gzip, or ends too early."""
        found = b""
        try:
            while piece and len(found) < most:
                if self._member.eof:  # files that were packed one by one and put together are one text
                    self._member = zlib.decompressobj(GZIP)
                found += self._member.decompress(piece, most - len(found))
                piece = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
        except zlib.error as error:
            raise ValueError("it is not gzip") from error
        if last and len(found) < most and not self._member.eof:
            raise ValueError("it ends in the middle")
        return found
