"""The few words of Redis' protocol that the plugin needs: sign in and ask whether the server answers."""

from __future__ import annotations

import socket

SECONDS = 2.0


def answers(port: int, password: str) -> bool:
    """Whether a server on 127.0.0.1:`port` accepts the password and has its data loaded."""
    try:
        with socket.create_connection(("127.0.0.1", port), SECONDS) as connection:
            connection.settimeout(SECONDS)
            connection.sendall(_command("AUTH", password) + _command("PING"))
            return _receive(connection) == [b"+OK", b"+PONG"]
    except OSError:
        return False


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n".encode()]
    parts += [b"$%d\r\n%s\r\n" % (len(word.encode()), word.encode()) for word in words]
    return b"".join(parts)


def _receive(connection: socket.socket) -> list[bytes]:
    """The two lines of the answer."""
    received = b""
    while received.count(b"\r\n") < 2 and len(received) < 4096:
        chunk = connection.recv(4096)
        if not chunk:
            break
        received += chunk
    return received.split(b"\r\n")[:2]
