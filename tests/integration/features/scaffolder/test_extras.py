"""Steps that wait, groups, careful loops, and golden paths inside of each other."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from factories.served import Served
from taxiway.features.catalog import service as catalog
from taxiway.model.errors import InputError
from taxiway.model.run import Created, Recovery, Run
from taxiway.plugin import SourcedEntity, StepContext

TASKS = "/api/scaffolder/v2/tasks"
RUNS = "/api/runs/v1/runs"
MAX = SourcedEntity(
    {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "User",
        "metadata": {"name": "max"},
        "spec": {"memberOf": ["makers"]},
    },
    "file:/people.yaml",
)
Start = Callable[..., str]


@dataclass
class Make:
    """An action that makes something, and says how many calls were under way at once."""

    key: str = "test:make"
    description: str = "Make something"
    input_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    output_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})
    recovery: Recovery = "idempotent"
    supports_dry_run: bool = True
    made: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    together: threading.Barrier | None = None
    refuses: set[str] = field(default_factory=set)

    def run(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if ctx.is_dry_run:
            return {"name": values.get("name")}
        if self.together is not None:
            self.together.wait(10)
        if values["name"] in self.refuses:
            raise InputError(f"{values['name']} is refused")
        ctx.created("thing", values["name"], {"key": ctx.idempotency_key})
        self.made.append(values["name"])
        return {"name": values.get("name")}

    def probe(self, ctx: StepContext, values: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return None

    def undo(self, ctx: StepContext, created: Sequence[Created]) -> None:
        assert all(set(item.data) == {"key"} for item in created)
        self.taken_back += [item.name for item in reversed(created)]


@pytest.fixture
def make(server: Served) -> Make:
    action = Make()
    server.platform.registry.add("action", action, "test")
    return action


@pytest.fixture
def start(server: Served, add_template: Callable[..., str]) -> Start:
    """Starts a run of a template with these steps as user:default/dev; returns its id."""

    def run(steps: list[dict[str, Any]], **values: Any) -> str:
        ref = add_template({"steps": steps, "output": {}})
        with server.client(server.token("developer", "user:default/dev")) as client:
            made = client.post(TASKS, json={"templateRef": ref, "values": values})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    return run


def until(server: Served, run_id: str, state: str) -> Run:
    deadline = time.monotonic() + 20
    while (run := server.platform.runs.get(run_id)).state != state:
        assert time.monotonic() < deadline, f"the run is {run.state}: {run.error}"
        time.sleep(0.01)
    return run


@contextmanager
def many_that_wait(server: Served, path: str) -> Iterator[list[socket.socket]]:
    """More clients than the server has threads, which ask for what is not there yet."""
    where, token = urlsplit(server.url), server.token("viewer")
    head = f"GET {path}?after=1000000 HTTP/1.1\r\nhost: {where.netloc}\r\nauthorization: Bearer {token}\r\n\r\n"
    with ExitStack() as opened:
        clients = [
            opened.enter_context(socket.create_connection((where.hostname, where.port or 0), 10)) for _ in range(45)
        ]
        for one in clients:
            one.sendall(head.encode())
        yield clients


def _whole(client: socket.socket) -> bytes:
    # The head of an answer may come before its body.
    found = client.recv(100_000)
    while not found.endswith(b"]") and (more := client.recv(100_000)):
        found += more
    return found


ASKED = {"id": "make", "action": "test:make", "input": {"name": "a"}}


def test_an_approval_is_another_persons_and_only_of_those_who_are_asked(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    gate = {"taxiway:approval": {"message": "Make ${{ parameters.what }}?", "from": ["makers"]}}
    run_id = start([{**ASKED, **gate}], what="it")
    assert until(server, run_id, "waiting").waiting_for == f"approval:{run_id}:make"
    assert make.made == []
    own, other = server.token("platform", "user:default/dev"), server.token("platform", "user:default/kim")
    with server.client(own) as client:
        assert client.post(f"{RUNS}/{run_id}/approvals", json={}).status_code == 403
    with server.client(other) as client:
        refused = client.post(f"{RUNS}/{run_id}/approvals", json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "run.not_an_approver")
        lines = client.get(f"{RUNS}/{run_id}/logs").json()["items"]
        assert "Make it? (to be decided by group:default/makers)" in [line["text"] for line in lines]
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, [MAX], "people", full=True))
    maker = server.token("developer", "user:default/max")
    for token, inbox in ((own, []), (other, []), (maker, ["Make it?"])):
        with server.client(token) as client:
            items = client.get("/api/runs/v1/approvals").json()["items"]
            assert [item["message"] for item in items] == inbox
    with server.client(maker) as client:
        assert "approve" in client.get(f"{RUNS}/{run_id}").json()["actions"]
        assert client.post(f"{RUNS}/{run_id}/approvals", json={}).status_code == 202
    assert finished(run_id).state == "succeeded"
    assert make.made == ["a"]


def test_a_signal_brings_its_data_and_only_what_is_waited_for_is_taken(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    last = {"id": "log", "action": "test:make", "input": {"name": "${{ steps.make.output.signal.ticket }}"}}
    run_id = start([{**ASKED, "taxiway:wait": {"signal": "ticket-closed", "timeoutSeconds": 60}}, last])
    until(server, run_id, "waiting")
    with server.client(server.token("admin")) as client, many_that_wait(server, f"{TASKS}/{run_id}/events") as waiting:
        assert client.post(f"{RUNS}/{run_id}/signals/other", json={}).status_code == 409, "they keep nobody waiting"
        sent = client.post(f"{RUNS}/{run_id}/signals/ticket-closed", json={"data": {"ticket": "T-1"}})
        assert sent.status_code == 202, sent.text
        assert finished(run_id).state == "succeeded"
        assert all(b"completion" in _whole(one) for one in waiting), "each hears of it"
        assert client.get(f"{TASKS}/{run_id}/events", params={"after": 2_000_000_000}).json() == []
    assert make.made == ["a", "T-1"]


def test_a_timer_holds_no_thread_and_a_signal_that_does_not_come_fails_the_step(
    make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    waits = {**ASKED, "taxiway:wait": {"seconds": "${{ 0.2 }}"}}
    late = {"id": "late", "action": "test:make", "input": {"name": "b"}}
    run = finished(start([waits, {**late, "taxiway:wait": {"signal": "never", "timeoutSeconds": 0.1}}]))
    assert (run.state, make.made) == ("failed", ["a"])
    assert "the signal 'never' did not come within 0.1 s" in str(run.error)


def test_steps_of_a_group_are_done_at_the_same_time_and_taken_back_by_their_own_actions(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    make.together = threading.Barrier(2)
    inner = [{"id": name, "action": "test:make", "input": {"name": name}} for name in ("left", "right")]
    inner.append({"id": "none", "if": "${{ false }}", "action": "test:make", "input": {"name": "none"}})
    group = {"id": "both", "action": "taxiway:parallel", "taxiway:steps": inner}
    make_after = {"id": "after", "action": "debug:log", "input": {"message": "${{ steps.both.output.left.name }}"}}
    run_id = start([group, make_after])
    run = finished(run_id)
    assert run.state == "succeeded", run.error
    assert run.steps[0].output == {"left": {"name": "left"}, "right": {"name": "right"}, "none": None}
    assert len({item.data["key"] for item in run.steps[0].created}) == 2
    with server.client(server.token("admin")) as client:
        assert client.post(f"{RUNS}/{run_id}/undo").status_code == 202
    until(server, run_id, "undone")
    assert sorted(make.taken_back) == ["left", "right"]


def test_a_canary_that_fails_keeps_the_others_from_beginning_and_what_was_done_is_not_done_again(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    make.refuses = {"b"}
    loop = {"each": ["a", "b", "c", "d"], "taxiway:foreach": {"canary": 2, "parallel": 2}}
    run_id = start([{**ASKED, **loop, "input": {"name": "${{ each.value }}"}}])
    run = finished(run_id)
    assert (run.state, make.made) == ("failed", ["a"])
    make.refuses = set()
    make.together = None
    with server.client(server.token("admin")) as client:
        assert client.post(f"{RUNS}/{run_id}/retry").status_code == 202
    run = until(server, run_id, "succeeded")
    assert run.steps[0].output == {"name": ["a", "b", "c", "d"]}
    assert sorted(make.made) == ["a", "b", "c", "d"]


def test_the_turns_behind_the_canaries_wait_for_an_approval(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    loop = {"each": ["a", "b", "c"], "taxiway:foreach": {"canary": 1, "approve": True}}
    run_id = start([{**ASKED, **loop, "input": {"name": "${{ each.value }}"}}])
    until(server, run_id, "waiting")
    assert make.made == ["a"]
    with server.client(server.token("admin")) as client:
        assert client.post(f"{RUNS}/{run_id}/approvals", json={}).status_code == 202
    assert finished(run_id).state == "succeeded"
    assert make.made == ["a", "b", "c"]


def test_a_golden_path_inside_of_another_gives_its_outputs_and_is_undone_with_it(
    server: Served, make: Make, add_template: Callable[..., str], start: Start, finished: Callable[[str], Run]
) -> None:
    spec = {
        "parameters": {"required": ["name"], "properties": {"name": {"type": "string"}}},
        "steps": [{"id": "make", "action": "test:make", "input": {"name": "${{ parameters.name }}"}}],
        "output": {"made": "${{ steps.make.output.name }}"},
    }
    add_template(spec, name="inner")
    outer = {"id": "sub", "action": "taxiway:template"}
    values = {"template": "inner", "values": {"name": "${{ parameters.name }}"}}
    last = {"id": "last", "action": "debug:log", "input": {"message": "${{ steps.sub.output.steps.make.name }}"}}
    run_id = start([{**outer, "input": values}, last], name="x")
    run = finished(run_id)
    assert run.state == "succeeded", run.error
    assert (run.steps[0].output or {})["output"] == {"made": "x"}
    with server.client(server.token("admin")) as client:
        assert client.post(f"{RUNS}/{run_id}/undo").status_code == 202
    until(server, run_id, "undone")
    assert make.taken_back == ["x"]


def test_a_golden_path_that_runs_itself_ends(
    server: Served, add_template: Callable[..., str], start: Start, finished: Callable[[str], Run]
) -> None:
    again = {"id": "again", "action": "taxiway:template", "input": {"template": "path"}}
    run = finished(start([{**again, "if": "${{ context.task.id !== 'dry-run' }}"}]))
    assert run.state == "failed"
    assert "may be 5 deep" in str(run.error)
    ref = add_template({"steps": [again], "output": {}})
    with server.client(server.token("developer", "user:default/dev")) as client:
        refused = client.post(TASKS, json={"templateRef": ref, "values": {}})
    assert (refused.status_code, "may be 5 deep" in refused.text) == (403, True), "its plan says so before"


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"taxiway:aproval": {}}, "did you mean 'taxiway:approval'?"),
        ({"taxiway:wait": {"seconds": -1}}, "/taxiway:wait"),
        ({"taxiway:foreach": {"canary": 1}}, "needs `each`"),
        ({"taxiway:steps": [{"action": "debug:log"}]}, "belong together"),
    ],
)
def test_prefixed_keys_are_checked_before_anything_runs(
    server: Served, make: Make, add_template: Callable[..., str], keys: Mapping[str, Any], told: str
) -> None:
    ref = add_template({"steps": [{**ASKED, **keys}]})
    with server.client(server.token("developer", "user:default/dev")) as client:
        refused = client.post("/api/scaffolder/v1/plans", json={"template_ref": ref})
    assert refused.status_code == 422
    assert told in refused.text


def test_steps_of_a_group_wait_each_for_its_own(
    server: Served, make: Make, start: Start, finished: Callable[[str], Run]
) -> None:
    inner = [
        {"id": "a", "action": "test:make", "input": {"name": "a"}, "taxiway:wait": {"seconds": 0.3}},
        {"id": "b", "action": "test:make", "input": {"name": "b"}, "taxiway:wait": {"signal": "go"}},
        {"id": "c", "action": "test:make", "input": {"name": "c"}, "taxiway:approval": {"message": "Make c?"}},
        {"id": "d", "action": "test:make", "input": {"name": "d"}, "taxiway:approval": {"from": ["makers"]}},
        {"id": "e", "action": "test:make", "input": {"name": "e"}},
    ]
    run_id = start([{"id": "all", "action": "taxiway:parallel", "taxiway:steps": inner}])
    kim, maker = server.token("platform", "user:default/kim"), server.token("platform", "user:default/max")
    ctx = server.platform.system("test")
    server.platform.store.write(lambda tx: catalog.apply_entities(tx, ctx, [MAX], "people", full=True))
    deadline, asked = time.monotonic() + 20, set()
    while (run := server.platform.runs.get(run_id)).state != "succeeded":
        assert time.monotonic() < deadline, (run.state, run.waiting_for, run.error)
        if (run.waiting_for or "").startswith("signal:"):
            with server.client(kim) as client:
                client.post(f"{RUNS}/{run_id}/signals/go", json={"data": {"by": "kim"}})
        for token in (kim, maker) if (run.waiting_for or "").startswith("approval:") else ():
            with server.client(token) as client:
                items = client.get("/api/runs/v1/approvals").json()["items"]
                asked |= {(item["message"], tuple(item["approvers"])) for item in items}
                if items:  # what was not seen is not decided
                    client.post(f"{RUNS}/{run_id}/approvals", json={})
        time.sleep(0.02)
    makers = ("group:default/makers",)
    assert asked == {("Make c?", ()), ("The step waits for an approval", makers)}
    output = run.steps[0].output or {}
    assert {name: one["name"] for name, one in output.items()} == {name: name for name in "abcde"}
    assert output["b"]["signal"] == {"by": "kim"}
    assert sorted(make.made) == list("abcde"), "none is done twice"


def test_turns_of_a_loop_wait_one_after_the_other(server: Served, start: Start, finished: Callable[[str], Run]) -> None:
    turns = {"each": [0.1, 0.2], "taxiway:foreach": {"parallel": 2}}
    run_id = start([{"id": "waits", "action": "debug:wait", "input": {"seconds": "${{ each.value }}"}, **turns}])
    run = finished(run_id)
    assert run.state == "succeeded", run.error


def test_a_plan_shows_the_files_and_names_of_a_path_inside(server: Served, add_template: Callable[..., str]) -> None:
    inside = [
        {"action": "fetch:plain", "input": {"url": "./files"}},
        {"id": "publish", "action": "publish:git", "input": {"name": "${{ parameters.name }}"}},
    ]
    output = {"where": "${{ steps.publish.output.repository }}"}
    inner = add_template({"steps": inside, "output": output}, {"files/a.txt": "one"}, "inner")
    call = {"template": inner, "values": {"name": "made-inside"}}
    told = {"action": "debug:log", "input": {"message": "at ${{ steps.run.output.output.where }}"}}
    outer = add_template({"steps": [{"id": "run", "action": "taxiway:template", "input": call}, told]}, {}, "outer")
    with server.client(server.token("developer", "user:default/dev")) as client:
        plan = client.post("/api/scaffolder/v1/plans", json={"template_ref": outer, "values": {}}).json()
    assert sorted(item["path"] for item in plan["files"]) == ["run/.taxiway/scaffold.yaml", "run/a.txt"]
    assert {"kind": "repository", "name": "made-inside", "taken": False} in plan["names"]
    assert "at made-inside" in [line["text"] for line in plan["log"]]
