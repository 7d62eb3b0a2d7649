"""A planted secret is found nowhere but encrypted, and whoever changes the audit log afterwards is found out."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, select, update

from acceptance.conftest import MakeServer, Server, found_below
from acceptance.test_main_job import environ_of
from acceptance.test_undo import DEVELOPER, commands, ended, items, write_template
from acceptance.test_undo import create as create_tiny
from taxiway.cli.admin import open_platform
from taxiway.core.events import chain
from taxiway.core.store.tables import event
from taxiway.features.access import service as access

PLANTED = "planted-parameter-7d1f0c"
PASSWORD = "planted password 51aa90"
TEMPLATE = """
apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {name: secretive, title: Takes a secret}
spec:
  type: service
  owner: group:default/checkout
  parameters:
    - title: Form
      properties:
        key: {type: string, title: Key, ui:field: Secret}
  steps:
    - {id: say, action: debug:log, input: {message: "the key is ${{ secrets.key }}"}}
"""
PATHS = (
    "/api/access/v1/tokens",
    "/api/catalog/entities",
    "/api/delivery/v1/pipelines",
    "/api/delivery/v1/repositories",
    "/api/environments/v1/deployments",
    "/api/environments/v1/releases",
    "/api/environments/v1/resources",
    "/api/environments/v1/workloads",
    "/api/events/v1/events",
    "/api/runs/v1/runs",
    "/api/scaffolder/v2/tasks",
    "/api/system/v1/config",
)


@pytest.mark.timeout(240)
def test_planted_secrets_are_found_nowhere_and_a_changed_log_is_found_out(
    make_server: MakeServer, open_folder: Path
) -> None:
    template = write_template(open_folder / "paths" / "tiny")
    secretive = template.parent.parent / "secretive.yaml"
    secretive.write_text(TEMPLATE)
    server = make_server(
        "--demo", environ={"TAXIWAY_CATALOG__FILE_ROOTS": f'["{template.parent.parent}"]'}, pipelines=True
    )
    with open_platform(server.data) as platform:
        access.set_password(platform.system("test"), "admin", PASSWORD)
    admin_token, token = server.token(), server.token("developer", DEVELOPER)
    with server.client(admin_token) as admin, server.client(token) as client:
        for file in (template, secretive):
            answer = admin.post("/api/catalog/locations", json={"type": "file", "target": str(file)})
            assert answer.status_code == 201, answer.text
        with httpx.Client(base_url=server.url) as browser:
            sign_in = {"username": "admin", "password": PASSWORD}
            assert browser.post("/api/access/v1/sessions", json=sign_in).status_code == 201
            sessions = [value for name, value in browser.cookies.items() if "csrf" not in name.lower()]
            wrong = {"username": "admin", "password": PASSWORD + "!"}
            assert browser.post("/api/access/v1/sessions", json=wrong).status_code == 401
        runs = [secret_run(client, give) for give in ("secrets", "values")]
        runs.append(create_tiny(client, "tiny-vault", "none"))
        assert ended(client, runs[-1])["state"] == "succeeded"
        database = environ_of(commands(server, "tiny-vault")[0])["PASSWORD"]
        planted = {"parameter": PLANTED, "password": PASSWORD, "database": database, "session": sessions[0]}
        planted |= {"token": token, "admin's token": admin_token}
        assert all(len(value) > 12 for value in planted.values())
        answers = spoken(admin, runs)
        assert found({"control": "tiny-vault"}, answers) != [], "the search finds what is there"
        assert found({"control": "tiny-vault"}, files_of(server.data)) != []
        assert found(planted, files_of(server.data)) == [], "while everything runs"
    server.down()
    assert found(planted, {"server.log": server.log().encode(), **answers}) == []
    assert found(planted, files_of(server.data)) == []
    a_changed_log_is_found_out(server)


def secret_run(client: httpx.Client, give: str) -> str:
    """A run that was given the secret in one of both ways."""
    body: dict[str, Any] = {"templateRef": "template:default/secretive", "values": {}}
    answer = client.post("/api/scaffolder/v2/tasks", json=body | {give: {"key": PLANTED}})
    assert answer.status_code == 201, answer.text
    run_id = str(answer.json()["id"])
    run = ended(client, run_id)
    said = [line["text"] for line in items(client, f"/api/runs/v1/runs/{run_id}/logs")]
    assert any("the key is" in line for line in said), (run, said)
    return run_id


def spoken(admin: httpx.Client, runs: list[str]) -> dict[str, bytes]:
    """What the API tells, by path."""
    paths = [*PATHS, "/metrics", "/api/environments/v1/matrix", "/api/plugins/v1/plugins"]
    paths += [f"/api/runs/v1/runs/{run_id}{part}" for run_id in runs for part in ("", "/logs")]
    paths += [f"/api/scaffolder/v2/tasks/{run_id}" for run_id in runs]
    for kind in ("environments/v1/workloads", "delivery/v1/pipelines"):
        paths += [f"/api/{kind}/{item['id']}/logs" for item in items(admin, f"/api/{kind}")]
    answers = {path: admin.get(path) for path in paths}
    assert {path: a.status_code for path, a in answers.items() if a.status_code != 200} == {}
    return {path: answer.content for path, answer in answers.items()}


def files_of(data: Path) -> dict[str, bytes]:
    """Every file below `data`; a running server may remove one at any moment."""
    contents = {}
    for name in found_below(data, ""):
        with contextlib.suppress(FileNotFoundError):
            if (data / name).is_file():
                contents[name] = (data / name).read_bytes()
    return contents


def found(planted: dict[str, str], places: dict[str, bytes]) -> list[tuple[str, str]]:
    """(what, where) of every planted secret that stands anywhere in clear."""
    return [
        (what, place)
        for place, content in places.items()
        for what, value in planted.items()
        if value.encode() in content
    ]


def a_changed_log_is_found_out(server: Server) -> None:
    done = verified(server, server.data)
    assert done[0] == 0, done
    assert "the chain is whole" in done[1]
    for change, words in ((edit, "does not match its hash"), (cut, "a tail is gone"), (renew, "computed anew")):
        copy = server.data.parent / change.__name__
        copy.mkdir()
        for name in ("taxiway.db", "taxiway.db-wal"):
            if (server.data / name).exists():
                shutil.copy(server.data / name, copy / name)
        shutil.copytree(server.data / "audit", copy / "audit")
        change(copy / "taxiway.db")
        status, text = verified(server, copy)
        print(change.__name__, "→", status, text.strip()[-200:])
        assert status == 1
        assert words in text


def verified(server: Server, data: Path) -> tuple[int, str]:
    done = server.cli("audit", "verify", "--data", str(data), check=False)
    return done.returncode, done.stderr


def edit(path: Path) -> None:
    """One byte of one event."""
    with sqlite3.connect(path) as connection:
        connection.execute("update event set subject = 'X' || substr(subject, 2) where seq = 3")
    connection.close()


def cut(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("delete from event where seq > (select max(seq) - 2 from event)")
    connection.close()


def renew(path: Path) -> None:
    """An event is changed and every hash behind it computed again, as somebody would who knows how."""
    engine = create_engine(f"sqlite:///{path}")
    previous = chain.GENESIS
    with engine.begin() as connection:
        connection.execute(update(event).where(event.c.seq == 3).values(subject="somebody else"))
        for row in connection.execute(select(event).where(event.c.seq.is_not(None)).order_by(event.c.seq)).all():
            previous = chain.next_hash(previous, row.seq, row)
            connection.execute(update(event).where(event.c.id == row.id).values(hash=previous))
    engine.dispose()
