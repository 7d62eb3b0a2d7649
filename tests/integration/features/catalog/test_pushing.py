"""The push API: entities as newline-delimited JSON from other programs."""

from __future__ import annotations

import httpx
import orjson
import pytest

from factories.served import Served
from taxiway.features.catalog.service.refused import take_over

PUSH = "/api/catalog/v1/push"


def _line(name: str, **spec: str) -> bytes:
    return orjson.dumps(
        {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": name},
            "spec": {"type": "service", "lifecycle": "production", "owner": "checkout", **spec},
        }
    )


def _push(client: httpx.Client, *lines: bytes, source: str = "cmdb", complete: bool = False) -> httpx.Response:
    return client.post(
        f"{PUSH}/{source}",
        params={"complete": complete},
        content=b"\n".join(lines),
        headers={"content-type": "application/x-ndjson"},
    )


def _names(client: httpx.Client) -> list[str]:
    items = client.get("/api/catalog/entities/by-query", params={"filter": "kind=component"}).json()["items"]
    return [item["metadata"]["name"] for item in items]


def test_pushed_entities_are_visible_at_once_and_a_complete_push_removes_the_others(admin: httpx.Client) -> None:
    assert _push(admin, _line("a"), b"", _line("b")).json()["created"] == 2
    assert _names(admin) == ["a", "b"]
    again = _push(admin, _line("b", type="website"), _line("c")).json()
    assert (again["created"], again["updated"], again["deleted"]) == (1, 1, 0)
    final = _push(admin, _line("c"), complete=True).json()
    assert (final["unchanged"], final["deleted"]) == (1, 2)
    assert _names(admin) == ["c"]


def test_a_complete_push_that_leaves_out_too_much_waits_for_review(admin: httpx.Client) -> None:
    held, review = "/api/catalog/v1/sources/push:cmdb/held", "/api/catalog/v1/sources/push:cmdb/review"
    _push(admin, *(_line(f"c{number:02}") for number in range(30)))
    cut = _push(admin, *(_line(f"c{number:02}") for number in range(15)), complete=True).json()
    assert (cut["unchanged"], cut["deleted"], cut["held"]) == (15, 0, 15)
    source = admin.get("/api/catalog/v1/sources/push:cmdb").json()
    assert (source["state"], source["held"], len(_names(admin))) == ("held", 15, 30)
    assert _push(admin, _line("c29")).json()["held"] == 14  # named again, it waits no more
    waiting = [item["ref"] for item in admin.get(held, params={"limit": 100}).json()["items"]]
    assert waiting == [f"component:default/c{number}" for number in range(15, 29)]
    assert admin.post(review, json={"decision": "remove"}).json() == {"removed": 14, "kept": 0}
    assert (len(_names(admin)), admin.get("/api/catalog/v1/sources/push:cmdb").json()["state"]) == (16, "ok")
    assert _push(admin, b"", b"", complete=True).json()["held"] == 16  # nothing any more
    within = _push(admin, *(_line(f"c{number:02}") for number in range(6, 15)), complete=True).json()
    assert (within["deleted"], within["held"]) == (7, 0)


def test_what_waits_for_review_and_is_deleted_otherwise_waits_no_more(admin: httpx.Client) -> None:
    def told() -> tuple[str, int]:
        source = admin.get("/api/catalog/v1/sources/push:cmdb").json()
        return source["state"], source["held"]

    _push(admin, _line("a"), _line("b"))
    _push(admin, _line("c"), complete=True)
    assert told() == ("held", 2)
    for name, left in (("a", ("held", 1)), ("b", ("ok", 0))):
        uid = admin.get(f"/api/catalog/entities/by-name/component/default/{name}").json()["metadata"]["uid"]
        assert admin.delete(f"/api/catalog/entities/by-uid/{uid}").status_code == 204
        assert told() == left
    assert _names(admin) == ["c"]


def test_faulty_lines_are_named_and_the_rest_is_taken(admin: httpx.Client) -> None:
    nested = b'{"apiVersion":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    found = _push(admin, b"{", _line("good"), b"[]", nested, b"\xff\xfe", _line("bad", owner="")).json()
    assert found["created"] == 1
    assert [problem["line"] for problem in found["problems"]] == [1, 3, 4, 5, 6]
    assert all(problem["remedy"] for problem in found["problems"])
    assert _names(admin) == ["good"]


def test_what_is_pushed_again_is_judged_anew(admin: httpx.Client) -> None:
    def problems() -> list[str | None]:
        found = admin.get("/api/catalog/v1/problems", params={"limit": 100}).json()["items"]
        return sorted(item["ref"] or "" for item in found if item["source_id"] == "push:cmdb")

    for _ in range(3):
        _push(admin, b"{", _line("bad", owner=""), _line("worse", owner=""))
    assert problems() == ["", "component:default/bad", "component:default/worse"]
    _push(admin, _line("bad"))
    assert problems() == ["component:default/worse"]
    assert _names(admin) == ["bad"]


def test_two_sources_do_not_take_entities_from_each_other_while_they_are_there(
    server: Served, admin: httpx.Client
) -> None:
    _push(admin, _line("a"))
    other = _push(admin, _line("a", type="stolen"), source="other").json()
    assert "another source" in other["problems"][0]["detail"]
    assert _push(admin, _line("x"), source="other", complete=True).json()["deleted"] == 0
    for source in ("other", "third"):
        _push(admin, _line("a", type=source), source=source)
    _push(admin, _line("b"), complete=True)
    take_over(server.platform.system("test"), "component:default/a")
    assert admin.get("/api/catalog/entities/by-name/component/default/a").json()["spec"]["type"] == "other"
    [problem] = admin.get("/api/catalog/v1/problems").json()["items"]
    assert (problem["source_id"], problem["other_source_id"]) == ("push:third", "push:other")


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_only_the_platform_team_may_push(server: Served, role: str) -> None:
    with server.client(server.token(role)) as client:
        assert _push(client, _line("a")).status_code == 403
        assert client.get("/api/catalog/v1/sources/push:cmdb/held").status_code == 403


def test_a_name_that_is_none_and_a_body_as_json_are_refused(admin: httpx.Client) -> None:
    assert _push(admin, _line("a"), source="Not A Name").status_code == 422
    assert "Content-Type" in admin.post(f"{PUSH}/cmdb", json={}).json()["detail"]


def test_what_is_pushed_is_a_source_in_the_list(admin: httpx.Client) -> None:
    _push(admin, _line("a"), _line("b"), source="crm")
    before = admin.get("/api/catalog/v1/sources/push:crm").json()
    assert (before["type"], before["target"], before["entities"], before["complete_at"]) == ("push", "crm", 2, None)
    _push(admin, _line("a"), b"{", source="crm", complete=True)
    listed = admin.get("/api/catalog/v1/sources", params={"limit": 1}).json()["items"]
    [found] = [item for item in listed if item["id"] == "push:crm"]
    assert found["counts"] == {"created": 0, "updated": 0, "unchanged": 1, "deleted": 0, "held": 0, "problems": 1}
    assert (found["state"], found["problems"], found["registered_by"]) == ("ok", 1, "push")
    assert found["ended_at"] == found["complete_at"] >= before["ended_at"]
    assert admin.get("/api/catalog/v1/sources/push:nobody").status_code == 404
