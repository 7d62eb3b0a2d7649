"""One health probe over HTTP, with the rules of Kubernetes: a status from 200 to 399 within the time is success.

Called in a forked child of the shim and by the platform. It always connects to 127.0.0.1 (`*.localhost` does not
resolve everywhere) and reads no more than the status line.
"""

from __future__ import annotations

import _socket  # the C half of socket: the shim has no use for the rest and each megabyte counts per workload
import time
from typing import Any

STATUS_LINE_BYTES = 1024


def http_failure(port: int, probe: dict[str, Any], timeout_seconds: float) -> str:
    """'' when `GET path` succeeds, else why not. `probe` has Score's path, scheme, host, httpHeaders.

    `host` becomes the Host header: connections never leave this machine.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        status = _status(port, probe, deadline)
    except (TimeoutError, OSError, ValueError) as error:
        return f"GET {probe.get('path', '/')} on port {port}: {error or type(error).__name__}"
    return "" if 200 <= status < 400 else f"GET {probe.get('path', '/')} on port {port} answered {status}"


def _status(port: int, probe: dict[str, Any], deadline: float) -> int:
    connection: Any = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        connection.settimeout(_left(deadline))
        connection.connect(("127.0.0.1", port))
        if str(probe.get("scheme", "HTTP")).upper() == "HTTPS":
            connection = _encrypted(connection, deadline)
        _send(connection, _request(port, probe), deadline)
        return _parse_status(_status_line(connection, deadline))
    finally:
        connection.close()


def _request(port: int, probe: dict[str, Any]) -> bytes:
    headers = {"Host": str(probe.get("host") or f"127.0.0.1:{port}"), "User-Agent": "taxiway-probe"}
    headers |= {str(one["name"]): str(one["value"]) for one in probe.get("httpHeaders") or ()}
    headers["Connection"] = "close"
    lines = [f"GET {probe.get('path') or '/'} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("the probe has a line break in its path or headers; remove it from the Score file")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _send(connection: Any, data: bytes, deadline: float) -> None:
    while data:
        connection.settimeout(_left(deadline))
        data = data[connection.send(data) :]


def _status_line(connection: Any, deadline: float) -> bytes:
    data = b""
    while b"\n" not in data and len(data) < STATUS_LINE_BYTES:
        connection.settimeout(_left(deadline))
        more = connection.recv(STATUS_LINE_BYTES)
        if not more:
            break
        data += more
    return data


def _parse_status(data: bytes) -> int:
    parts = data.split(b"\n", 1)[0].split()
    if len(parts) < 2 or not parts[0].startswith(b"HTTP/") or not parts[1].isdigit():
        raise ValueError("the answer is not HTTP")
    return int(parts[1])


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


def _encrypted(connection: Any, deadline: float) -> Any:
    import socket
    import ssl

    # As in Kubernetes, a probe does not verify the certificate: it asks for life, not for identity.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.socket(fileno=connection.detach())
    plain.settimeout(_left(deadline))
    return context.wrap_socket(plain)
