"""How much a pack of git's objects comes to, before anything unpacks it: a few bytes can stand for gigabytes.

Called by `smart_http` on what another system sent (gitformat-pack). Nothing is kept but the sums.
"""

from __future__ import annotations

import struct
import zlib

from taxiway.model.errors import TooLargeError, UnavailableError

MOST_OBJECTS = 200_000
OFS_DELTA, REF_DELTA = 6, 7
ID_BYTES, HEAD_BYTES, CHUNK_BYTES = 20, 40, 16 * 1024
MOST_SHIFT = 63
"""No size takes more bits; one of millions of digits would hold up whoever adds it up."""


def check_pack(pack: memoryview, most_bytes: int, what: str) -> None:
    """TooLargeError when the objects of a pack are more than `MOST_OBJECTS`, or than `most_bytes` once they are
    unpacked and deltas applied; UnavailableError when it is none."""
    try:
        signature, _, count = struct.unpack(">4sII", pack[:12])
        if signature != b"PACK":
            raise ValueError("it does not begin as one")
        if count > MOST_OBJECTS:
            raise too_large(what, most_bytes)
        position, left = 12, most_bytes
        for _ in range(count):
            size, position = _object(pack, position, left)
            left -= size
            if left < 0:
                raise too_large(what, most_bytes)
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        raise UnavailableError(
            f"{what} sent a pack that cannot be read: try again", code="forge.bad_pack", internal=repr(error)
        ) from error


def too_large(what: str, most_bytes: int) -> TooLargeError:
    """What to say of a repository that is too large to be read."""
    return TooLargeError(
        f"what is read of {what} has more than {most_bytes} bytes: keep what is read in a smaller repository",
        code="forge.too_large",
    )


def _object(pack: memoryview, position: int, most: int) -> tuple[int, int]:
    """(size once it is made, position behind it) of the object at `position`."""
    first = pack[position]
    kind, size, shift, position = (first >> 4) & 7, first & 15, 4, position + 1
    while first & 0x80:
        if shift > MOST_SHIFT:
            raise ValueError("a size has no end")
        first = pack[position]
        size |= (first & 0x7F) << shift
        shift, position = shift + 7, position + 1
    if kind == OFS_DELTA:
        while pack[position] & 0x80:
            position += 1
        position += 1
    elif kind == REF_DELTA:
        position += ID_BYTES
    if size > most:
        return size, position
    head, position = _inflated(pack, position, size)
    return (size + _target(head) if kind in (OFS_DELTA, REF_DELTA) else size), position


def _inflated(pack: memoryview, position: int, size: int) -> tuple[bytes, int]:
    """(its first bytes, position behind it) of what is compressed at `position`. ValueError when it is not `size`
    bytes long."""
    content, made, head = zlib.decompressobj(), 0, b""
    while not content.eof:
        chunk: bytes | memoryview = content.unconsumed_tail
        if not chunk:
            chunk = pack[position : position + CHUNK_BYTES]
            position += len(chunk)
            if not chunk:
                raise ValueError("it ends within an object")
        some = content.decompress(chunk, size - made + 1)
        made, head = made + len(some), (head + some[:HEAD_BYTES])[:HEAD_BYTES]
        if made > size:
            break
    if made != size:
        raise ValueError("an object is not as large as it says")
    return head, position - len(content.unused_data)


def _target(delta: bytes) -> int:
    """The size of what a delta makes: the second number in its head."""
    position, numbers = 0, []
    for _ in range(2):
        value, shift = 0, 0
        while True:
            byte = delta[position]
            value |= (byte & 0x7F) << shift
            shift, position = shift + 7, position + 1
            if not byte & 0x80:
                break
        numbers.append(value)
    return numbers[1]
