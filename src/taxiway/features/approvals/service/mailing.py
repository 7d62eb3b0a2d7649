"""Sends mail over SMTP: at most once each, and again after what the server did not take.

Called by a schedule. A mail is marked before the server may take it. A refusal for now (4xx, no connection) is tried
again with growing pauses, one for good (5xx) is not. Where the connection breaks after the text was sent nobody knows
whether it was taken: it is not sent again, for a reminder that comes twice is worse than the next one.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from functools import partial
from typing import Any

from taxiway.core.context import Platform
from taxiway.core.settings_approvals import MailSettings
from taxiway.features.approvals import repository
from taxiway.features.approvals.model import Mail
from taxiway.kit.backoff import backoff_seconds
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.errors import TaxiwayError
from taxiway.plugin import resolve_credential

TIMEOUT_SECONDS = 15.0
BATCH, MOST_ATTEMPTS = 100, 12
FIRST_SECONDS, MOST_SECONDS = 60.0, 6 * 3600.0
LOST_SECONDS = 600
MOST_ERROR = 300
UNKNOWN = "the connection broke before the server said whether it took the mail; it is not sent again"
FAILURES = (smtplib.SMTPException, OSError)


def send_due(platform: Platform) -> int:
    """Send what is due; returns how many the server took."""
    settings = platform.settings.mail
    if settings.host is None:
        return 0
    now = platform.clock.now()
    lost = now - LOST_SECONDS * MICROSECONDS
    with platform.store.read() as conn:
        found, is_lost = repository.due(conn, now, BATCH), repository.is_lost(conn, lost)
        outdated = repository.outdated(conn, found)
    if is_lost:
        platform.store.write(lambda tx: repository.give_up(tx, lost, UNKNOWN))
    for one in outdated:
        _change(platform, one, state="dropped")
    due = [one for one in found if one not in outdated]
    if not due:
        return 0
    try:
        server = _connect(platform, settings)
    except (*FAILURES, UnicodeError, TaxiwayError) as error:
        for one in due:
            _again(platform, one, _told(error))
        return 0
    sent = 0
    try:
        for one in due:
            try:
                sent += _send(platform, server, one)
            except (smtplib.SMTPServerDisconnected, OSError) as error:
                _again(platform, one, _told(error))
                break  # the others are due still
    finally:
        server.close()
    return sent


def _connect(platform: Platform, settings: MailSettings) -> smtplib.SMTP:
    host, own = str(settings.host), settings.sender.rpartition("@")[2]
    password = resolve_credential(settings.password, platform.secrets) if settings.password else None
    tls = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, settings.port, own, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, settings.port, own, timeout=TIMEOUT_SECONDS)
    try:
        if settings.security == "starttls":
            server.starttls(context=tls)
        if settings.user and password:
            server.login(settings.user, password)
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server


def _send(platform: Platform, server: smtplib.SMTP, one: Mail) -> bool:
    """Hand one over. OSError and SMTPServerDisconnected only from before its text was sent."""
    sender, text = platform.settings.mail.sender, _text(platform, one)
    for code, answer in (server.mail(sender), server.rcpt(one.recipient)):
        if code not in (250, 251):
            server.rset()
            _refused(platform, one, code, answer)
            return False
    if not platform.store.write(partial(repository.claim, mail_id=one.id)):
        server.rset()
        return False
    said: bytes | str
    try:
        code, said = server.data(text)
    except smtplib.SMTPDataError as error:
        code, said = error.smtp_code, error.smtp_error
    except (smtplib.SMTPException, OSError):
        _change(platform, one, state="unknown", error=UNKNOWN)
        server.close()
        return False
    if code != 250:
        _refused(platform, one, code, said)
        with suppress(*FAILURES):  # then the next one finds that out
            server.rset()
        return False
    _change(platform, one, state="sent", attempts=one.attempts + 1, error=None)
    return True


def _text(platform: Platform, one: Mail) -> bytes:
    message = EmailMessage(SMTP.clone(cte_type="7bit"))  # lines end as SMTP wants it, and no server has to know UTF-8
    message["From"], message["To"], message["Subject"] = platform.settings.mail.sender, one.recipient, one.subject
    message["Date"] = formatdate(platform.clock.now() / MICROSECONDS)
    message["Message-ID"] = f"<{one.id}@{platform.settings.mail.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(one.body)
    return message.as_bytes()


def _refused(platform: Platform, one: Mail, code: int, answer: bytes | str) -> None:
    said = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    told = f"the mail server answered {code} {said}"[:MOST_ERROR]
    if code >= 500:
        _change(platform, one, state="failed", attempts=one.attempts + 1, error=told)
    else:
        _again(platform, one, told)


def _again(platform: Platform, one: Mail, error: str) -> None:
    attempts = one.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        _change(platform, one, state="failed", attempts=attempts, error=error)
        return
    pause = backoff_seconds(attempts, FIRST_SECONDS, MOST_SECONDS)
    next_at = platform.clock.now() + int(pause * MICROSECONDS)
    _change(platform, one, state="waiting", attempts=attempts, next_at=next_at, error=error)


def _change(platform: Platform, one: Mail, **values: Any) -> None:
    platform.store.write(lambda tx: repository.change_mail(tx, one.id, **values))


def _told(error: smtplib.SMTPException | OSError | UnicodeError | TaxiwayError) -> str:
    """Why the server is not reached, without what was sent to it."""
    if isinstance(error, TaxiwayError):
        return error.detail[:MOST_ERROR]
    if isinstance(error, UnicodeError):  # it holds the password, perhaps
        return "mail.host, mail.user or its password is not as SMTP takes it: write them in ASCII"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the mail server answered {error.smtp_code} when Taxiway signed in or said hello"
    if isinstance(error, ssl.SSLError):
        return f"the mail server's TLS is not accepted: {error.reason or type(error).__name__}"[:MOST_ERROR]
    if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
        return f"the mail server cannot be used as mail.security and mail.user say: {error}"[:MOST_ERROR]
    return f"the mail server does not answer: {type(error).__name__}"
