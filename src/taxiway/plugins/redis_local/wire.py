"""The few words of Redis' protocol that the plugin needs: sign in, ask whether the server answers, and how many keys
there are."""

from __future__ import annotations

import re
import socket
from typing import BinaryIO

SECONDS = 2.0
MOST_BYTES = 64 * 1024
KEYSPACE = re.compile(rb"(db\d+):keys=(\d+),")


def answers(port: int, password: str) -> bool:
    """Whether a server on 127.0.0.1:`port` accepts the password and has its data loaded."""
    try:
        return _ask(port, password, "PING") == [b"+OK", b"+PONG"]
    except OSError:
        return False


def keys(port: int, password: str) -> dict[str, int]:
    """How many keys each database of the server has, of those that have some. OSError when it does not say."""
    signed_in, told = _ask(port, password, "INFO", "keyspace")
    if signed_in != b"+OK" or not told.startswith(b"# Keyspace"):
        raise OSError(told.decode(errors="replace"))
    return {name.decode(): int(count) for name, count in KEYSPACE.findall(told)}


def _ask(port: int, password: str, *words: str) -> list[bytes]:
    """The answers to the sign-in and to a command."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as connection, connection.makefile("rb") as stream:
        connection.settimeout(SECONDS)
        connection.sendall(_command("AUTH", password) + _command(*words))
        return [_answer(stream), _answer(stream)]


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"".join(parts)


def _answer(stream: BinaryIO) -> bytes:
    """An answer's line, or the text that it announces."""
    line = stream.readline(MOST_BYTES).rstrip(b"\r\n")
    length = line[1:] if line.startswith(b"$") else b""
    return stream.read(min(int(length), MOST_BYTES) + 2)[:-2] if length.isdigit() else line
