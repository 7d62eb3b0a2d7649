"""The process behind `parsing`: takes texts, gives what their documents came to, until its input ends.

Run as a file, without the environment; the folder that holds the package is its argument. A frame is four bytes of
length and as many bytes. An empty one is answered when this is ready. One that begins with a `{` says what documents of
the others are judged by; in these stand the form of a file, its location, which is empty where documents are only to be
parsed, and its text. An empty answer says that it cannot hold what the text says.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

MEMORY_BYTES = 1024 * 1024 * 1024


def serve(texts: BinaryIO, answers: BinaryIO, answer: Callable[[bytes], bytes]) -> None:
    """Answer every frame of `texts`."""
    while len(head := texts.read(4)) == 4:
        found = answer(texts.read(struct.unpack(">I", head)[0]))
        answers.write(struct.pack(">I", len(found)) + found)
        answers.flush()


def _main() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.path.insert(0, sys.argv[1])
    from taxiway.features.catalog.sources.judging import Judging, warm

    warm()
    judging: list[Judging] = []

    def answer(content: bytes) -> bytes:
        if not content:
            return b"ready"
        if content.startswith(b"{"):
            judging[:] = [Judging(content)]
            return b"told"
        return judging[0].answer(content)

    serve(sys.stdin.buffer, sys.stdout.buffer, answer)


if __name__ == "__main__":
    _main()
