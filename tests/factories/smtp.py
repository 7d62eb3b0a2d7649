"""A small SMTP server on a free port: takes mail over the real protocol, and can be told to refuse or to break off."""

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any


@dataclass
class Smtp:
    """The server. `answers` are taken one by one in place of the usual answer to RCPT; `breaks` ends the connection
    behind the text of a mail, without an answer."""

    port: int = 0
    user: str = "robot"
    password: str = "password-of-robot"
    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    breaks: int = 0

    def to(self) -> list[str]:
        return sorted(str(one["To"]) for one in self.taken)


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        smtp: Smtp = self.server.smtp  # type: ignore[attr-defined]
        signed_in = False
        self._say("220 ready")
        while line := self.rfile.readline(10_000).decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self._say("250-here\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                _, user, password = base64.b64decode(line.split()[2]).decode().split("\0")
                signed_in = (user, password) == (smtp.user, smtp.password)
                self._say("235 in" if signed_in else f"535 not {password}")
            elif verb == "MAIL":
                self._say("250 ok" if signed_in else "530 sign in first")
            elif verb == "RCPT":
                self._say(smtp.answers.pop(0) if smtp.answers else "250 ok")
            elif verb == "DATA":
                self._say("354 go on")
                text = self._text()
                if smtp.breaks:
                    smtp.breaks -= 1
                    return
                smtp.taken.append(message_from_bytes(text, policy=policy.default))  # type: ignore[arg-type]
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")

    def _text(self) -> bytes:
        lines = []
        while (line := self.rfile.readline(10_000)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    smtp: Any


@contextmanager
def smtp_server() -> Iterator[Smtp]:
    """Serve one."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.smtp = smtp = Smtp(port=server.server_address[1])
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield smtp
        server.shutdown()
