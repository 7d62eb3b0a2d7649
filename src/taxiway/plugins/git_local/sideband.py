"""Puts a line of ours into the answer of `git receive-pack`, where the ordinary client shows it as `remote: …`.

The answer is a row of packets, the first byte of each saying which of three bands it is for; the second is text for
people. Called by `serve`, which knows why git is about to refuse a push better than git says it. Pure.
"""

from __future__ import annotations

HEAD_BYTES = 4096
TEXT_BAND = b"\x02"
_SPECIAL = 4  # the lengths 0 to 3 are marks, without anything behind them


def is_understood(request: bytes) -> bool:
    """Whether the client, whose request begins so, reads bands."""
    return b"side-band-64k" in request[:HEAD_BYTES]


def packet(text: str) -> bytes:
    """One packet of the second band."""
    body = TEXT_BAND + text.encode() + b"\n"
    return b"%04x" % (len(body) + 4) + body


class Insertion:
    """The answer on its way, with `text` once between two packets as soon as `feed` is told that it is due."""

    def __init__(self, text: str) -> None:
        self._packet = packet(text)
        self._rest = b""
        self._is_told = False

    def feed(self, data: bytes, *, is_due: bool) -> bytes:
        """What to send on. Only whole packets are, so that ours stands between two."""
        out = self._rest + data
        end = _whole(out)
        out, self._rest = out[:end], out[end:]
        if out and is_due and not self._is_told:
            self._is_told = True
            return self._packet + out
        return out

    def end(self) -> bytes:
        """What is left when git has ended."""
        rest, self._rest = self._rest, b""
        return rest


def _whole(data: bytes) -> int:
    """How many bytes of `data` are whole packets; what is no packet counts as whole, it is not ours to judge."""
    at = 0
    while at + 4 <= len(data):
        try:
            length = max(_SPECIAL, int(data[at : at + 4], 16))
        except ValueError:
            return len(data)
        if at + length > len(data):
            return at
        at += length
    return at
