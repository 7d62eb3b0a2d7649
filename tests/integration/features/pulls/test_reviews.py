"""Reviews, code owners and checks: what a rule of the base branch asks for, over HTTP."""

from __future__ import annotations

from typing import Any

from integration.features.pulls.conftest import BASE, Desk


def review(client: Any, name: str, verdict: str, **more: Any) -> Any:
    return client.post(f"{BASE}/pulls/{name}/1/reviews", json={"verdict": verdict, "body": "so", **more})


def gate(desk: Desk, name: str, gate_id: str) -> tuple[str, str]:
    found = next(item for item in desk.get(name)["gates"] if item["id"] == gate_id)
    return found["verdict"], found["detail"]


def test_approvals_that_count_open_the_gate(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.protect(name, required_approvals=1)
    desk.open(name)
    assert desk.get(name)["mergeable"] == "blocked"
    own = review(desk.ann, name, "approve")
    assert (own.status_code, own.json()["code"]) == (403, "pulls.own")
    assert review(desk.ann, name, "comment").status_code == 201
    assert review(desk.guard, name, "approve").json()["counts"] is False
    assert gate(desk, name, "approvals") == ("pending", "0 of 1 approvals: ask for a review")
    blocked = desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={})
    assert blocked.json()["errors"][0]["detail"] == "Approvals: 0 of 1 approvals: ask for a review"
    assert review(desk.bob, name, "request_changes").status_code == 201
    assert gate(desk, name, "changes_requested") == ("failed", "user:default/bob asked for changes")
    assert review(desk.bob, name, "approve", body="").status_code == 201
    found = desk.get(name)
    assert found["mergeable"] == "clean"
    assert [(item["reviewer"], item["verdict"]) for item in found["reviewers"]] == [
        ("user:default/bob", "approve"),
        ("user:default/guard", "approve"),
    ]
    assert [event["kind"] for event in desk.events(name)].count("reviewed") == 4
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={}).json()["state"] == "merged"
    assert review(desk.guard, name, "comment").status_code == 201
    late = review(desk.guard, name, "approve")
    assert (late.status_code, late.json()["code"]) == (409, "pulls.merged")


def test_new_commits_take_approvals_back_and_one_looked_at_the_old_ones(desk: Desk) -> None:
    name = desk.make()
    old = desk.branch(name)
    desk.protect(name, required_approvals=1)
    desk.open(name)
    review(desk.bob, name, "approve", commit=old)
    new = desk.commit(name, "change", {"c": "1\n"})
    stale = review(desk.bob, name, "approve", commit=old)
    assert (stale.status_code, stale.json()["code"]) == (409, "pulls.head_moved")
    assert desk.bob.post(f"{BASE}/pulls/{name}/1/merge", json={}).json()["code"] == "pulls.blocked"
    items = desk.ann.get(f"{BASE}/pulls/{name}/1/reviews").json()["items"]
    assert [(item["commit"], item["dismissed_reason"]) for item in items] == [(old, "new commits were pushed")]
    review(desk.bob, name, "approve", commit=new)
    assert desk.get(name)["mergeable"] == "clean"


def test_approvals_stay_where_the_rule_says_so_until_they_are_dismissed(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.protect(name, required_approvals=1, dismiss_stale_reviews=False)
    desk.open(name)
    made = review(desk.bob, name, "approve").json()
    new = desk.commit(name, "change", {"c": "1\n"})
    desk.until(lambda: desk.get(name)["head_sha"] == new)
    assert desk.get(name)["mergeable"] == "clean"
    where = f"{BASE}/pulls/{name}/1/reviews/{made['id']}/dismiss"
    assert desk.guard.post(where, json={"reason": "no"}).status_code == 403
    assert desk.ann.post(where, json={"reason": "look again"}).status_code == 204
    assert desk.ann.post(where, json={"reason": "look again"}).json()["code"] == "pulls.dismissed"
    assert desk.get(name)["mergeable"] == "blocked"
    assert desk.ann.post(f"{BASE}/pulls/{name}/1/reviews/x/dismiss", json={"reason": "a"}).status_code == 404


def test_owners_of_changed_files_have_to_approve(desk: Desk) -> None:
    owners = "* @acme/shop\n/infra/ @acme/guards\n/free/\n"
    name = desk.make({".github/CODEOWNERS": owners, "infra/main.tf": "1\n", "a": "1\n", "free/x": "1\n"})
    changes: dict[str, str | None] = {
        "infra/main.tf": None,
        "moved.tf": "1\n",
        "free/x": "2\n",
        ".github/CODEOWNERS": "* @ann\n",
    }
    desk.branch(name, files=changes)
    desk.protect(name, require_code_owners=True)
    desk.open(name)
    verdict, detail = gate(desk, name, "code_owners")
    assert verdict == "pending"
    assert "needs the approval of group:default/shop" in detail
    review(desk.bob, name, "approve")
    assert gate(desk, name, "code_owners") == ("pending", "infra/main.tf needs the approval of group:default/guards")
    review(desk.guard, name, "approve")
    assert gate(desk, name, "code_owners") == ("passed", "")
    assert desk.get(name)["mergeable"] == "clean"


def test_required_checks_are_green_on_the_head(desk: Desk) -> None:
    name = desk.make()
    head = desk.branch(name)
    desk.protect(name, required_checks=["ci.yml"])
    desk.open(name)
    assert gate(desk, name, "check:ci.yml")[0] == "pending"
    body = {"repository": name, "commit": head, "name": "ci.yml", "state": "failed", "detail": "2 tests failed"}
    assert desk.guard.post(f"{BASE}/checks", json=body).status_code == 403
    made = desk.bob.post(f"{BASE}/checks", json={**body, "url": "https://ci.example.org/7"})
    assert (made.status_code, made.json()["source"]) == (201, "api:user:default/bob")
    assert gate(desk, name, "check:ci.yml") == ("failed", "2 tests failed")
    assert desk.bob.post(f"{BASE}/checks", json={**body, "url": "javascript:x"}).status_code == 422
    assert desk.bob.post(f"{BASE}/checks", json={**body, "commit": "0" * 40}).json()["code"] == "pulls.no_commit"
    desk.bob.post(f"{BASE}/checks", json={**body, "state": "succeeded"})
    desk.bob.post(f"{BASE}/checks", json={**body, "name": "optional", "state": "failed"})
    found = desk.get(name)
    assert found["mergeable"] == "unstable"
    checks = desk.ann.get(f"{BASE}/pulls/{name}/1/checks").json()["items"]
    assert [(item["name"], item["state"]) for item in checks] == [("ci.yml", "succeeded"), ("optional", "failed")]
    desk.commit(name, "change", {"c": "1\n"})
    desk.until(lambda: gate(desk, name, "check:ci.yml")[0] == "pending")


def test_a_remark_is_on_a_line_and_a_comment_needs_words(desk: Desk) -> None:
    name = desk.make()
    desk.branch(name)
    desk.open(name)
    made = review(desk.guard, name, "comment", path="a", line=4).json()
    assert (made["path"], made["line"], made["verdict"]) == ("a", 4, "comment")
    assert review(desk.guard, name, "comment", body=" ").json()["code"] == "pulls.no_text"
    assert review(desk.guard, name, "comment", body="x" * 70_000).status_code == 422
    assert review(desk.guard, name, "shrug").status_code == 422
