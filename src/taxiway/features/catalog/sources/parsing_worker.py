"""The process behind `parsing`: takes texts, gives their documents and faults as JSON, until its input ends.

Run as a file, without the environment; the folder that holds the package is its argument. A frame is four bytes of
length and as many bytes. An empty answer says that JSON cannot hold what the text says.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

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
    import orjson

    from taxiway.kit.yaml12 import YamlError
    from taxiway.kit.yaml_documents import documents_and_faults

    def answer(content: bytes) -> bytes:
        rows: list[list[Any]] = []
        for item in documents_and_faults(content):
            rows.append([item.line, None, item.detail] if isinstance(item, YamlError) else [item.line, item.value])
        try:
            return orjson.dumps(rows)
        except (orjson.JSONEncodeError, RecursionError):
            return b""

    serve(sys.stdin.buffer, sys.stdout.buffer, answer)


if __name__ == "__main__":
    _main()
