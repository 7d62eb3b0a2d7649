"""`kill -9` around the commits of a request with an Idempotency-Key: sent again at once, it was done exactly once."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crash.machine import DyingServer, Look
from taxiway.core.store import tables

RETRY_SECONDS = 10
"""What a retry may take on a busy machine. Nobody waits for a lease or a time-out."""


@pytest.fixture(params=["sqlite", "postgres"])
def dying(request: pytest.FixtureRequest) -> Iterator[DyingServer]:
    """A server with a registered location, that dies at each moment of a keyed request, once."""
    folder = Path(tempfile.mkdtemp(prefix="taxiway-test-"))
    folder.chmod(0o711)
    url = str(request.getfixturevalue("postgres_url")) if request.param == "postgres" else ""
    environ = {"TAXIWAY_CATALOG__FILE_ROOTS": f'["{folder}"]', **({"TAXIWAY_DATABASE_URL": url} if url else {})}
    server = DyingServer(folder / "data", ["--workers", "0"], environ, moments=())
    server.data.mkdir(mode=0o711)
    try:
        server.start()
        yield server
    finally:
        server.down()
        shutil.rmtree(folder, ignore_errors=True)


def send(server: DyingServer, token: str, path: str, key: str) -> httpx.Response | None:
    """The answer, or None when the server died before it."""
    try:
        with server.client(token) as client:
            return client.post(path, headers={"Idempotency-Key": key})
    except httpx.HTTPError:
        return None


def test_a_key_outlives_a_kill_at_every_boundary(dying: DyingServer) -> None:
    token = dying.token()
    file = dying.data.parent / "catalog-info.yaml"
    file.write_text("apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {name: a}\nspec: {owner: x}\n")
    with dying.client(token) as client:
        body = {"type": "file", "target": str(file)}
        location = client.post("/api/catalog/locations", json=body).raise_for_status().json()["location"]["id"]
    path = f"/api/catalog/v1/locations/{location}/ingest"
    look = Look(dying.data, dying.environ.get("TAXIWAY_DATABASE_URL"))
    for number, moment in enumerate(("commit.before", "commit.after", "keep.before", "keep.after"), 1):
        again = kill_and_send_again(dying, token, path, moment)
        count = select(func.count()).select_from(tables.run).where(tables.run.c.kind == "ingest")
        assert look.rows(count)[0][0] == number, moment
        run = f"/api/runs/v1/runs/{newest(look)}"
        assert again.headers["location"] == run, moment
        if moment == "commit.before":
            assert (again.status_code, "idempotency-replayed" in again.headers) == (202, False)
        elif moment == "keep.after":
            assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
        else:
            assert (again.status_code, again.json()["code"]) == (409, "idempotency.done")
            assert run in again.json()["detail"]


def kill_and_send_again(server: DyingServer, token: str, path: str, moment: str) -> Any:
    """Have the server die at `moment` of a request, start it, and send the request again at once; its key is the
    moment."""
    server.moments = (f"key.{moment}",)
    server.plan()
    first = send(server, token, path, moment)
    assert first is None or first.status_code == 202, first.text
    assert server.process is not None
    server.process.wait(30)
    assert server.is_dead()
    assert server.hits()[-1] == f"key.{moment}"
    server.moments = ()
    server.start()
    began = time.monotonic()
    answer = send(server, token, path, moment)
    assert answer is not None
    assert time.monotonic() - began < RETRY_SECONDS
    return answer


def newest(look: Look) -> str:
    query = select(tables.run.c.id).where(tables.run.c.kind == "ingest").order_by(tables.run.c.id.desc())
    return str(look.rows(query.limit(1))[0][0])
