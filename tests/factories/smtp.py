"""A small SMTP server on a free port: takes mail over the real protocol, and can be told to refuse or to break off."""

from __future__ import annotations

import asyncio
import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session


@dataclass
class Smtp:
    """The server. `answers` and `data_answers` are taken one by one in place of the usual answers to RCPT and DATA;
    `breaks` ends the connection behind the text of a mail, without an answer. As the strict ones of the field it takes
    one mail at a time, lines that end in CRLF, and ASCII."""

    port: int = 0
    user: str = "robot"
    password: str = "password-of-robot"
    taken: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    breaks: int = 0

    def to(self) -> list[str]:
        return sorted(str(one["To"]) for one in self.taken)


class _Session(socketserver.StreamRequestHandler):
    smtp: Smtp

    def handle(self) -> None:
        smtp, signed_in, begun = self.smtp, False, False
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
                self._say("530 sign in first" if not signed_in else "503 one at a time" if begun else "250 ok")
                begun = signed_in
            elif verb == "RSET":
                begun = False
                self._say("250 ok")
            elif verb == "RCPT":
                self._say(smtp.answers.pop(0) if smtp.answers else "250 ok")
            elif verb == "DATA" and smtp.data_answers:
                self._say(smtp.data_answers.pop(0))
            elif verb == "DATA":
                begun = False
                self._say("354 go on")
                text = self._text()
                if smtp.breaks:
                    smtp.breaks -= 1
                    return
                if b"\n" in text.replace(b"\r\n", b"") or not text.isascii():
                    self._say("554 bare line feeds and eight bits are not taken")
                    continue
                message = message_from_bytes(text, policy=policy.default)
                assert isinstance(message, EmailMessage)
                smtp.taken.append(message)
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


@contextmanager
def smtp_server() -> Iterator[Smtp]:
    """Serve one."""
    made = Smtp()

    class Session(_Session):
        smtp = made

    with _Server(("127.0.0.1", 0), Session) as server:
        made.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield made
        server.shutdown()


@dataclass
class Relay:
    """A mail server by somebody else, aiosmtpd: it takes mail after STARTTLS and a sign-in alone. `seen` is what came:
    (what, whether over TLS)."""

    user: str
    password: str
    port: int = 0
    seen: list[tuple[str, bool]] = field(default_factory=list)

    def sign_in(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.seen.append(("AUTH", session.ssl is not None))
        return AuthResult(success=(data.login, data.password) == (self.user.encode(), self.password.encode()))

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.seen.append((f"mail to {', '.join(envelope.rcpt_tos)}", session.ssl is not None))
        return "250 taken"


@contextmanager
def relay(user: str, password: str, tls: ssl.SSLContext | None) -> Iterator[Relay]:
    """Serve one on loopback; without `tls` it does not know STARTTLS."""
    made, loop = Relay(user, password), asyncio.new_event_loop()

    def protocol() -> SMTP:
        needs = dict.fromkeys(("require_starttls", "auth_required", "auth_require_tls"), tls is not None)
        return SMTP(made, tls_context=tls, authenticator=made.sign_in, loop=loop, hostname="relay", **needs)

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0))
    made.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield made

    def end() -> None:
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.call_soon(loop.stop)

    loop.call_soon_threadsafe(end)
    thread.join(5)
    loop.close()
