"""What makes no sense is refused with a reason, on either database; nothing is a fault of the server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from factories.served import served
from integration.features.pulls.conftest import BASE, Desk
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.pulls.contrib import FEATURE as PULLS

TEXTS = ["", " ", "\0", "a\0b", "\ud800", "../..", "-x", "refs/heads/main", "x" * 5000, "main\n", "é", "a..b", "@{-1}"]
CURSORS = ["x", "!", base64.urlsafe_b64encode(b"[[1]]").decode(), base64.urlsafe_b64encode(b'[{"a":1}]').decode()]


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    plugins = [EntryPoint("git_local", "taxiway.plugins.git_local:PLUGIN", "taxiway.plugins")]
    options: dict[str, Any] = {"database_url": database_url}
    with served(tmp_path / "data", features=[ACCESS, PULLS], plugins=plugins, **options) as running:
        yield Desk(running)


def test_nothing_is_a_fault_of_the_server_and_a_life_works(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    one = f"{BASE}/pulls/{name}/1"
    answers = []
    for client in (desk.ann, desk.bob, desk.boss):
        client.headers["content-type"] = "application/json"
    for text in TEXTS:
        for body in ({"head": text}, {"head": "change", "base": text}, {"head": "change", "repository": text}):
            answers.append(desk.ann.post(f"{BASE}/pulls", content=dump({"repository": name, **body})))
        answers.append(desk.ann.put(one, content=dump({"base": text})))
        for field in ("repository", "author", "cursor"):
            query = {field: text.encode(errors="surrogatepass")}
            answers.append(desk.ann.get(f"{BASE}/pulls", params=query))
        rule = {"pattern": text, "required_checks": [text]}
        answers.append(desk.boss.put(f"{BASE}/rules/{name}", content=dump({"rules": [rule]})))
        answers.append(
            desk.bob.post(f"{one}/reviews", content=dump({"verdict": "comment", "body": text, "path": text}))
        )
        answers.append(desk.bob.post(f"{one}/reviews/x/dismiss", content=dump({"reason": text})))
        check = {"repository": name, "commit": "a" * 40, "name": text, "state": "failed", "detail": text}
        answers.append(desk.bob.post(f"{BASE}/checks", content=dump(check)))
    for number in ("0", "-1", "x", "99999999999999999999", "2"):
        answers += [desk.ann.get(f"{BASE}/pulls/{name}/{number}{part}") for part in ("", "/files", "/diff", "/reviews")]
    for cursor in CURSORS:
        for path in (f"{BASE}/pulls", f"{one}/files", f"{one}/reviews"):
            answers.append(desk.ann.get(path, params={"cursor": cursor}))
    faults = [(a.request.method, a.request.url, a.request.content, a.text) for a in answers if a.status_code >= 500]
    assert faults == []
    assert len({answer.status_code for answer in answers}) > 3
    assert desk.boss.put(f"{BASE}/rules/{name}", json={"rules": []}).status_code == 200
    assert desk.bob.post(f"{one}/reviews", json={"verdict": "approve"}).status_code == 201
    assert desk.bob.post(f"{one}/merge", json={}).json()["state"] == "merged"


def dump(value: Any) -> str:
    import json

    return json.dumps(value)
