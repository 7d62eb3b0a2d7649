from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from factories.served import Served, served
from taxiway.features.access.contrib import FEATURE as ACCESS

THINGS = "/api/probe/v1/things"


def test_who_you_are_comes_before_what_you_sent(server: Served) -> None:
    rubbish = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert server.client().post(THINGS, **rubbish).status_code == 401
    assert server.client(server.token("viewer")).post(THINGS, **rubbish).status_code == 403
    assert server.client(server.token("developer")).post(THINGS, **rubbish).status_code == 422


def test_a_wrong_body_is_a_problem_with_pointers(server: Served) -> None:
    answer = server.client(server.token()).post(THINGS, json={"size": "x"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert {error["pointer"] for error in problem["errors"]} == {"/name", "/size"}
    assert problem["code"] == "input.invalid"
    assert problem["retryable"] is False
    assert problem["request_id"] == answer.headers["x-request-id"]


def test_backstages_paths_answer_in_backstages_words(server: Served) -> None:
    answer = server.client(server.token()).post("/api/catalog/things", json={})
    assert answer.status_code == 400
    assert answer.json()["error"]["name"] == "InputError"
    assert answer.json()["request"] == {"method": "POST", "url": "/things"}
    assert answer.json()["response"] == {"statusCode": 400}
    assert server.client().post("/api/catalog/things", json={}).json()["error"]["name"] == "AuthenticationError"


def test_a_fault_of_ours_shows_its_request_id_and_nothing_else(server: Served) -> None:
    answer = server.client(server.token()).post(THINGS, json={"name": "boom"})
    assert answer.status_code == 500
    assert "secret reason" not in answer.text
    assert answer.headers["x-request-id"] in answer.json()["detail"]


def test_an_engine_that_is_away_says_when_to_come_again(server: Served) -> None:
    answer = server.client(server.token()).get("/api/probe/v1/down")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert answer.json()["retryable"] is True
    assert "10.0.0.1" not in answer.text


def test_unknown_paths_tell_nobody_anything(server: Served) -> None:
    assert server.client().get("/api/nope").status_code == 401
    assert server.client(server.token()).get("/api/nope").status_code == 404
    assert server.client().delete(THINGS).status_code == 401


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_past_the_limit_is_refused(server: Served, chunked: bool, made: list[str]) -> None:
    body = b'{"name":"' + b"x" * 6000 + b'"}'
    content: bytes | Iterator[bytes] = iter([body[:3000], body[3000:]]) if chunked else body
    answer = server.client(server.token()).post(THINGS, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert "5000" in answer.json()["detail"]
    assert made == []


def test_a_packed_body_is_unpacked_and_bounded_as_what_it_is(server: Served, made: list[str]) -> None:
    client, packed = server.client(server.token()), gzip.compress(b'{"name":"packed"}')

    def post(body: bytes | Iterator[bytes], encoding: str = "gzip") -> httpx.Response:
        headers = {"content-type": "application/json", "content-encoding": encoding}
        return client.post(THINGS, content=body, headers=headers)

    assert post(iter([packed[:9], packed[9:20], packed[20:]])).status_code == 201
    assert post(gzip.compress(b'{"name":') + gzip.compress(b'"two"}'), "x-gzip").status_code == 201
    for body, encoding, detail in (
        (packed[:-9], "gzip", "ends in the middle"),
        (b'{"name":"x"}', "gzip", "not gzip"),
        (packed, "br", "packed as 'br'"),
    ):
        answer = post(body, encoding)
        assert (answer.status_code, detail in answer.json()["detail"]) == (422, True), answer.text
    assert post(gzip.compress(b" " * 50_000_000)).status_code == 413
    nothing = b"\0\0\0\xff\xff" * 1000  # blocks of no bytes: the limit is for what comes, too
    assert post(iter([packed[:10], nothing, nothing])).status_code == 413
    assert made == ["packed", "two"]


def test_a_foreign_host_name_is_refused(server: Served) -> None:
    client = server.client(server.token())
    assert client.get("/api/system/v1/info", headers={"host": "evil.example:7007"}).status_code == 422
    assert client.get("/api/system/v1/info", headers={"host": "localhost:1"}).status_code == 200
    assert client.get("/", headers={"host": "evil.example"}).status_code == 422
    assert client.get("/healthz", headers={"host": "10.0.0.9"}).status_code == 200


def test_a_session_needs_its_csrf_token_on_writes(server: Served, made: list[str]) -> None:
    client = server.session()
    body = {"json": {"name": "a"}}
    assert client.post(THINGS, **body).json()["code"] == "not_allowed.csrf"
    assert client.post(THINGS, headers={"x-csrf-token": "0" * 64}, **body).status_code == 403
    token = client.get("/api/access/v1/me").json()["csrf"]
    assert token == client.cookies["taxiway_csrf"]
    assert client.post(THINGS, headers={"x-csrf-token": token}, **body).status_code == 201
    foreign = {"x-csrf-token": token, "origin": "https://evil.example"}
    assert client.post(THINGS, headers=foreign, **body).json()["code"] == "not_allowed.origin"
    assert made == ["a"]


def test_a_change_of_an_older_version_is_refused(server: Served) -> None:
    client = server.client(server.token())
    body = {"json": {"name": "a"}}
    assert client.put(THINGS + "/a", headers={"if-match": '"1"'}, **body).status_code == 412
    assert client.put(THINGS + "/a", headers={"if-match": '"2"'}, **body).status_code == 200
    assert client.put(THINGS + "/a", headers={"if-match": "x"}, **body).status_code == 422


def test_the_portals_inline_script_is_the_only_one_allowed(server: Served) -> None:
    answer = server.client().get("/catalog/component/default/x")
    wanted = base64.b64encode(hashlib.sha256(b"let a = 1").digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' 'sha256-{wanted}'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "id=root" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    asset = server.client().get("/assets/app-1a2b.js")
    assert "max-age=31536000" in asset.headers["cache-control"]
    assert server.client().get("/assets/gone.js").status_code == 404
    assert server.client().get("/../../etc/passwd").text == answer.text


def test_figures_need_a_permission(server: Served) -> None:
    assert server.client().get("/metrics").status_code == 401
    assert server.client(server.token("developer")).get("/metrics").status_code == 403
    assert "taxiway_http_requests_total" in server.client(server.token()).get("/metrics").text


def test_a_caller_who_comes_too_often_waits(tmp_path) -> None:
    with served(tmp_path, features=[ACCESS], limits={"requests_per_minute": 3}) as running:
        client = running.client(running.token())
        answers = [client.get("/api/system/v1/info") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert running.client(running.token()).get("/api/system/v1/info").status_code == 200


def test_a_stream_ends_when_taxiway_stops(tmp_path) -> None:
    from probe import probe_feature

    with served(tmp_path, features=[ACCESS, probe_feature([])]) as running:
        text = ""
        with running.client(running.token()).stream("GET", "/api/probe/v1/stream") as answer:
            for piece in answer.iter_text():
                text += piece
                running.platform.stopping.set()
        assert 'id: 1\nevent: tick\ndata: {"n":1}\n\n' in text


def test_a_client_that_hangs_does_not_stop_others(server: Served) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as hanging:
        hanging.sendall(b"POST /api/probe/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        began = time.monotonic()
        assert server.client().get("/healthz").status_code == 200
        assert time.monotonic() - began < 2
