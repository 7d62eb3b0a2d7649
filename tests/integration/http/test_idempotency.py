"""`Idempotency-Key`: an operation commits with its key, so it is done once whatever becomes of its answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from probe import probe_feature
from sqlalchemy import func, select, update

from factories.served import Served, served
from taxiway.core.http import idempotency as layer
from taxiway.core.http.idempotency import Answers, Claim, DoneError, InFlightError
from taxiway.core.store.companion import accompanied, apart
from taxiway.core.store.database import Store
from taxiway.core.store.tables import event_cursor, idempotency
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.kit.clock import MICROSECONDS

THINGS = "/api/probe/v1/things"
calls: list[str] = []


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Served]:
    calls.clear()
    features = [ACCESS, probe_feature(calls)]
    with served(tmp_path / "data", features=features, database_url=database_url) as running:
        yield running


def rows(store: Store) -> list[Any]:
    with store.read() as conn:
        return list(conn.execute(select(idempotency)).all())


def things(store: Store) -> int:
    query = select(func.count()).where(event_cursor.c.subscriber.like("thing %"))
    with store.read() as conn:
        return int(conn.execute(query).scalar_one())


def test_the_same_key_answers_the_same_and_does_it_once(server: Served) -> None:
    client, key = server.client(server.token()), {"idempotency-key": "key-1"}
    first = client.post(THINGS, json={"name": "once"}, headers=key)
    second = client.post(THINGS, json={"name": "once"}, headers=key)
    assert (first.status_code, first.content, first.headers["etag"]) == (
        second.status_code,
        second.content,
        second.headers["etag"],
    )
    assert second.headers["idempotency-replayed"] == "true"
    assert calls == ["once"]
    assert client.post(THINGS, json={"name": "other"}, headers=key).json()["code"] == "idempotency.reused"
    other = server.client(server.token(subject="user:default/other"))
    assert other.post(THINGS, json={"name": "mine"}, headers=key).status_code == 201
    assert things(server.platform.store) == 2


def test_a_request_that_changed_nothing_leaves_its_key_free(server: Served) -> None:
    client, key = server.client(server.token()), {"idempotency-key": "key-2"}
    assert client.post(THINGS, json={"name": "boom"}, headers=key).status_code == 500
    assert rows(server.platform.store) == []
    assert client.post(THINGS, json={"name": "fine"}, headers=key).status_code == 201


def test_a_failure_after_something_was_done_is_the_answer(server: Served) -> None:
    client, key = server.client(server.token()), {"idempotency-key": "key-3"}
    answers = [client.post(THINGS, json={"name": "half"}, headers=key) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {503}
    assert calls == ["half"]


def test_the_answer_is_stored_behind_the_response(server: Served) -> None:
    client, key = server.client(server.token()), {"idempotency-key": "key-4"}
    first = client.post(THINGS, json={"name": "a"}, headers=key)
    answers: Answers = server.platform.services["idempotency"]
    for _ in range(200):
        if not answers.waiting:
            break
        threading.Event().wait(0.01)
    (row,) = rows(server.platform.store)
    assert (row.status, row.body, row.subject) == (201, first.text, None)
    assert row.claimer == layer.this_process()


def test_without_a_key_nothing_is_stored(server: Served) -> None:
    assert server.client(server.token()).post(THINGS, json={"name": "a"}).status_code == 201
    assert rows(server.platform.store) == []


@pytest.mark.parametrize("path", [THINGS, "/api/catalog/things"])
def test_a_key_in_flight_says_when_to_come_again(server: Served, path: str) -> None:
    """On our own paths and on Backstage's."""
    store, client = server.platform.store, server.client(server.token())
    body, key = b'{"name":"a"}', {"idempotency-key": "key-5"}
    claim = layer.claim_of("user:default/tester", "key-5", "POST", path + "?", body)
    with accompanied(claim):
        store.write(lambda tx: None)
    answer = client.post(path, content=body, headers=key)
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    assert calls == []


def test_a_lost_answer_says_what_was_done_and_where(server: Served) -> None:
    """As a server finds it that starts after another was killed behind the commit."""
    store, client = server.platform.store, server.client(server.token())
    made = client.post("/api/access/v1/tokens", json={"name": "t"}, headers={"idempotency-key": "key-6"}).json()
    answers: Answers = server.platform.services["idempotency"]
    while answers.waiting:
        threading.Event().wait(0.01)
    (row,) = rows(store)
    assert row.subject == f"token:{made['id']}"
    dead = {"claimer": layer.this_process().rsplit(" ", 2)[0] + " 1 1", "status": None}
    store.write(lambda tx: tx.conn.execute(update(idempotency).values(**dead)))
    again = client.post("/api/access/v1/tokens", json={"name": "t"}, headers={"idempotency-key": "key-6"})
    assert (again.status_code, again.json()["code"]) == (409, "idempotency.done")
    assert f"token:{made['id']}" in again.json()["detail"]
    assert "retry-after" not in again.headers
    store.write(lambda tx: tx.conn.execute(update(idempotency).values(subject="run:r-1")))
    again = client.post("/api/access/v1/tokens", json={"name": "t"}, headers={"idempotency-key": "key-6"})
    assert again.headers["location"] == "/api/runs/v1/runs/r-1"


def test_answers_with_a_secret_are_not_kept(server: Served) -> None:
    client, key = server.client(server.token()), {"idempotency-key": "key-7"}
    client.post("/api/access/v1/tokens", json={"name": "t"}, headers=key).raise_for_status()
    again = client.post("/api/access/v1/tokens", json={"name": "t"}, headers=key)
    assert again.json()["code"] == "idempotency.secret"
    assert [row.body for row in rows(server.platform.store)] == [None]


def test_requests_with_one_key_at_once_do_it_once(server: Served) -> None:
    token, barrier = server.token(), threading.Barrier(6)

    def send(_: int) -> Any:
        with server.client(token) as client:
            barrier.wait()
            return client.post(THINGS, json={"name": "race"}, headers={"idempotency-key": "key-8"})

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert things(server.platform.store) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert sum(answer.status_code == 201 for answer in answers) >= 1
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 409)


def test_the_key_rides_in_the_first_write_only(store: Store) -> None:
    claim = Claim("user:default/a", "key", "digest")
    with accompanied(claim):
        with apart():
            store.write(lambda tx: None)
        assert (claim.committed, rows(store)) == (False, [])
        with pytest.raises(ZeroDivisionError):
            store.write(lambda tx: 1 // 0)
        assert (claim.committed, rows(store)) == (False, [])
        assert store.write(lambda tx: "made") == "made"
        store.write(lambda tx: None)
    assert claim.committed
    assert len(rows(store)) == 1
    with accompanied(Claim("user:default/a", "key", "digest")), pytest.raises(InFlightError):
        store.write(lambda tx: None)


def test_an_operation_of_a_living_server_counts_as_in_flight_for_a_minute(store: Store) -> None:
    claim, answers = Claim("user:default/a", "key", "digest"), Answers()
    with accompanied(claim):
        store.write(lambda tx: None)
    (row,) = rows(store)
    with pytest.raises(InFlightError):
        layer.find(store, answers, claim, row.created_at + 1)
    with pytest.raises(DoneError):
        layer.find(store, answers, claim, row.created_at + 61 * MICROSECONDS)
