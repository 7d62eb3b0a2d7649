"""Opening, looking at, following and closing pull requests, over HTTP on real repositories."""

from __future__ import annotations

from typing import Any

import pytest

from integration.features.pulls.conftest import BASE, Desk


def test_a_pull_request_shows_its_commits_files_and_that_it_can_be_merged(desk: Desk) -> None:
    name = desk.make()
    head = desk.branch(name)
    made = desk.open(name, title="Add four", body="why")
    assert (made["number"], made["base"], made["author"], made["state"]) == (1, "main", "user:default/ann", "open")
    found = desk.get(name)
    assert (found["mergeable"], found["head_sha"], found["ahead"], found["behind"]) == ("clean", head, 1, 0)
    assert found["actions"] == ["comment", "edit", "close", "merge"]
    assert desk.guard.get(f"{BASE}/pulls/{name}/1").json()["actions"] == ["comment", "review"]
    commits = desk.ann.get(f"{BASE}/pulls/{name}/1/commits").json()["items"]
    assert [(item["sha"], item["author"]) for item in commits] == [(head, "ann")]
    files = desk.ann.get(f"{BASE}/pulls/{name}/1/files").json()
    assert (files["total"], files["additions"], files["deletions"], files["next_cursor"]) == (1, 1, 0, None)
    assert files["items"][0]["patch"].endswith("+4\n")
    diff = desk.ann.get(f"{BASE}/pulls/{name}/1/diff")
    assert diff.headers["content-type"].startswith("text/x-diff")
    assert "+4\n" in diff.text
    listed = desk.ann.get(f"{BASE}/pulls", params={"repository": name, "state": "open"}).json()["items"]
    assert [item["title"] for item in listed] == ["Add four"]
    assert [event["kind"] for event in desk.events(name)] == ["created"]
    assert desk.events(name)[0]["data"]["commit"] == head


def test_numbers_count_by_repository_and_a_title_comes_from_the_commit(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name, "one")
    desk.branch(name, "two")
    assert [desk.open(name, "one")["number"], desk.open(name, "two")["number"]] == [1, 2]
    assert desk.get(name, 2)["title"] == "a change"
    page = desk.ann.get(f"{BASE}/pulls", params={"repository": name, "limit": 1}).json()
    assert [item["number"] for item in page["items"]] == [2]
    rest = desk.ann.get(f"{BASE}/pulls", params={"repository": name, "limit": 1, "cursor": page["next_cursor"]}).json()
    assert [item["number"] for item in rest["items"]] == [1]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"head": "main"}, 422, "pulls.same"),
        ({"head": "gone"}, 422, "pulls.no_branch"),
        ({"head": "change", "base": "gone"}, 422, "pulls.no_branch"),
        ({"head": "empty"}, 422, "pulls.empty"),
        ({"head": "orphan"}, 422, "pulls.unrelated"),
        ({"head": "change", "title": " "}, 422, "pulls.no_title"),
        ({"head": "change", "title": "x" * 300}, 422, "input.invalid"),
        ({"head": "change", "colour": "red"}, 422, "input.invalid"),
        ({"head": "-x"}, 422, "pulls.no_branch"),
        ({"head": "change\0"}, 422, "input.invalid"),
        ({"head": "change", "repository": "nowhere"}, 404, "pulls.no_repository"),
        ({"head": "change"}, 409, "pulls.exists"),
    ],
)
def test_what_makes_no_pull_request_is_refused_with_the_reason(
    desk: Desk, body: dict[str, Any], status: int, code: str, refused: str
) -> None:
    answer = desk.ann.post(f"{BASE}/pulls", json={"repository": refused, **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.fixture(scope="module")
def refused(desk: Desk) -> str:
    name = desk.make()
    desk.branch(name)
    desk.host.create_branch(name, "empty", desk.forge.resolve(name, "main"), by="x")
    desk.commit(name, "orphan", {"z": "1\n"})
    desk.open(name)
    return name


def test_a_push_moves_the_head_and_a_deleted_branch_closes(desk: Desk) -> None:
    name = desk.make()
    first = desk.branch(name)
    desk.open(name)
    second = desk.commit(name, "change", {"a": "5\n"})
    desk.until(lambda: desk.get(name)["head_sha"] == second)
    moved = [event["data"] for event in desk.events(name) if event["kind"] == "updated"]
    assert [(item["before"], item["commit"], item["what"]) for item in moved] == [(first, second, "head")]
    desk.host.delete_branch(name, "change", expect=second, by="user:default/ann")
    desk.until(lambda: desk.get(name)["state"] == "closed")
    closed = desk.get(name)
    assert (closed["reason"], closed["actions"]) == ("its branch change was deleted", ["comment", "reopen"])
    assert desk.ann.get(f"{BASE}/pulls/{name}/1/files").json()["total"] == 1, "its diff can still be seen"
    again = desk.ann.post(f"{BASE}/pulls/{name}/1/reopen")
    assert (again.status_code, again.json()["code"]) == (422, "pulls.no_branch")


def test_what_is_pushed_onto_the_base_by_hand_is_merged(desk: Desk) -> None:
    name = desk.make()
    head = desk.branch(name)
    desk.open(name)
    desk.commit(name, "main", {"c": "1\n"})
    assert desk.get(name)["behind"] == 1
    path = desk.forge.path(name)
    from taxiway.plugins.git_local.command import run_git

    run_git(["update-ref", "refs/heads/main", head], path)
    desk.forge.announce(name, "user:default/bob")
    desk.until(lambda: desk.get(name)["state"] == "merged")
    found = desk.get(name)
    assert (found["method"], found["merge_sha"], found["merged_by"]) == ("push", head, "user:default/bob")


def test_closing_and_opening_again_is_the_authors_and_the_owners(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    assert desk.guard.post(f"{BASE}/pulls/{name}/1/close").status_code == 403
    assert desk.ann.post(f"{BASE}/pulls/{name}/1/close").json()["state"] == "closed"
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/close").json()["state"] == "closed"
    second = desk.commit(name, "change", {"a": "9\n"})
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/reopen").json()["head_sha"] == second
    assert [event["kind"] for event in desk.events(name)] == ["created", "abandoned", "updated"]


def test_edits_go_by_the_version_and_a_draft_is_marked_as_ready(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.host.create_branch(name, "release", desk.forge.resolve(name, "main"), by="x")
    made = desk.open(name, draft=True)
    assert (made["mergeable"], made["gates"][-1]["id"]) == ("draft", "draft")
    where = f"{BASE}/pulls/{name}/1"
    assert desk.ann.put(where, json={"title": "x"}, headers={"if-match": '"7"'}).status_code == 412
    ready = desk.ann.put(where, json={"draft": False, "base": "release"}, headers={"if-match": '"1"'}).json()
    assert (ready["mergeable"], ready["base"], ready["version"]) == ("clean", "release", 2)
    assert desk.guard.put(where, json={"title": "mine"}).status_code == 403
    assert desk.ann.put(where, json={"base": "change"}).json()["code"] == "pulls.same"


def test_a_deleted_repository_closes_its_pull_requests(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    desk.forge.delete_repository(name, archive=False)
    desk.until(lambda: desk.get(name)["state"] == "closed")
    assert desk.get(name)["mergeable"] == "closed"
    assert desk.ann.get(f"{BASE}/pulls/{name}/1/files").status_code == 404


def test_five_thousand_files_are_shown_in_pages(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name, files={f"d{number % 50}/f{number}": f"{number}\n" for number in range(5000)})
    desk.open(name)
    page = desk.ann.get(f"{BASE}/pulls/{name}/1/files", params={"limit": 100}).json()
    assert (page["total"], page["additions"], len(page["items"])) == (5000, 5000, 100)
    after = desk.ann.get(f"{BASE}/pulls/{name}/1/files", params={"limit": 100, "cursor": page["next_cursor"]}).json()
    assert after["items"][0]["path"] not in {item["path"] for item in page["items"]}
    bad = desk.ann.get(f"{BASE}/pulls/{name}/1/files", params={"cursor": "x!"})
    assert bad.status_code == 422


def test_a_change_of_files_is_proposed_in_one_call_and_asked_again_it_is_the_same(desk: Desk) -> None:
    name = desk.make()
    desk.protect(name, required_approvals=1)
    files = [{"path": "docs/a.md", "content": "new\n"}, {"path": "b"}, {"path": "bin", "content_base64": "AAE="}]
    body = {"repository": name, "head": "edit", "title": "Edit", "body": "why", "files": files}
    made = desk.ann.post(f"{BASE}/proposals", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["author"], made.json()["number"], made.json()["ahead"]) == ("user:default/ann", 1, 1)
    assert desk.forge.read_file(name, "edit", "bin") == b"\0\1"
    assert desk.forge.read_file(name, "edit", "b") is None
    assert desk.ann.post(f"{BASE}/proposals", json=body).json()["number"] == 1
    assert desk.ann.get(f"{BASE}/pulls/{name}/1/commits").json()["items"][0]["message"] == "Edit\n\nwhy"
    other = desk.ann.post(f"{BASE}/proposals", json={**body, "files": [{"path": "a", "content": "x"}]})
    assert (other.status_code, other.json()["code"]) == (409, "pulls.branch")
    assert desk.guard.post(f"{BASE}/proposals", json={**body, "head": "mine"}).status_code == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"files": [{"path": "a", "content": "1\n2\n3\n"}]}, "pulls.empty"),
        ({"files": [{"path": "../x", "content": "1"}]}, "repositories.bad_path"),
        ({"files": [{"path": ".git/config", "content": "1"}]}, "repositories.bad_path"),
        ({"files": [{"path": "x", "content": "1", "content_base64": "MQ=="}]}, "pulls.content"),
        ({"files": [{"path": "x", "content_base64": "!"}]}, "pulls.content"),
        ({"files": []}, "input.invalid"),
        ({"head": "main"}, "pulls.same"),
        ({"head": "bad name"}, "repositories.bad_branch"),
        ({"base": "gone"}, "pulls.no_branch"),
        ({"title": " "}, "pulls.no_title"),
    ],
)
def test_a_proposal_that_is_refused_leaves_no_branch(desk: Desk, change: dict[str, Any], code: str) -> None:
    name = desk.make()
    body = {"repository": name, "head": "edit", "title": "E", "files": [{"path": "x", "content": "1"}], **change}
    answer = desk.ann.post(f"{BASE}/proposals", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert list(desk.forge.branches(name)) == ["main"]
