"""Actions of the core and of the community, in runs against a real server."""

from __future__ import annotations

import http.server
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from factories.host import step_context
from factories.served import Served
from taxiway.core.operations import Feature
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.pulls.contrib import FEATURE as PULLS
from taxiway.features.scaffolder.actions.files import file_actions
from taxiway.features.scaffolder.actions.roadie import merge
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.rendering.pool import ENGINE
from taxiway.features.scaffolder.rendering.worker import load
from taxiway.kit.built import built_web
from taxiway.model.errors import InputError
from taxiway.model.run import Run
from taxiway.plugin import Forge, Identity

TASKS = "/api/scaffolder/v2/tasks"
LATER = "${{ context.task.id !== 'dry-run' }}"
"""A plan does not come to it."""
Try = Callable[..., dict[str, Any]]
Finish = Callable[..., Run]


@pytest.fixture
def features() -> list[Feature]:
    return [ACCESS, PULLS, CATALOG, SCAFFOLDER]


@pytest.fixture
def tried(server: Served) -> Try:
    """A dry run of some steps: {files: {path: text}, output, log}."""

    def run(steps: list[dict[str, Any]], output: Mapping[str, Any] | None = None, files: Mapping[str, str] = {}) -> Any:
        import base64

        document = {
            "apiVersion": "scaffolder.backstage.io/v1beta3",
            "kind": "Template",
            "metadata": {"name": "tried"},
            "spec": {"type": "service", "owner": "makers", "steps": steps, "output": output or {}},
        }
        contents = [{"path": p, "base64Content": base64.b64encode(t.encode()).decode()} for p, t in files.items()]
        body = {"template": document, "values": {}, "directoryContents": contents}
        with server.client(server.token("developer", "user:default/dev")) as client:
            answer = client.post("/api/scaffolder/v2/dry-run", json=body)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        found["files"] = {item["path"]: base64.b64decode(item["base64Content"]) for item in found["directoryContents"]}
        return found

    return run


@pytest.fixture
def ran(server: Served, add_template: Callable[..., str], finished: Callable[[str], Run]) -> Finish:
    """A finished run of some steps as `role`."""

    def run(steps: list[dict[str, Any]], role: str = "developer", secrets: Mapping[str, str] = {}, **files: str) -> Run:
        ref = add_template({"steps": steps, "output": {}}, files)
        with server.client(server.token(role, "user:default/dev")) as client:
            made = client.post(TASKS, json={"templateRef": ref, "values": {}, "secrets": dict(secrets)})
        assert made.status_code == 201, made.text
        return finished(made.json()["id"])

    return run


def step(action: str, name: str = "do", /, **values: Any) -> dict[str, Any]:
    return {"id": name, "action": action, "input": values}


def test_single_files_are_fetched_rendered_and_rendered_again(tried: Try) -> None:
    found = tried(
        [
            step("fetch:plain:file", "a", url="./plain.txt", targetPath="a/plain.txt"),
            step("fetch:template:file", "b", url="./t.txt", targetPath="b.txt", values={"x": "one"}),
            step("workspace:template", "c", sourcePath="a", targetPath="c", values={"x": 2}, copyWithoutTemplating=[]),
            step("workspace:template:file", "d", sourcePath="a/plain.txt", targetPath="d.txt", values={"x": "three"}),
        ],
        files={"plain.txt": "${{ values.x }}", "t.txt": "x: ${{ values.x }}"},
    )
    texts = {path: content.decode() for path, content in found["files"].items()}
    assert texts == {"a/plain.txt": "${{ values.x }}", "b.txt": "x: one", "c/plain.txt": "2", "d.txt": "three"}


def test_patterns_of_files_to_delete_stay_in_the_workspace(tmp_path: Path) -> None:
    renderer = Renderer(Identity(None, None))
    delete = next(action for action in file_actions(lambda: renderer) if action.key == "fs:delete")
    for pattern in ("/etc/*", "../*"):
        with pytest.raises(InputError, match="leaves the workspace"):
            delete.run(step_context(tmp_path), {"files": [pattern]})
    for name in ("a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    try:
        delete.run(step_context(tmp_path), {"files": ["**/e.txt", "?.txt", "**/nothing*"]})
    finally:
        renderer.close()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["c.txt", "f.md"]


def test_files_are_written_appended_merged_replaced_parsed_and_zipped(tried: Try) -> None:
    found = tried(
        [
            step("roadiehq:utils:fs:write", "w", path="a.yaml", content="list: [1]\nname: x\n"),
            step("roadiehq:utils:fs:append", "a", path="a.yaml", content="more: true\n"),
            step(
                "roadiehq:utils:merge", "m", path="a.yaml", content={"list": [2], "deep": {"er": 1}}, mergeArrays=True
            ),
            step("roadiehq:utils:json:merge", "j", path="b.json", content='{"b": "x-1 x-2"}'),
            step(
                "roadiehq:utils:fs:replace",
                "r",
                files=[{"file": "*.json", "find": "x-(\\d)", "replaceWith": "y$1", "matchRegex": True}],
            ),
            step("roadiehq:utils:fs:parse", "p", path="a.yaml", parser="yaml"),
            step("roadiehq:utils:serialize:json", "s", data={"b": 1, "a": {"a": 2, "c": 3}}, replacer=["a"]),
            step("roadiehq:utils:serialize:yaml", "y", data={"k": ["v"]}),
            step("roadiehq:utils:serialize:yaml", "t", data=[{"k": 1}, {"k": 2}], writeMulti=True),
            step("roadiehq:utils:fs:write", "f", path="c.yaml", content="${{ steps.t.output.serialized }}"),
            step(
                "roadiehq:utils:merge",
                "g",
                path="c.yaml",
                content="n: 3",
                useDocumentIncludingField={"key": "k", "value": "2"},
            ),
            step("roadiehq:utils:jsonata", "t1", data={"of": [{"n": "a"}, {"n": "b"}]}, expression="{'all': of.n}"),
            step("roadiehq:utils:jsonata", "t2", data={}, expression="nothing"),
            step("roadiehq:utils:jsonata:json:transform", "t3", path="b.json", expression="$ ~> |$|{'c': b & '!'}|"),
            step(
                "roadiehq:utils:jsonata:yaml:transform",
                "t4",
                path="a.yaml",
                expression="$sum(list)",
                **{"as": "object"},
            ),
            step("roadiehq:utils:jsonata:yaml:transform", "t5", path="a.yaml", expression="$[0].deep", loadAll=True),
            step("roadiehq:utils:zip", "z", path="b.json", outputPath="b.zip"),
            step("roadiehq:utils:sleep", "n", amount=3000),
        ],
        output={
            "parsed": "${{ steps.p.output.content }}",
            "json": "text: ${{ steps.s.output.serialized }}",
            "yaml": "${{ steps.y.output.serialized }}",
            "two": "${{ steps.t.output.serialized }}",
            "transformed": [f"${{{{ steps.t{number}.output }}}}" for number in range(1, 6)],
        },
    )
    assert found["output"]["parsed"] == {"list": [1, 2], "name": "x", "more": True, "deep": {"er": 1}}
    assert found["output"]["json"] == 'text: {"a":{"a":2}}'
    assert found["output"]["yaml"] == "k:\n- v\n"
    assert found["output"]["two"] == "k: 1\n---\nk: 2\n"
    assert found["files"]["c.yaml"] == b"k: 1\n---\nk: 2\nn: 3\n"
    results: list[Any] = [{"all": ["a", "b"]}, ..., '{"b":"y1 y2","c":"y1 y2!"}', 3, "er: 1\n"]
    assert found["output"]["transformed"] == [{} if one is ... else {"result": one} for one in results]
    assert json.loads(found["files"]["b.json"]) == {"b": "y1 y2"}
    with zipfile.ZipFile(io.BytesIO(found["files"]["b.zip"])) as archive:
        assert archive.namelist() == ["b.json"]


def test_a_folder_is_listed_with_its_files_and_folders(tried: Try) -> None:
    found = tried(
        [
            step("roadiehq:utils:fs:write", "w", path="a/b/c.txt", content="x"),
            step("roadiehq:utils:fs:write", "x", path="a/d.txt", content="x"),
            step("fs:readdir", "flat", paths=["a"]),
            step("fs:readdir", "deep", paths=["."], recursive=True),
        ],
        output={name: f"${{{{ steps.{name}.output }}}}" for name in ("flat", "deep")},
    )
    flat, deep = found["output"]["flat"], found["output"]["deep"]
    assert flat["files"] == [{"name": "d.txt", "path": "a/d.txt", "fullPath": "a/d.txt"}]
    assert [item["path"] for item in flat["folders"]] == ["a/b"]
    assert [item["path"] for item in deep["files"]] == ["a/d.txt", "a/b/c.txt"]
    assert [item["path"] for item in deep["folders"]] == ["a", "a/b"]


def test_lists_are_merged_by_position_unless_they_are_to_be_joined() -> None:
    assert merge({"a": [1, {"x": 1}]}, {"a": [2, {"y": 2}, 3]}) == {"a": [2, {"x": 1, "y": 2}, 3]}
    assert merge({"a": [1]}, {"a": [2]}, concat=True) == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("expression", "memory", "told"),
    [
        ("(1", 64, 'Expected ")" before end of expression'),
        ("($f := function($n){1 + $f($n)}; $f(1))", 512, "Stack overflow"),
        ("[1..1000000]", 64, "out of memory"),
        ("$error('no ' & a)", 64, "no b"),
    ],
)
def test_an_expression_that_cannot_be_evaluated_is_told_and_bounded(expression: str, memory: int, told: str) -> None:
    web = built_web()
    assert web is not None, "run `make web`"
    request = {"op": "jsonata", "expression": expression, "data": {"a": "b"}}
    assert told in json.loads(load(web / ENGINE, memory << 20)(json.dumps(request)))["error"]["message"]


def test_globs_cost_no_more_than_a_worker_and_stand_for_so_many_at_most() -> None:
    web = built_web()
    assert web is not None, "run `make web`"
    answer = load(web / ENGINE, 64 * 1024 * 1024)

    def ask(names: list[str], *patterns: str, dotfiles: bool = True) -> Any:
        request = {"op": "named", "names": names, "patterns": patterns, "dotfiles": dotfiles}
        return json.loads(answer(json.dumps(request)))

    assert ask(["a.b", "c/a.b", ".a.b", "x"], "*.{b,c}", "!.a.b", "@(x|y)")["value"] == [True, False, False, True]
    assert ask([".a.b", "a/.b/c"], "*.b", "**/c", dotfiles=False)["value"] == [False, False]
    assert "too many" in ask(["a"], "{1..9}{1..9}{1..9}{1..9}")["error"]["message"]


def test_a_pattern_that_never_ends_is_stopped(ran: Finish) -> None:
    text = "a" * 40 + "b"
    files = [{"file": "a.txt", "find": "(a+)+$", "replaceWith": "x", "matchRegex": True}]
    run = ran(
        [
            step("roadiehq:utils:fs:write", "w", path="a.txt", content=text),
            {**step("roadiehq:utils:fs:replace", "r", files=files), "if": LATER},
        ]
    )
    assert run.state == "failed"
    assert "took too long" in str(run.error) or "time" in str(run.error)


def test_entities_are_fetched_found_and_put_with_the_rights_of_the_caller(
    server: Served, ran: Finish, finished: Callable[[str], Run]
) -> None:
    thing = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": "thing"},
        "spec": {"type": "service", "lifecycle": "production", "owner": "makers"},
    }
    steps = [
        step("catalog:fetch", "f", entityRef="group:makers"),
        step("catalog:fetch", "many", entityRefs=["makers", "gone"], defaultKind="Group", optional=True),
        step("catalog:query", "q", filter="kind=user"),
        step("catalog:apply", "a", entity=thing),
        step("catalog:query", "after", filter=["kind=component"]),
    ]
    run = ran(steps, role="platform")
    assert run.state == "succeeded", run.error
    outputs = {one.id: one.output or {} for one in run.steps}
    assert outputs["f"]["entity"]["metadata"]["name"] == "makers"
    assert [item and item["kind"] for item in outputs["many"]["entities"]] == ["Group", None]
    assert outputs["q"]["entityRefs"] == ["user:default/dev"]
    assert outputs["after"]["entityRefs"] == ["component:default/thing"]
    with server.client(server.token("admin")) as client:
        client.post(f"/api/runs/v1/runs/{run.id}/undo")
        finished(run.id)
        assert client.get("/api/catalog/entities/by-name/component/default/thing").status_code == 404
    assert "may not" in str(ran(steps[3:4]).error)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with what it got."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        got = {"path": self.path, "body": body, "key": self.headers.get("idempotency-key")}
        self.server.got.append(got)
        text = json.dumps(got).encode()
        self.send_response(418 if "teapot" in self.path else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def echo() -> Iterator[Any]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def with_settings(server: Served, **scaffolder: Any) -> None:
    settings = server.platform.settings
    changed = settings.scaffolder.model_copy(update=scaffolder)
    update = {"scaffolder": changed, "public_url": server.url}
    server.platform.loaded = replace(server.platform.loaded, settings=settings.model_copy(update=update))


def test_requests_to_others_reach_named_hosts_only_and_a_dry_run_sends_nothing(
    server: Served, ran: Finish, echo: Any
) -> None:
    place = f"127.0.0.1:{echo.server_port}"
    post = step("http:request", url=f"http://{place}/x", method="POST", params={"q": "a b"}, body={"n": 1})
    assert "private network" in str(ran([post]).error)
    assert "private network" in str(ran([step("http:request", url="http://169.254.169.254/", method="POST")]).error)
    assert echo.got == []
    with_settings(server, http_hosts=(place,))
    told = step("notify", "tell", url=f"http://{place}/hook", title="Made", link="http://x")
    run = ran([post, told])
    assert run.state == "succeeded", run.error
    assert (run.steps[0].output or {})["body"]["path"] == "/x?q=a+b"
    assert echo.got[0]["body"] == '{"n": 1}'
    assert echo.got[0]["key"] == f"{run.id}/do"
    assert json.loads(echo.got[1]["body"])["text"] == "Made\nhttp://x"
    elsewhere = step("http:request", url=f"http://{place}/x", method="POST", headers={"Host": "inside.example"})
    assert "its own host" in str(ran([elsewhere]).error)
    assert len(echo.got) == 2
    bad = step("http:request", url=f"http://{place}/teapot", method="POST")
    assert "answered 418" in str(ran([bad]).error)
    bad["input"]["continueOnBadResponse"] = True
    assert (ran([bad]).steps[0].output or {})["code"] == 418


def test_requests_to_the_own_api_have_the_rights_of_the_caller(server: Served, ran: Finish) -> None:
    with_settings(server)
    get = step("http:backstage:request", path="/catalog/entities", method="GET", params={"filter": "kind=group"})
    run = ran([get])
    assert run.state == "succeeded", run.error
    output = run.steps[0].output or {}
    assert (output["code"], [item["kind"] for item in output["body"]]) == (200, ["Group"])
    push = step("http:backstage:request", path="/api/catalog/v1/push/x", method="POST", body="{}")
    assert "answered 403" in str(ran([push]).error)
    away = {**step("http:backstage:request", path="http://x/", method="POST"), "if": LATER}
    assert "no path of the API" in str(ran([away]).error)


def test_a_secret_is_kept_by_reference_and_forgotten_by_undo(
    server: Served, ran: Finish, finished: Callable[[str], Run]
) -> None:
    set_it = step("secret:set", name="token", value="${{ secrets.token }}")
    run = ran([set_it, step("debug:wait", "wait", milliseconds=50)], secrets={"token": "s3cr3t-value"})
    assert run.state == "succeeded", run.error
    reference = (run.steps[0].output or {})["reference"]
    assert server.platform.secrets.get(reference) == "s3cr3t-value"
    with server.client(server.token("admin")) as client:
        client.post(f"/api/runs/v1/runs/{run.id}/undo")
    finished(run.id)
    with pytest.raises(Exception, match="is gone"):
        server.platform.secrets.get(reference)


def test_a_pull_request_is_opened_merged_and_waited_for(server: Served, ran: Finish, tmp_path: Path) -> None:
    steps = [
        step("roadiehq:utils:fs:write", "w", path="a.txt", content="one"),
        step("publish:git", "publish", name="things"),
        step("roadiehq:utils:fs:write", "w2", path="b.txt", content="two"),
        step(
            "pull-request:create",
            "open",
            repository="${{ steps.publish.output.repository }}",
            branchName="more",
            title="More",
            filesToDelete=["a.txt"],
        ),
        step(
            "pull-request:merge",
            "merge",
            repository="things",
            number="${{ steps.open.output.pullRequestNumber }}",
        ),
        step("pull-request:wait", "wait", repository="things", number="${{ steps.open.output.pullRequestNumber }}"),
    ]
    run = ran(steps, role="platform")
    assert run.state == "succeeded", run.error
    forge: Forge = server.platform.registry.get("forge", "git_local")
    head = forge.resolve("things", "refs/heads/main")
    assert head is not None
    found = forge.list_files("things", head)
    assert "b.txt" in found
    assert "a.txt" not in found
    with server.client(server.token("admin")) as client:
        refused = client.post(f"/api/runs/v1/runs/{run.id}/undo")
    assert refused.status_code == 409
