"""People are told of approvals by events and by mail: once each time, again after a while, then a group above."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update

from factories.certificates import self_signed
from factories.following import until
from factories.scaffolding import Desk, desk, entity
from factories.smtp import Smtp, relay, smtp_server
from taxiway.api import approvals
from taxiway.cli import runs
from taxiway.core.store.tables import event
from taxiway.features.approvals.service.mailing import UNKNOWN, send_due
from taxiway.features.approvals.service.telling import tell
from taxiway.features.approvals.tables import mail, notice
from taxiway.kit.clock import MICROSECONDS

RUNS = "/api/runs/v1"
DAY = 86_400 * MICROSECONDS
PEOPLE = (
    entity("Group", "checkers", {"type": "team", "children": [], "profile": {"email": "checkers@example.com"}}),
    entity("Group", "bosses", {"type": "team", "children": [], "profile": {"email": "bosses@example.com"}}),
    entity("User", "ann", {"memberOf": ["checkers"], "profile": {"email": "ann@example.com"}}),
    entity("User", "bob", {"memberOf": ["checkers"], "profile": {"email": "bob@example.com\nBcc: x@example.com"}}),
    entity("User", "dev", {"memberOf": ["makers", "checkers"], "profile": {"email": "dev@example.com"}}),
    entity("User", "zoe", {"memberOf": ["bosses"]}),
)
STEP = {
    "action": "debug:log",
    "input": {"message": "m"},
    "taxiway:approval": {"message": "Make it, Jürgen?", "from": ["checkers"]},
}


@pytest.fixture(scope="module")
def smtp() -> Iterator[Smtp]:
    with smtp_server() as there:
        yield there


@pytest.fixture(scope="module")
def at(smtp: Smtp) -> Iterator[Desk]:
    set_up = pytest.MonkeyPatch()
    set_up.setenv("SMTP_PASSWORD", smtp.password)
    mailing = {"host": "127.0.0.1", "port": smtp.port, "security": "none", "sender": "taxiway@example.com"}
    mailing |= {"user": smtp.user, "password": "env:SMTP_PASSWORD"}
    with desk(mail=mailing, approvals={"escalate_to": "group:default/bosses"}) as there:
        there.apply(*PEOPLE, source="approvals")
        yield there
    set_up.undo()


def waiting(at: Desk, *steps: str) -> str:
    """A run that waits for its approval, of each of its steps; earlier ones do not."""
    made = at.post(at.template({"steps": [{"id": name, **STEP} for name in steps or ("tell",)]}, "asks"))
    assert made.status_code == 201, made.text
    at.end(made.json()["id"], "waiting")
    return str(made.json()["id"])


def decide(at: Desk, run_id: str, decision: str) -> None:
    with at.client("platform", "user:default/ann") as client:
        answer = client.post(f"{RUNS}/runs/{run_id}/approvals", json={"decision": decision})
        assert answer.status_code == 202, answer.text


def later(at: Desk, days: float) -> None:
    """Let what was told be so many days old."""
    at.served.platform.store.write(lambda tx: tx.conn.execute(update(notice).values(at=notice.c.at - int(days * DAY))))


def told(at: Desk, run_id: str) -> list[tuple[str, int]]:
    query = select(event.c.type, event.c.data).where(event.c.subject == f"run:{run_id}").order_by(event.c.id)
    with at.served.platform.store.read() as conn:
        rows = conn.execute(query.where(event.c.type.startswith("dev.taxiway.approval."))).all()
    return [(row.type.split(".")[3], row.data["mails"]) for row in rows]


def test_who_may_decide_is_asked_reminded_and_then_a_group_above_may_decide(
    at: Desk, smtp: Smtp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    platform, run_id = at.served.platform, waiting(at)
    for _ in range(3):
        tell(platform)
        send_due(platform)
    assert told(at, run_id) == [("requested", 1)]
    (first,) = smtp.taken
    assert (first["To"], first["From"]) == ("ann@example.com", "taxiway@example.com"), "not who started it, no forgery"
    assert first["Subject"] == "Your approval is asked for: asks"
    assert "Make it, Jürgen?" in first.get_content()
    assert f"/runs/{run_id}" in first.get_content()
    later(at, 1)
    for _ in range(3):
        tell(platform)
        send_due(platform)
    assert told(at, run_id) == [("requested", 1), ("reminded", 1)]
    later(at, 2)
    tell(platform)
    send_due(platform)
    assert told(at, run_id)[2:] == [("escalated", 1)]
    assert smtp.to() == ["ann@example.com", "ann@example.com", "bosses@example.com"]
    monkeypatch.setenv("TAXIWAY_URL", at.served.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", at.served.token("developer", "user:default/zoe"))
    runs.approvals()
    assert "requested, reminded, escalated" in " ".join(capsys.readouterr().out.split())
    with monkeypatch.context() as small, at.client("platform", "user:default/zoe") as zoe:
        for name in ("BATCH", "LOOKED"):
            small.setattr(approvals, name, 1)
        page = zoe.get(f"{RUNS}/approvals").json()
        assert [one["run_id"] for one in page["items"]] == [run_id]
        rest = zoe.get(f"{RUNS}/approvals", params={"cursor": page["next_cursor"]}).json()
        assert (rest["items"], rest["next_cursor"]) == ([], None)
        assert zoe.get(f"{RUNS}/approvals", params={"cursor": "x"}).status_code == 422
    runs.approve(run_id, reject=True)
    assert at.end(run_id).state == "failed"
    with at.client("platform", "user:default/zoe") as client:
        assert client.post(f"{RUNS}/runs/{run_id}/retry").status_code == 202
        at.end(run_id, "waiting")
        assert client.get(f"{RUNS}/approvals").json()["items"] == [], "it is asked anew of those who were asked first"
        assert client.post(f"{RUNS}/runs/{run_id}/approvals", json={"decision": "approved"}).status_code == 403
    decide(at, run_id, "approved")
    assert at.end(run_id).state == "succeeded"
    later(at, 9)
    assert tell(platform) == 0, "what is decided is no news"


def test_mail_is_tried_again_and_never_comes_twice(at: Desk, smtp: Smtp) -> None:
    platform, run_id = at.served.platform, waiting(at)
    smtp.taken.clear()
    tell(platform)
    smtp.answers[:] = ["451 later, please"]
    assert (send_due(platform), smtp.taken) == (0, [])
    assert send_due(platform) == 0, "it waits before it tries again"

    def due() -> None:
        platform.store.write(lambda tx: tx.conn.execute(update(mail).values(next_at=1)))

    def state() -> tuple[str, str | None]:
        with platform.store.read() as conn:
            row = conn.execute(select(mail).where(mail.c.state.not_in(("sent", "dropped")))).one()
        return row.state, row.error

    assert state() == ("waiting", "the mail server answered 451 later, please")
    due()
    smtp.password, right = "another-password", smtp.password
    assert send_due(platform) == 0
    assert right not in str(state()), "an answer that repeats the password is not kept"
    smtp.password = right
    due()
    with pytest.MonkeyPatch.context() as wrong:
        wrong.setenv("SMTP_PASSWORD", "pässword")
        assert send_due(platform) == 0
    assert "write them in ASCII" in str(state())
    decided, goes_on = waiting(at), waiting(at, "one", "two")
    tell(platform)
    decide(at, decided, "rejected")
    decide(at, goes_on, "approved")
    at.end(decided)
    until(lambda: (run := platform.runs.get(goes_on)).steps[1].state == "waiting" and run.state == "waiting")
    due()
    smtp.breaks = 1
    assert send_due(platform) == 0
    due()
    assert send_due(platform) == 0, "nobody knows whether it was taken, so it does not go again"
    assert smtp.taken == [], "and what was decided meanwhile is not sent"
    assert state() == ("unknown", UNKNOWN)
    with at.client("platform", "user:default/ann") as client:
        found = client.get(f"{RUNS}/approvals").json()
        item = next(one for one in found["items"] if one["run_id"] == run_id)
        assert found["by_mail"] is True
        (asked,) = item["told"]
        assert (asked["stage"], asked["mails"], asked["sent"], asked["error"]) == ("requested", 1, 0, UNKNOWN)
    decide(at, run_id, "rejected")
    decide(at, goes_on, "rejected")


def test_mail_goes_over_starttls_to_a_server_whose_certificate_is_good_and_to_no_other(
    at: Desk, smtp: Smtp, tmp_path: Path
) -> None:
    platform, run_id = at.served.platform, waiting(at)
    tell(platform)
    settings, certificates = platform.settings, {}
    for name, host in (("good", "127.0.0.1"), ("elsewhere", "mail.example.com"), ("unknown", "127.0.0.1")):
        (tmp_path / name).mkdir()
        certificates[name] = self_signed(tmp_path / name, host)

    def send(name: str | None, trusted: str = "good") -> tuple[int, list[tuple[str, bool]], str | None]:
        tls = None
        if name is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*certificates[name])
        with relay(smtp.user, smtp.password, tls) as server, pytest.MonkeyPatch.context() as patched:
            patched.setenv("SSL_CERT_FILE", str(certificates[trusted][0]))
            change = {"security": "starttls", "port": server.port}
            patched.setitem(settings.__dict__, "mail", settings.mail.model_copy(update=change))
            platform.store.write(lambda tx: tx.conn.execute(update(mail).values(next_at=1)))
            sent = send_due(platform)
        with platform.store.read() as conn:
            error = conn.execute(select(mail.c.error).order_by(mail.c.id.desc())).scalars().first()
        return sent, server.seen, error

    refused = "the mail server's TLS is not accepted: CERTIFICATE_VERIFY_FAILED"
    assert send("unknown") == (0, [], refused), "signed by nobody who is trusted"
    assert send("elsewhere", trusted="elsewhere") == (0, [], refused), "for another name"
    sent, seen, error = send(None)
    assert (sent, seen) == (0, []), "neither password nor mail in clear"
    assert "STARTTLS extension not supported" in str(error)
    assert send("good") == (1, [("AUTH", True), ("mail to ann@example.com", True)], None)
    decide(at, run_id, "rejected")


def test_a_mail_that_is_put_off_holds_up_no_other(at: Desk, smtp: Smtp) -> None:
    both = [waiting(at), waiting(at)]
    smtp.taken.clear()
    tell(at.served.platform)
    smtp.data_answers[:] = ["451 not now"]
    assert send_due(at.served.platform) == 1
    assert smtp.to() == ["ann@example.com"]
    for run_id in both:
        decide(at, run_id, "rejected")
