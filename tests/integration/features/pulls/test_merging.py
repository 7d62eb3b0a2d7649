"""Merging over HTTP: the three ways, what keeps from it, what moves meanwhile, and rules that hold everywhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from integration.features.pulls.conftest import BASE, Desk
from taxiway.model.errors import ConflictError
from taxiway.plugins.git_local.command import run_git


def log(desk: Desk, name: str, form: str = "%an|%cn|%s", branch: str = "main") -> list[str]:
    return run_git(["log", f"--format={form}", branch], desk.forge.path(name)).strip().split("\n")


@pytest.mark.parametrize(
    ("method", "top", "parents"),
    [
        ("merge", "bob|bob|Merge pull request #1 from change", 2),
        ("squash", "ann|bob|Add four (#1)", 1),
        ("rebase", "ann|bob|a change", 1),
    ],
)
def test_who_merges_is_the_committer(desk: Desk, method: str, top: str, parents: int) -> None:
    name = desk.make()
    head = desk.branch(name)
    desk.open(name, title="Add four")
    base = desk.commit(name, "main", {"b": "2\n"})
    answer = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"method": method, "delete_branch": True})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["state"], found["merged_by"], found["method"]) == ("merged", "user:default/bob", method)
    assert (found["head_sha"], found["base_sha"], found["mergeable"]) == (head, base, "closed")
    assert desk.forge.resolve(name, "main") == found["merge_sha"]
    assert log(desk, name)[0] == top
    assert len(log(desk, name, "%P")[0].split()) == parents
    assert desk.forge.read_file(name, "main", "a") == b"1\n2\n3\n4\n"
    assert desk.forge.read_file(name, "main", "b") == b"2\n"
    assert desk.forge.resolve(name, "change") is None
    merged = next(event for event in desk.events(name) if event["kind"] == "merged")
    assert (merged["actor"], merged["data"]["merge_commit"]) == ("user:default/bob", found["merge_sha"])
    again = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"method": method})
    assert (again.status_code, again.json()["merge_sha"]) == (200, found["merge_sha"])
    files = desk.ann.get(f"{BASE}/pulls/{name}/1/files").json()
    assert [item["path"] for item in files["items"]] == ["a"], "what it changed is shown as it was"


def test_a_squash_names_its_commits_and_a_message_can_be_given(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.commit(name, "change", {"c": "1\n"}, "another one\n\nwith a body")
    desk.open(name, title="Two")
    desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"method": "squash"})
    assert log(desk, name, "%B")[0:5] == ["Two (#1)", "", "* a change", "* another one", ""]
    desk.branch(name, "more", {"d": "1\n"})
    desk.open(name, "more")
    desk.bob.post(f"{BASE}/pulls/{name}/2/merge", json={"method": "squash", "message": "My words"})
    assert log(desk, name, "%s")[0] == "My words"


def test_a_conflict_is_shown_and_says_what_to_do(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    desk.commit(name, "main", {"a": "1\n2\n3\nfour\n"})
    found = desk.get(name)
    assert (found["mergeable"], found["actions"]) == ("dirty", ["comment", "edit", "close"])
    answer = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "pulls.blocked")
    assert "it conflicts with main in a: merge main into your branch, solve them, and push" in answer.json()["detail"]


def test_what_moved_since_the_caller_looked_is_not_merged(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    seen = desk.open(name)
    moved = desk.commit(name, "change", {"c": "1\n"})
    stale = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"head_sha": seen["head_sha"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "pulls.head_moved")
    desk.commit(name, "main", {"b": "2\n"})
    old = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"head_sha": moved, "base_sha": seen["base_sha"]})
    assert (old.status_code, old.json()["code"]) == (409, "pulls.base_moved")
    assert "look at the pull request again" in old.json()["detail"]
    assert desk.get(name)["state"] == "open"
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"head_sha": moved}).json()["state"] == "merged"


def test_a_base_that_moves_in_the_last_moment_is_a_conflict_and_can_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    host, merge = desk.host, desk.host.merge

    def late(request: Any) -> str:
        monkeypatch.setattr(host, "merge", merge)
        desk.commit(name, "main", {"b": "2\n"})
        return str(merge(request))

    monkeypatch.setattr(host, "merge", late)
    answer = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "pulls.base_moved")
    assert desk.get(name)["merging"] is False
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={}).json()["state"] == "merged"


def test_many_who_merge_at_once_make_one_merge(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={}), range(6)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert desk.until(lambda: desk.get(name)["state"] == "merged")
    assert len(log(desk, name)) == 3
    assert [event["kind"] for event in desk.events(name)].count("merged") == 1


def test_only_the_owners_merge(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    answer = desk.guard.post(f"{BASE}/pulls/{name}/1/merge", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed.pulls.merge")
    assert desk.guard.put(f"{BASE}/rules/{name}", json={"rules": []}).status_code == 403
    assert desk.ann.put(f"{BASE}/rules/{name}", json={"rules": []}).status_code == 403
    assert desk.boss.post(f"{BASE}/pulls/{name}/1/merge", json={}).json()["state"] == "merged"


def test_a_rule_says_how_to_merge_and_that_the_branch_is_up_to_date(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.protect(name, methods=["squash"], require_up_to_date=True)
    desk.open(name)
    with pytest.raises(ConflictError, match="protected branch"):
        desk.commit(name, "main", {"b": "2\n"})
    wrong = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"method": "merge"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "pulls.method")
    desk.branch(name, "other", {"b": "2\n"})
    desk.open(name, "other")
    assert desk.bob.post(f"{BASE}/pulls/{name}/2/merge", json={}).json()["method"] == "squash"
    found = desk.get(name)
    assert (found["mergeable"], found["gates"][-1]["verdict"]) == ("behind", "pending")
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={}).json()["code"] == "pulls.blocked"


def test_rules_go_by_their_version_and_wrong_ones_are_named(desk: Desk) -> None:
    name = desk.make()
    where = f"{BASE}/rules/{name}"
    first = desk.ann.get(where)
    assert (first.json()["rules"], first.headers["etag"]) == ([], '"0"')
    made = desk.boss.put(where, json={"rules": [{"pattern": "main"}]}, headers={"if-match": '"0"'})
    assert made.status_code == 200
    assert desk.boss.put(where, json={"rules": []}, headers={"if-match": '"0"'}).status_code == 412
    assert desk.boss.put(where, json={"rules": []}, headers={"if-match": made.headers["etag"]}).json()["rules"] == []
    bad = desk.boss.put(where, json={"rules": [{"pattern": "", "required_approvals": 99, "methods": []}]})
    assert bad.status_code == 422
    assert [error["pointer"] for error in bad.json()["errors"]] == [
        "/rules/0/pattern",
        "/rules/0/required_approvals",
        "/rules/0/methods",
    ]


def test_a_branch_that_others_build_on_is_not_deleted(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name, "release")
    desk.boss.put(f"{BASE}/rules/{name}", json={"rules": [{"pattern": "rel*", "allow_push": True}]})
    desk.open(name, "release")
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"delete_branch": True}).json()["state"] == "merged"
    assert desk.forge.resolve(name, "release") is not None


def test_what_is_stacked_on_a_merged_branch_goes_into_its_base(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name, "one")
    desk.host.create_branch(name, "two", desk.forge.resolve(name, "one"), by="x")
    desk.commit(name, "two", {"c": "1\n"})
    desk.open(name, "one")
    desk.open(name, "two", base="one")
    desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={"method": "merge", "delete_branch": True})
    assert desk.forge.resolve(name, "one") is None
    found = desk.get(name, 2)
    assert (found["state"], found["base"], found["ahead"], found["mergeable"]) == ("open", "main", 1, "clean")
    assert desk.bob.post(f"{BASE}/pulls/{name}/2/merge", json={}).json()["state"] == "merged"
