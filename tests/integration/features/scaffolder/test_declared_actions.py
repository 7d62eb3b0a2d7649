"""Actions that are entities, and commands: what they do, who may, and what hostile ones come to."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from factories.other_system import Asked, OtherSystem, Reply, other_system
from factories.scaffolding import Desk, desk, entity

TOKEN = "tok-very-secret-1"


@pytest.fixture(scope="module")
def tickets() -> Iterator[OtherSystem]:
    """A system that opens tickets, and answers with everything that it was told."""

    def respond(asked: Asked) -> Reply:
        if asked.method == "DELETE":
            return Reply(b"", 204)
        told = {"id": 7, "path": asked.path, "body": asked.body.decode(), "seen": asked.headers.get("authorization")}
        body: Any = b"x" * 2_000_000 if "/large" in asked.path else told
        return Reply(body, 418 if "/teapot" in asked.path else 200, {"content-type": "application/json"})

    with other_system(respond) as running:
        yield running


@pytest.fixture(scope="module")
def at(tickets: OtherSystem) -> Iterator[Desk]:
    limits = {"command_seconds": 5, "command_folder_bytes": 4 * 1024**2, "http_hosts": [tickets.host]}
    with desk(scaffolder=limits) as there:
        there.served.platform.secrets.put("tickets", TOKEN)
        assert there.apply(*declared(tickets.url)) == []
        yield there


def declared(url: str) -> list[dict[str, Any]]:
    text = {"type": "string"}
    opening = {
        "method": "POST",
        "url": url + "/projects/${{ input.project }}/tickets",
        "query": {"lang": "en"},
        "headers": {"Authorization": "Bearer ${{ secrets.token }}"},
        "body": {"title": "${{ input.title }}"},
        "outputs": {
            "id": "${{ response.body.id }}",
            "seen": "${{ response.body.seen }}",
            "path": "${{ response.body.path }}",
        },
        "undo": {
            "method": "DELETE",
            "url": url + "/tickets/${{ output.id }}",
            "headers": {"Authorization": "Bearer ${{ secrets.token }}"},
        },
    }
    ticket = {
        "id": "tickets:open",
        "owner": "makers",
        "secrets": {"token": "secret://secrets_local/tickets"},
        "input": {"required": ["project"], "properties": {"project": text, "title": text}},
        "output": {"required": ["id"], "properties": {"id": {"type": "integer"}, "seen": text, "path": text}},
        "http": opening,
    }
    wrong = {**ticket, "id": "tickets:wrong", "http": {**opening, "outputs": {"id": "none"}}}
    large = {**ticket, "id": "tickets:large", "http": {"method": "GET", "url": url + "/large", "responseBytes": 1000}}
    closed = {**ticket, "id": "tickets:closed", "allowed": ["group:default/chiefs"]}
    inside = {**ticket, "id": "tickets:inside", "http": {"method": "GET", "url": "http://169.254.169.254/latest"}}
    return [
        entity("Action", "ticket-open", ticket, description="Open a ticket"),
        *(entity("Action", one["id"].replace(":", "-"), one) for one in (wrong, large, closed, inside)),
        entity("Action", "count", COUNT),
    ]


SCRIPT = """\
#!/usr/bin/env python3
import json, os
given = json.load(open(".action/input.json"))["input"]
with open(os.environ["TAXIWAY_OUTPUT"], "w") as file:
    file.write(f"double={given['number'] * 2}\\ntext<<END\\na\\nb\\nEND\\nuid={os.getuid()}\\nnames=")
    file.write(",".join(sorted(name for name in os.environ if name.startswith(("TAXIWAY_", "AWS")))))
"""
COUNT = {
    "id": "count",
    "owner": "makers",
    "input": {"required": ["number"], "properties": {"number": {"type": "integer"}}},
    "output": {"properties": {"double": {"type": "string"}, "text": {"type": "string"}, "uid": {}, "names": {}}},
    "command": {"arguments": ["./.action/count.py"], "files": {"count.py": SCRIPT}},
}


def step(action: str, /, **values: Any) -> dict[str, Any]:
    return {"id": "do", "action": action, "input": values}


def sh(script: str, /, **values: Any) -> dict[str, Any]:
    return step("command", arguments=["sh", "-c", script], **values)


def test_a_declared_call_is_listed_sent_and_taken_back(at: Desk, tickets: OtherSystem) -> None:
    with at.client() as client:
        listed = {one["id"]: one for one in client.get("/api/scaffolder/v2/actions").json()}
    assert listed["tickets:open"]["description"] == "Open a ticket"
    assert set(listed["tickets:open"]["schema"]["input"]["properties"]) == {"project", "title"}
    tickets.asked.clear()
    title = "${{ secrets.token }}"
    run = at.run([{**step("tickets:open", project="a/../b", title="{% raw %}" + title + "{% endraw %}")}])
    assert run.state == "succeeded", run.error
    (asked,) = tickets.asked
    assert (asked.method, asked.path) == ("POST", "/projects/a%2F..%2Fb/tickets?lang=en")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["idempotency-key"] == f"{run.id}/do"
    assert json.loads(asked.body) == {"title": title}, "what a template gives is no expression"
    assert run.steps[0].output == {"id": 7, "seen": "Bearer ********", "path": asked.path}
    assert TOKEN not in at.log(run.id) + str(run.steps[0].created)
    assert at.undo(run.id).state == "undone"
    assert (tickets.asked[-1].method, tickets.asked[-1].path) == ("DELETE", "/tickets/7")
    assert tickets.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_plan_does_not_send_what_changes_something(at: Desk, tickets: OtherSystem) -> None:
    steps = [
        step("tickets:open", project="p"),
        {"action": "debug:log", "input": {"message": "id ${{ steps.do.output.id }}"}},
    ]
    tickets.asked.clear()
    with at.client() as client:
        body = {"template_ref": at.template({"steps": steps}), "values": {}}
        plan = client.post("/api/scaffolder/v1/plans", json=body).json()
    assert tickets.asked == []
    assert [line["text"] for line in plan["log"]] == ["tickets:open is not tried in a dry run", "id 0"]


@pytest.mark.parametrize(
    ("action", "values", "said"),
    [
        ("tickets:open", {"project": ".."}, "is no part of a path"),
        ("tickets:open", {}, '"project" is a required property'),
        ("tickets:wrong", {"project": "p"}, "gave outputs that its schema refuses, /id"),
        ("tickets:large", {"project": "p"}, "is larger than 1000 bytes"),
        ("tickets:inside", {"project": "p"}, "private network"),
    ],
)
def test_what_a_call_may_not_do_is_refused(at: Desk, action: str, values: dict[str, Any], said: str) -> None:
    later = {"if": "${{ context.task.id !== 'dry-run' }}"}
    assert said in str(at.run([{**step(action, **values), **later}]).error)


def test_only_those_may_use_an_action_whom_it_is_left_to(at: Desk) -> None:
    ref = at.template({"steps": [step("tickets:closed", project="p")]})
    refused = at.post(ref)
    assert refused.status_code == 403, refused.text
    assert "It is left to group:default/chiefs" in refused.text
    assert at.post(ref, role="platform").status_code == 201


def test_an_action_comes_from_trusted_places_only_and_in_its_form(at: Desk) -> None:
    place = at.templates / "catalog-info.yaml"
    place.write_text(json.dumps(entity("Action", "sneaked", {**COUNT, "id": "sneaked"})))
    registrar = at.served.token("admin", scopes=["catalog.location.create"])
    with at.served.client(registrar) as client:
        made = client.post("/api/catalog/locations", json={"type": "file", "target": str(place)})
    assert made.status_code < 300, made.text
    with at.client("admin") as client:
        problems = client.get("/api/catalog/v1/problems", params={"code": "untrusted"}).json()["items"]
        listed = {one["id"] for one in client.get("/api/scaffolder/v2/actions").json()}
    assert [problem["ref"] for problem in problems] == ["action:default/sneaked"]
    assert "sneaked" not in listed
    loose = {**COUNT, "command": None, "http": {"method": "GET", "url": "http://${{ input.host }}/"}}
    del loose["command"]
    assert at.apply(entity("Action", "loose", loose)) != []
    for name in ("../../x", "a/../../x", "/x", ".."):
        command = {"arguments": ["true"], "files": {name: "x"}}
        assert at.apply(entity("Action", "climbs", {**COUNT, "command": command})) != []
    assert at.apply(entity("Action", "no-schema", {**COUNT, "input": {"type": "thing"}})) != []


def test_a_declared_command_reads_its_input_and_gives_its_outputs(at: Desk) -> None:
    run = at.run([step("count", number=21)])
    assert run.state == "succeeded", run.error
    output = dict(run.steps[0].output or {})
    uid = output.pop("uid")
    assert output == {"double": "42", "text": "a\nb", "names": "TAXIWAY_COMMAND_ID,TAXIWAY_OUTPUT,TAXIWAY_RUN_ID"}
    assert (uid != "0") or os.geteuid() != 0


def test_a_command_works_on_the_files_of_the_workspace(at: Desk) -> None:
    write = {"id": "write", "action": "roadiehq:utils:fs:write", "input": {"path": "a.txt", "content": "one"}}
    script = "cat a.txt; echo two > b.txt; rm a.txt; echo said >&2; mkdir -p c; echo '#!' > c/run; chmod +x c/run"
    run = at.run(
        [write, sh(script), {"id": "see", "action": "fs:readdir", "input": {"paths": ["."], "recursive": True}}]
    )
    assert run.state == "succeeded", run.error
    assert sorted(one["fullPath"] for one in (run.steps[2].output or {})["files"]) == ["b.txt", "c/run"]
    assert {"one", "said", "3 files changed"} <= set(at.log(run.id).splitlines())


def test_outputs_may_be_printed_as_json(at: Desk) -> None:
    run = at.run([sh("""echo '{"a": [1, 2]}'; echo more >&2""", outputs="stdout")])
    assert (run.steps[0].output or {}) == {"outputs": {"a": [1, 2]}}
    assert "is no JSON" in str(at.run([sh("echo no", outputs="stdout")]).error)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("while :; do :; done", "took longer than 1 s, its limit"),
        ("yes", "printed more than 4194304 bytes, its limit"),
        ("head -c 10000000000 /dev/zero > big", "its limit"),
        ("for i in 1 2 3 4 5; do head -c 2000000 /dev/zero > $i; done; sleep 5", "wrote more than 4 MiB"),
        ("python3 -c 'x = bytearray(10 ** 10)'", "exit code 1"),
        ("ln -s /etc/passwd here", "no plain file"),
        ("mkfifo pipe", "no plain file"),
        ("ln -sf /etc/passwd $TAXIWAY_OUTPUT", "no plain file"),
        ("echo x > one; ln one two", "second name of another file"),
        ("kill -9 $$", "was ended by signal 9"),
        ("echo 'it is broken' >&2; exit 3", "ended with exit code 3: it is broken"),
    ],
)
def test_a_command_that_takes_too_much_or_leaves_its_folder_is_ended(at: Desk, script: str, said: str) -> None:
    assert said in str(at.run([sh(script, timeoutSeconds=1 if ":;" in script else 4)]).error)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"arguments": ["../../../bin/sh"]}, "leaves the workspace"),
        ({"arguments": ["/bin/sh", "-c", "true"]}, "leaves the workspace"),
        ({"arguments": ["true"], "workingDirectory": "../.."}, "leaves the workspace"),
        ({"arguments": ["no-such-program"]}, "there is no program 'no-such-program'"),
    ],
)
def test_a_command_begins_inside_of_the_workspace(at: Desk, values: dict[str, Any], said: str) -> None:
    assert said in str(at.run([step("command", **values)]).error)


def command_lines() -> Iterator[str]:
    """Of every process that is there while it is looked at."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                yield (entry / "cmdline").read_text()


def test_the_variables_of_a_command_are_not_those_of_what_starts_it(at: Desk) -> None:
    run = at.run([step("command", arguments=["true"], environment={"LD_PRELOAD": "./mine.so"})])
    assert run.state == "succeeded", run.error
    assert at.log(run.id).count("cannot be preloaded") == 1, "only the program itself is to load it, not its parent"


def test_nothing_of_a_command_goes_on_behind_it_and_it_sees_no_file_of_ours(at: Desk) -> None:
    data = at.served.platform.settings.data.resolve()
    run = at.run([sh(f"setsid sleep 87.5 & cat {data}/taxiway.db {data}/keys/*/* 2>&1 | head -c 300")])
    assert run.state == "succeeded", run.error
    if os.geteuid() == 0:
        assert "taxiway.db: Permission denied" in at.log(run.id)
    assert not [line for line in command_lines() if "87.5" in line]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo $KEY > file.txt", "wrote a secret into 'file.txt'"),
        ('echo "key=$KEY" > $TAXIWAY_OUTPUT', "gave a secret as its output 'key'"),
        ("echo the key is $KEY", ""),
    ],
)
def test_a_secret_that_a_command_echoes_stays_here(at: Desk, script: str, said: str) -> None:
    run = at.run([sh(script, environment={"KEY": "${{ secrets.key }}"})], secrets={"key": TOKEN})
    assert said in str(run.error)
    assert TOKEN not in at.log(run.id) + str(run.steps[0])
    assert said or "the key is ********" in at.log(run.id)


def test_a_file_with_a_secret_is_not_published(at: Desk) -> None:
    write = {"path": "a.env", "content": "KEY=${{ secrets.key }}"}
    steps = [{"action": "roadiehq:utils:fs:write", "input": write}, step("publish:git", name="leaky")]
    run = at.run(steps, secrets={"key": TOKEN})
    assert "'a.env' holds a secret, so nothing is published" in str(run.error)
