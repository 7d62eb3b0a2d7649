"""Templates of the wild and expressions, with what the engines of Backstage made of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from factories.served import served
from taxiway.core.registry import Registry
from taxiway.features.access.contrib import FEATURE as ACCESS
from taxiway.features.catalog.contrib import FEATURE as CATALOG
from taxiway.features.catalog.service import apply_entities, prune_source
from taxiway.features.scaffolder.actions.fetch import render_folder
from taxiway.features.scaffolder.contrib import FEATURE as SCAFFOLDER
from taxiway.features.scaffolder.execution import render_output
from taxiway.features.scaffolder.model import parse_template
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.rendering.pool import ENGINE, RenderError
from taxiway.features.scaffolder.rendering.worker import Answer, load
from taxiway.features.scaffolder.steps import run_step
from taxiway.kit.built import built_web
from taxiway.kit.yaml12 import load_all
from taxiway.model.access import NOBODY
from taxiway.model.errors import InputError
from taxiway.plugin import Action, Identity, SourcedEntity, StepContext
from taxiway.plugin.actions import FunctionAction

FOLDER = Path(__file__).parents[3] / "shared" / "oracles" / "backstage-templates"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "move-from-backstage.md"
FORGES = [
    EntryPoint(name, f"taxiway.plugins.{name}:PLUGIN", "taxiway.plugins")
    for name in ("azure", "bitbucket", "gitea", "github", "gitlab")
]
COMPLETE = 28
"""How many of the templates can run: the number may only rise."""
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no oracle data at {FOLDER}")


@pytest.fixture(scope="module")
def engine() -> Answer:
    web = built_web()
    assert web is not None, "run `make web`"
    return load(web / ENGINE, 256 * 1024 * 1024)


def outcome(engine: Answer, vector: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """What we make of a vector, in the oracle's words."""
    options = dict(vector.get("options") or {})
    if vector["kind"] == "cookiecutter":
        options["cookiecutterCompat"] = True
    request: dict[str, Any] = {"context": context, "options": options, "most": 10**7}
    if vector["mode"] == "value":
        # Inside an object, so that a value that is left out can be told from null.
        answer = json.loads(engine(json.dumps({**request, "op": "value", "value": {"x": vector["template"]}})))
        if "error" in answer:
            return {"error": True}
        return {"value": answer["value"]["x"]} if "x" in answer["value"] else {"undefined": True}
    answer = json.loads(engine(json.dumps({**request, "op": "files", "files": [["x", vector["template"]]]})))
    return {"error": True} if "error" in answer else {"value": answer["value"][0][1]}


def test_expressions(engine: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    values = json.loads((FOLDER / "expressions-context.json").read_text())
    contexts = {"cookiecutter": {"cookiecutter": values}}
    ordinary = {**values, "parameters": values}
    wrong = []
    lines = (FOLDER / "expressions.jsonl").read_text().splitlines()
    for line in lines:
        vector = json.loads(line)
        found = outcome(engine, vector, contexts.get(vector["kind"], ordinary))
        if found not in (vector["result"], vector.get("nunjucks")):
            wrong.append(f"{vector['template']!r}: {found}, not {vector['result']}")
    with capsys.disabled():
        print(f"\nexpressions: {len(lines) - len(wrong)} of {len(lines)}")
    assert not wrong, wrong[:20]


REFUSED = {"roadiehq--entities-templates-template-jsonata": "a step's id is null, which Backstage's schema refuses"}
CASES = sorted(path.name for path in (FOLDER / "cases").glob("*")) if FOLDER.is_dir() else []


class InProcess(Renderer):
    """The renderer without its process."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(Identity(None, None), lenient=True)
        self.answer = answer

    def _ask(self, request: Mapping[str, Any]) -> Any:
        found = json.loads(self.answer(json.dumps(request)))
        if "error" in found:
            raise RenderError(found["error"]["message"])
        return found["value"]


class AnyAction(FunctionAction):
    """Whatever a template asks for: its input is looked at, and what it does is up to the test."""


class Everything(Registry):
    """Has every action."""

    def get(self, point: str, key: str, expected: type[Any]) -> Any:
        return AnyAction(key, "", lambda ctx, values: {})


def context(workspace: Path) -> StepContext:
    def refuse(*_: Any) -> Any:
        raise AssertionError("no step waits here")

    return StepContext(
        run_id="r", step_id="s", attempt=1, idempotency_key="k", principal=NOBODY, workspace=workspace,
        is_dry_run=True, cancelled=threading.Event(), log=lambda text, stream="stdout": None,
        created=lambda kind, name, data: None, checkpoint=lambda key, compute: compute(), wait_for_run=refuse,
        wait_for=refuse, resolve_secret=refuse,
    )  # fmt: skip


@dataclass
class Tally:
    inputs: list[bool] = field(default_factory=list)
    files: list[bool] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: list[bool], found: Any, expected: Any, where: str) -> None:
        kind.append(found == expected)
        if found != expected:
            self.wrong.append(f"{where}: {str(found)[:300]}, not {str(expected)[:300]}")


def run_variant(case: Path, name: str, renderer: InProcess, tally: Tally, scratch: Path) -> None:
    expected = json.loads((case / "expected.json").read_text())
    given = json.loads((case / "parameters.json").read_text())
    (document,) = [item.value for item in load_all((case / "template.yaml").read_text()) if item.value is not None][
        expected["origin"]["document"] :
    ][:1]
    template = parse_template(document, "template:default/x", "", "")
    variant, outputs = expected["variants"][name], {}
    expressions = {
        "parameters": given["variants"][name]["parameters"],
        "steps": outputs,
        "user": given["user"],
        "context": given["context"],
        "environment": {"parameters": given["environment"]["parameters"]},
    }
    secrets = given["variants"][name]["secrets"]
    for step, wanted in zip(template.steps, variant["steps"], strict=True):
        where = f"{case.name} {name} {step.id}"
        seen: list[Mapping[str, Any]] = []

        def call(action: Any, ctx: StepContext, values: Any, seen: list[Any] = seen) -> Any:
            seen.append(values)
            return {}

        definition = {"action": step.action, "input": step.input, "if": step.condition, "each": step.each}
        outputs[step.id] = {"output": wanted.get("output", {})}
        if "error" in wanted:
            with pytest.raises(InputError):
                run_step(Everything(), renderer, definition, expressions, secrets, context(scratch), call=call)
            continue
        output = run_step(Everything(), renderer, definition, expressions, secrets, context(scratch), call=call)
        if wanted.get("skipped"):
            tally.note(tally.inputs, output, None, where)
            continue
        rows = wanted.get("iterations", [wanted])
        assert len(seen) == len(rows), where
        for row, found in zip(rows, seen, strict=True):
            tally.note(tally.inputs, found, row["input"], where)
            if "source" in row:
                compare_files(case / "skeleton", row, step.action, renderer, tally, where)
    found = render_output(renderer, template.output, expressions)
    tally.note(tally.inputs, found, variant["output"], f"{case.name} {name} output")


def compare_files(
    skeleton: Path, row: Mapping[str, Any], action: str, renderer: InProcess, tally: Tally, where: str
) -> None:
    values = dict(row["input"])
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        if (skeleton / row["source"]).is_dir():
            shutil.copytree(skeleton / row["source"], source)
        for path in [*source.rglob("*.oracle-file")]:
            path.rename(path.with_name(path.name.removesuffix(".oracle-file")))
        if row.get("fails"):
            with pytest.raises(RenderError):
                render_folder(source, target, values, renderer, lambda text: None)
            return
        if action == "fetch:template":
            render_folder(source, target / (values.get("targetPath") or "."), values, renderer, lambda text: None)
        else:
            shutil.copytree(source, target / (values.get("targetPath") or "."), dirs_exist_ok=True)
        for path, file in row["files"].items():
            if "sha256" in file and not file.get("withheld"):
                place = target / path
                digest = hashlib.sha256(place.read_bytes()).hexdigest() if place.is_file() else None
                tally.note(tally.files, digest, file["sha256"], f"{where} {path}")


def test_templates_of_the_wild(engine: Answer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tally, renderer, whole = Tally(), InProcess(engine), 0
    for name in CASES:
        before = len(tally.wrong)
        for variant in json.loads((FOLDER / "cases" / name / "expected.json").read_text())["variants"]:
            try:
                run_variant(FOLDER / "cases" / name, variant, renderer, tally, tmp_path)
            except Exception as error:
                tally.wrong.append(f"{name} {variant}: {error!r}")
        whole += len(tally.wrong) == before
    with capsys.disabled():
        print(
            f"\ntemplates: {whole} of {len(CASES)}; inputs and outputs: {sum(tally.inputs)} of {len(tally.inputs)}; "
            f"files: {sum(tally.files)} of {len(tally.files)}"
        )
    assert not tally.wrong, "\n".join(tally.wrong[:40])


def test_every_template_loads_and_plans_and_its_plan_names_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, complete = [], 0
    missing: dict[str, set[str]] = {}
    roots = tmp_path / "repositories"
    features = [ACCESS, CATALOG, SCAFFOLDER]
    with served(tmp_path / "data", features=features, plugins=FORGES, catalog={"file_roots": [str(roots)]}) as server:
        ctx = server.platform.system("test")
        known = {action.key for action in server.platform.registry.all("action", Action)}
        token = server.token("developer", "user:default/guest")
        for name in CASES:
            case = FOLDER / "cases" / name
            expected = json.loads((case / "expected.json").read_text())
            given = json.loads((case / "parameters.json").read_text())["variants"]["a"]
            root = roots / name
            shutil.copytree(case / "skeleton", root) if (case / "skeleton").is_dir() else root.mkdir(parents=True)
            folder = root / expected["template_dir"]
            folder.mkdir(parents=True, exist_ok=True)
            text = (case / "template.yaml").read_text()
            (folder / "template.yaml").write_text(text)
            (root / ".git").mkdir()
            document = [item.value for item in load_all(text) if item.value][expected["origin"]["document"]]
            absent = {step["action"] for step in document["spec"]["steps"]} - known
            complete += not absent
            for action in absent:
                missing.setdefault(action, set()).add(name)
            item = SourcedEntity(document, f"file:{folder}/template.yaml")
            result = server.platform.store.write(
                lambda tx, item=item, name=name: apply_entities(tx, ctx, [item], name, full=True)
            )
            if result.problems:
                if name not in REFUSED:
                    wrong.append(f"{name}: {result.problems}")
                continue
            body = {"template_ref": result.created[0], "values": given["parameters"], "secrets": given["secrets"]}
            with server.client(token) as client:
                plan = client.post("/api/scaffolder/v1/plans", json=body)
            valid = expected["variants"]["a"]["parameters_valid"]
            if plan.status_code != (201 if valid is True else 400):
                wrong.append(f"{name}: {plan.status_code} {plan.text[:500]}, parameters are valid: {valid}")
                continue
            told = " ".join(c["detail"] for c in plan.json().get("checks", []))
            unnamed = [action for action in absent if f"the action '{action}' is not installed" not in told]
            if unnamed and valid is True:
                wrong.append(f"{name}: {unnamed} are not named")
            server.platform.store.write(lambda tx, name=name: prune_source(tx, ctx, name))
    with capsys.disabled():
        planned = f"{len(CASES) - len(wrong)} of {len(CASES)}"
        print(f"\ntemplates that load and plan: {planned}; missing actions: {len(missing)}")
        print(f"templates whose actions are all there: {complete} of {len(CASES)}")
    assert complete >= COMPLETE
    assert not wrong, "\n".join(wrong)
    page = PAGE.read_text()
    rows = [f"| `{action}` | {len(names)} |" for action, names in missing.items()]
    assert [row for row in rows if row not in page] == [], f"{PAGE.name} does not list what is missing"
    assert page.count(" |\n", page.index("| action | templates |")) == len(rows) + 1, f"{PAGE.name} lists what is here"
