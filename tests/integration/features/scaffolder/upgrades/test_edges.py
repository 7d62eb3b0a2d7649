"""What real repositories do between two versions of their golden path."""

from __future__ import annotations

import shutil
import stat
from typing import Any

import pytest

from taxiway.core.context import OpContext
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.upgrading import render
from taxiway.model.pulls import BranchRule
from taxiway.plugin import PullHost

from .conftest import APP, FILES, FORM, LINES, MADE, SUBJECT, V1, Desk

RECORD = ".taxiway/scaffold.yaml"


def mode(desk: Desk, branch: str, path: str) -> int:
    from taxiway.plugins.git_local.objects import open_repo

    with open_repo(desk.forge.path("orders")) as repo:
        tree = repo[desk.forge.resolve("orders", branch).encode()].tree
        return int(repo[tree].lookup_path(repo.__getitem__, path.encode())[0])


def test_a_file_that_the_service_moved_gets_the_change_where_it_is_now(orders: str, desk: Desk) -> None:
    desk.commit({"app.py": None, "src/main.py": MADE.replace("line 11", "my line")})
    desk.template({"app.py": APP.replace("line 0\n", "line zero\n")})
    pull = desk.proposed()
    assert pull["conflicts"] == []
    assert desk.read(pull["head"], "app.py") is None
    assert desk.read(pull["head"], "src/main.py") == MADE.replace("line 0\n", "line zero\n").replace(
        "line 11", "my line"
    )


def test_a_file_that_the_golden_path_renamed_takes_the_services_changes_along(orders: str, desk: Desk) -> None:
    desk.commit({"app.py": MADE.replace("line 11", "my line")})
    desk.template({"app.py": None, "service.py": APP})
    pull = desk.proposed()
    assert pull["conflicts"] == []
    assert desk.read(pull["head"], "app.py") is None
    assert desk.read(pull["head"], "service.py") == MADE.replace("line 11", "my line")
    files = desk.client.get(f"/api/pulls/v1/pulls/orders/{pull['number']}/files").json()["items"]
    assert [(item["status"], item["previous_path"]) for item in files if item["path"] == "service.py"] == [
        ("renamed", "app.py")
    ]


def test_binary_files_are_replaced_or_kept_and_never_mixed(desk: Desk) -> None:
    icons: dict[str, Any] = {"a.png": b"\x89PNG\0" + bytes(range(256)), "b.png": b"\x89PNG\0first"}
    desk.make(desk.template({**FILES, **icons}))
    desk.commit({"b.png": b"\x89PNG\0mine"})
    desk.template({"a.png": b"\x89PNG\0second", "b.png": b"\x89PNG\0theirs"})
    pull = desk.proposed()
    assert pull["conflicts"] == [{"path": "b.png", "kind": "binary"}]
    assert "`b.png`: both sides changed it and it cannot be merged" in pull["body"]
    assert desk.forge.read_file("orders", pull["head"], "a.png") == b"\x89PNG\0second"
    assert desk.forge.read_file("orders", pull["head"], "b.png") == b"\x89PNG\0mine"


def test_run_bits_are_merged_beside_content(desk: Desk) -> None:
    ref = desk.template({**FILES, "run.sh": "#!/bin/sh\n" + LINES, "mine.sh": "#!/bin/sh\n" + LINES})
    desk.make(ref)
    desk.commit({"run.sh": "#!/bin/sh\n" + LINES + "own\n"})
    desk.commit({"mine.sh": "#!/bin/sh\n" + LINES}, mode=0o755)
    desk.template({"mine.sh": "#!/bin/bash\n" + LINES}, executable=("run.sh",))
    pull = desk.proposed()
    assert pull["conflicts"] == []
    assert mode(desk, pull["head"], "run.sh") & stat.S_IXUSR
    assert (desk.read(pull["head"], "run.sh") or "").endswith("own\n")
    assert mode(desk, pull["head"], "mine.sh") & stat.S_IXUSR
    assert (desk.read(pull["head"], "mine.sh") or "").startswith("#!/bin/bash\n")


def test_what_one_side_deleted_and_the_other_changed_is_listed_and_the_service_has_its_way(desk: Desk) -> None:
    desk.make(desk.template({**FILES, "unwanted.py": LINES, "dear.py": LINES}))
    desk.commit({"unwanted.py": None, "dear.py": LINES.replace("line 3", "own")})
    desk.template({"unwanted.py": LINES.replace("line 3", "changed"), "dear.py": None})
    pull = desk.proposed()
    assert pull["conflicts"] == [
        {"path": "dear.py", "kind": "deleted_there"},
        {"path": "unwanted.py", "kind": "deleted_here"},
    ]
    assert "`unwanted.py`: the golden path changed it, here it was deleted: it stays deleted" in pull["body"]
    assert desk.read(pull["head"], "unwanted.py") is None
    assert desk.read(pull["head"], "dear.py") == LINES.replace("line 3", "own")


def test_line_ends_are_the_services_choice(orders: str, desk: Desk) -> None:
    desk.commit({"app.py": MADE.replace("line 11", "my line").replace("\n", "\r\n")})
    desk.template({"app.py": APP.replace("line 0\n", "line zero\n")})
    pull = desk.proposed()
    assert pull["conflicts"] == []
    wanted = MADE.replace("line 0\n", "line zero\n").replace("line 11", "my line")
    assert desk.read(pull["head"], "app.py") == wanted.replace("\n", "\r\n")


def test_a_record_that_was_changed_by_hand_is_written_anew_and_that_is_said(orders: str, desk: Desk) -> None:
    text = desk.read("main", RECORD) or ""
    desk.commit({RECORD: text.replace("port: 80", "port: 9999").replace("version:", "was:")})
    desk.template({"new.txt": "port ${{ values.port }}\n"})
    assert desk.plan()["is_record_changed"]
    pull = desk.proposed()
    assert pull["conflicts"] == []
    assert f"`{RECORD}` was changed by hand" in pull["body"]
    record = desk.read(pull["head"], RECORD) or ""
    assert desk.state()["newest"] in record
    assert "9999" not in record
    assert desk.read(pull["head"], "new.txt") == "port 80\n"


def test_a_record_that_was_deleted_comes_back(orders: str, desk: Desk) -> None:
    desk.commit({RECORD: None})
    desk.template({"new.txt": "new\n"})
    pull = desk.proposed()
    assert pull["conflicts"] == []
    assert desk.state()["newest"] in (desk.read(pull["head"], RECORD) or "")


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_golden_path_that_is_gone_has_no_newer_version_and_the_old_render_is_still_made(
    orders: str, desk: Desk, is_listed: bool
) -> None:
    shutil.rmtree(desk.folder)
    platform = desk.server.platform
    if not is_listed:
        system = platform.system("test")
        platform.store.write(lambda tx: catalog.apply_entities(tx, system, [], "test-path", full=True))
    assert desk.state()["state"] == "unknown"
    for path in ("upgrades", "upgrades/plan", "services/decline"):
        answer = desk.client.post(f"{V1}/{path}", json={"subject": SUBJECT})
        assert answer.status_code == 409, answer.text
        assert "the golden path is gone" in answer.text
    with platform.store.read() as conn:
        service = repository.get_service(conn, SUBJECT)
    assert service is not None
    ctx = OpContext(platform, platform.system("test").principal, "test")
    made = render(ctx, platform.services["scaffolder"].renderer, orders, service.version, service.outputs)
    assert made["app.py"].content == MADE.encode()
    assert made[RECORD].content == (desk.read("main", RECORD) or "").encode()


def test_the_default_branch_may_have_any_name_and_be_protected(desk: Desk) -> None:
    desk.make(desk.template(FILES), branch="trunk")
    host = desk.server.platform.registry.get("pull_host", "git_local", PullHost)
    host.protect("orders", [BranchRule("trunk", required_approvals=1)], by="user:default/admin")
    desk.template({"new.txt": "new\n"})
    pull = desk.proposed()
    assert pull["base"] == "trunk"
    assert desk.read("trunk", "new.txt") is None
    refused = desk.client.post(f"/api/pulls/v1/pulls/orders/{pull['number']}/merge", json={})
    assert refused.status_code == 409, "an upgrade passes the gates that every change passes"


def test_secrets_are_neither_asked_again_nor_written(desk: Desk) -> None:
    secret = {"type": "string", "ui:field": "Secret"}
    form = {**FORM, "required": ["owner", "key"], "properties": {**FORM["properties"], "key": secret}}
    ref = desk.template(FILES, form)
    given = {"owner": "group:default/makers", "name": "orders"}
    made = desk.client.post(
        "/api/scaffolder/v2/tasks", json={"templateRef": ref, "values": given, "secrets": {"key": "s3cr3t"}}
    )
    assert desk.finished(made.json()["id"]).state == "succeeded"
    desk.template({"new.txt": "new\n"}, form)
    assert desk.plan()["questions"] == []
    pull = desk.proposed()
    record = desk.read(pull["head"], RECORD) or ""
    assert "key" not in record
    assert "***" not in record


def test_answers_to_questions_that_depend_on_others_are_kept(desk: Desk) -> None:
    asking = {"properties": {"port": {"const": 81}, "reason": {"type": "string"}}}
    more = {"oneOf": [asking, {"properties": {"port": {"const": 80}}}]}
    form = {**FORM, "dependencies": {"port": more}}
    desk.make(desk.template({**FILES, "why.txt": "${{ values.reason }}\n"}, form), port=81, reason="because")
    desk.template({"why.txt": "why: ${{ values.reason }}\n"}, form)
    assert desk.read(desk.proposed()["head"], "why.txt") == "why: because\n"
