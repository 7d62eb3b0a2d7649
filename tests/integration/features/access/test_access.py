from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from factories.platform import fresh_store
from factories.served import Served, served
from taxiway.core.store.database import Tx
from taxiway.features.access import repository, service
from taxiway.features.access.contrib import FEATURE
from taxiway.kit.clock import MICROSECONDS, ManualClock
from taxiway.kit.paging import encode_cursor
from taxiway.model.errors import ConflictError, NotAllowedError

TOKENS, SESSIONS, ME = "/api/access/v1/tokens", "/api/access/v1/sessions", "/api/access/v1/me"
ROLES = "/api/access/v1/roles"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(tmp_path: Path, clock: ManualClock, database_url: str) -> Iterator[Served]:
    with served(tmp_path / "data", clock=clock, features=[FEATURE], database_url=database_url) as running:
        yield running


def test_a_sign_in_link_works_once_and_not_after_a_day(server: Served, clock: ManualClock) -> None:
    ctx = server.platform.system("test")
    link = service.create_sign_in_link(ctx)
    client = server.client()
    assert client.post(SESSIONS, json={"link_token": link}).json()["principal"]["ref"] == "user:default/admin"
    assert client.get(ME).json()["roles"] == ["admin"]
    assert server.client().post(SESSIONS, json={"link_token": link}).status_code == 401
    late = service.create_sign_in_link(ctx)
    clock.advance(24 * 3600 + 1)
    assert server.client().post(SESSIONS, json={"link_token": late}).status_code == 401


def test_a_clock_that_is_put_back_locks_nobody_out_and_one_that_is_put_forward_asks_to_sign_in_again(
    server: Served, clock: ManualClock
) -> None:
    ctx, client, day = server.platform.system("test"), server.client(), 86_400 * MICROSECONDS
    client.post(SESSIONS, json={"link_token": service.create_sign_in_link(ctx)})
    clock.advance(86_400)
    gone = client.get(ME)
    assert (gone.status_code, gone.json()["detail"]) == (401, "the session has ended: sign in again")
    wrong = {"username": "admin", "password": "not the right one"}
    while server.client().post(SESSIONS, json=wrong).status_code != 429:
        pass
    link = service.create_sign_in_link(ctx)
    clock.at -= 2 * day
    clock.ticks += 5
    # Neither the failures, nor the session of a day that has not come yet, nor the link are in anybody's way.
    assert client.get(ME).status_code == 200
    assert server.client().post(SESSIONS, json={"link_token": link}).status_code == 201


def test_the_session_cookie_is_not_for_scripts(server: Served) -> None:
    link = service.create_sign_in_link(server.platform.system("test"))
    cookies = server.client().post(SESSIONS, json={"link_token": link}).headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("taxiway_session="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session


def test_a_password_signs_in_and_a_wrong_one_does_not(server: Served) -> None:
    service.set_password(server.platform.system("test"), "admin", "correct horse battery")
    right = {"username": "admin", "password": "correct horse battery"}
    assert server.client().post(SESSIONS, json=right).status_code == 201
    wrong = server.client().post(SESSIONS, json={**right, "password": "wrong"})
    unknown = server.client().post(SESSIONS, json={**right, "username": "nobody"})
    assert (wrong.status_code, wrong.json()["detail"]) == (unknown.status_code, unknown.json()["detail"])


def test_guessing_is_slowed_down_and_recorded_without_the_name(server: Served, clock: ManualClock) -> None:
    answers = [server.client().post(SESSIONS, json={"link_token": f"guess{n}"}).status_code for n in range(11)]
    assert answers == [401] * 10 + [429]
    with server.platform.store.read() as conn:
        rows = conn.exec_driver_sql("select data from event where type = 'dev.taxiway.session.refused.v1'").all()
    assert len(rows) == 10
    clock.advance(61)
    assert server.client().post(SESSIONS, json={"link_token": "again"}).status_code == 401


def test_a_session_ends_when_it_is_idle_too_long_or_too_old(server: Served, clock: ManualClock) -> None:
    idle, busy = server.session(), server.session()

    def six_hours_later() -> int:
        clock.advance(6 * 3600)
        status = busy.get(ME).status_code
        server.platform.store.write(lambda tx: None)  # that a session was used is written behind the answer
        return status

    assert [six_hours_later() for _ in range(3)] == [200] * 3
    assert idle.get(ME).status_code == 401
    assert [six_hours_later() for _ in range(25)] == [200] * 24 + [401], "after seven days"


def test_signing_out_and_revoking_end_a_session_at_once(server: Served) -> None:
    client, other = server.session(), server.session()
    csrf = {"x-csrf-token": client.cookies["taxiway_csrf"]}
    cookie = client.cookies["taxiway_session"]
    assert client.delete(SESSIONS + "/current", headers=csrf).status_code == 204
    assert server.client(cookies={"taxiway_session": cookie}).get(ME).status_code == 401
    assert service.revoke_sessions(server.platform.system("test"), "user:default/admin") == 1
    assert other.get(ME).status_code == 401


def test_a_token_is_shown_once_and_kept_as_a_hash(server: Served) -> None:
    client = server.client(server.token())
    made = client.post(TOKENS, json={"name": "ci", "role": "developer", "ttl_seconds": 60}).json()
    assert made["token"].startswith("txw_")
    listed = client.get(TOKENS).json()["items"]
    assert made["id"] in {item["id"] for item in listed}
    assert all("token" not in item for item in listed)
    with server.platform.store.read() as conn:
        kept = [conn.exec_driver_sql(f"select * from {table}").all() for table in ("api_token", "event", "session")]
    assert made["token"] not in str(kept)
    assert made["id"] in str(kept)
    assert client.cookies.get("taxiway_session") is None


def test_a_token_ends_when_it_expires_or_is_revoked(server: Served, clock: ManualClock) -> None:
    client = server.client(server.token())
    short = client.post(TOKENS, json={"name": "a", "ttl_seconds": 60}).json()
    long = client.post(TOKENS, json={"name": "b", "ttl_seconds": 6000}).json()
    assert server.client(short["token"]).get(ME).status_code == 200
    clock.advance(61)
    assert server.client(short["token"]).get(ME).status_code == 401
    assert client.delete(f"{TOKENS}/{long['id']}").status_code == 204
    assert server.client(long["token"]).get(ME).status_code == 401


def test_nobody_makes_a_token_above_their_own_role(server: Served) -> None:
    client = server.client(server.token("developer"))
    assert client.post(TOKENS, json={"name": "up", "role": "platform"}).json()["code"] == "not_allowed.role"
    assert client.post(TOKENS, json={"name": "same", "role": "developer"}).status_code == 201


def test_a_token_shrinks_when_its_maker_loses_the_role(server: Served) -> None:
    ctx = server.platform.system("test")
    service.ensure_account(ctx, "alex", "user:default/alex", "Alex")
    service.assign_role(ctx, "user:default/alex", "platform")
    client = server.session("user:default/alex")
    csrf = {"x-csrf-token": client.cookies["taxiway_csrf"]}
    made = client.post(TOKENS, json={"name": "t", "role": "platform"}, headers=csrf).json()
    robot = server.client(made["token"])
    assert robot.get(ME).json()["roles"] == ["platform"]
    service.assign_role(ctx, "user:default/alex", "viewer")
    service.remove_role(ctx, "user:default/alex", "platform")
    assert robot.get(ME).json()["roles"] == ["viewer"]


def test_a_scoped_token_does_only_that_and_makes_no_wider_one(server: Served) -> None:
    client = server.client(server.token("admin", scopes=["access.*"]))
    assert client.get("/api/system/v1/info").status_code == 403
    assert client.get(TOKENS).status_code == 200
    assert client.post(TOKENS, json={"name": "w", "scopes": ["*"]}).json()["code"] == "not_allowed.scopes"
    assert client.post(TOKENS, json={"name": "n"}).json()["scopes"] == ["access.*"]


def test_tokens_of_others_are_not_there(server: Served) -> None:
    mine = server.client(server.token("developer", "user:default/a"))
    theirs = server.client(server.token("developer", "user:default/b"))
    made = mine.post(TOKENS, json={"name": "t"}).json()
    assert made["id"] not in {item["id"] for item in theirs.get(TOKENS).json()["items"]}
    assert theirs.delete(f"{TOKENS}/{made['id']}").status_code == 404


def test_roles_come_through_groups(server: Served) -> None:
    ctx = server.platform.system("test")
    server.platform.groups_of = lambda subject: frozenset({"group:default/team"} if subject.endswith("/kim") else ())
    service.assign_role(ctx, "group:default/team", "developer")
    service.ensure_account(ctx, "kim", "user:default/kim", "Kim")
    answer = server.session("user:default/kim").get(ME).json()
    assert (answer["roles"], answer["groups"], answer["display_name"]) == (["developer"], ["group:default/team"], "Kim")
    assert server.session("user:default/sam").get("/api/system/v1/info").status_code == 403


def test_roles_are_given_listed_and_taken_back(server: Served) -> None:
    admin = server.client(server.token())
    for member, role in (("group:Team", "developer"), ("user:default/bea", "viewer"), ("group:Team", "developer")):
        assert admin.post(ROLES, json={"member": member, "role": role}).status_code == 201
    first = admin.get(ROLES, params={"limit": 1}).json()
    rest = admin.get(ROLES, params={"cursor": first["next_cursor"]}).json()
    assert [(one["member"], one["role"]) for one in (*first["items"], *rest["items"])] == [
        ("group:default/team", "developer"),
        ("user:default/admin", "admin"),
        ("user:default/bea", "viewer"),
    ]
    assert admin.get(ROLES, params={"cursor": encode_cursor(["x"])}).json()["code"] == "input.cursor"
    assert admin.post(ROLES, json={"member": "component:shop", "role": "viewer"}).json()["code"] == "access.member"
    assert admin.delete(ROLES, params={"member": "user:bea", "role": "viewer"}).status_code == 204
    refused = admin.delete(ROLES, params={"member": "user:admin", "role": "admin"}).json()
    assert (refused["status"], refused["code"]) == (409, "access.last_admin")
    for nobody in ("group:default/empty", "user:default/misspelt"):
        admin.post(ROLES, json={"member": nobody, "role": "admin"}).raise_for_status()
        refused = admin.delete(ROLES, params={"member": "user:admin", "role": "admin"}).json()
        assert refused["code"] == "access.last_admin", "nobody could give it back"
        assert admin.delete(ROLES, params={"member": nobody, "role": "admin"}).status_code == 204
    assert len(admin.get(ROLES).json()["items"]) == 2, "and they are still one"
    server.platform.groups_of = lambda subject: frozenset({"group:default/team"} if subject.endswith("/kim") else ())
    admin.post(ROLES, json={"member": "group:team", "role": "admin"}).raise_for_status()
    kim = server.client(server.token(subject="user:default/kim"))
    assert kim.delete(ROLES, params={"member": "user:admin", "role": "admin"}).status_code == 204
    assert server.client(server.token("platform")).get(ROLES).status_code == 403


def test_two_administrators_who_take_each_others_role_at_once_leave_one(postgres_url: str, tmp_path: Path) -> None:
    store, both_took = fresh_store(postgres_url, tmp_path), threading.Barrier(2)
    names = ["user:default/ann", "user:default/bea"]
    for name in names:
        store.write(partial(repository.assign_role, member=name, role="admin"))

    def take(name: str) -> bool:
        tries = iter([True])

        def work(tx: Tx) -> None:
            repository.remove_role(tx, name, "admin")
            if next(tries, False):
                both_took.wait(10)
            if not repository.administrators(tx):
                raise ConflictError("the only administrator")

        try:
            store.write(work)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, names)) == [False, True]
    store.close()


def test_only_an_administrator_gives_roles(server: Served) -> None:
    ctx = server.platform.system("test")
    developer = ctx.acting_as(service.principal_of(server.platform, "user:default/sam"))
    with pytest.raises(NotAllowedError):
        service.assign_role(developer, "user:default/sam", "admin")
