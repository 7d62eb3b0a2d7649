"""Plans: a dry run of a template in a scratch folder, what it would create, and what the checks say of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from taxiway.core.context import OpContext
from taxiway.features.catalog import service as catalog
from taxiway.features.scaffolder.execution import render_output
from taxiway.features.scaffolder.model import Order, Plan
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.trying import trial
from taxiway.kit.canonical import digest
from taxiway.model.errors import InputError, TaxiwayError
from taxiway.plugin import Action, CheckResult, PlanCheck
from taxiway.plugin.actions import workspace_files

MAX_PREVIEW = 200_000
NOT_INSTALLED = (
    CheckResult("policy", "Policy", "not_checked", "no policy that judges plans is installed"),
    CheckResult("cost", "Cost", "not_checked", "no cost estimate is installed"),
)


@dataclass(frozen=True)
class DryRun:
    """What a dry run gave: log lines, steps with their rendered input and output, files, the template's output."""

    log: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    files: Sequence[Mapping[str, Any]]
    output: Mapping[str, Any]
    problems: Sequence[CheckResult] = ()


def dry_run(ctx: OpContext, renderer: Renderer, order: Order, *, collect: bool = False) -> DryRun:
    """Run the template without consequences. With `collect` a step that fails is among the problems, and the next
    ones are tried all the same: they see no output of it."""
    with trial(ctx, renderer, order, collect=collect) as tried:
        problems = list(tried.problems)
        try:
            output = render_output(renderer, order.template.output, tried.expressions)
        except TaxiwayError as error:
            if not collect:
                raise
            output = {}
            problems.append(CheckResult("output", "Output", "failed", error.detail))
        found = DryRun(tried.log, tried.steps, _files(tried.workspace), output, problems)
        for step_id, inner, made_up in tried.inside:
            found = _with_inner(found, step_id, inner, certain=not made_up)
        return found


def _with_inner(outer: DryRun, step_id: str, inner: DryRun, *, certain: bool) -> DryRun:
    """What a golden path would do with what one inside of it would: its files stand in a folder of its step's name.

    Behind outputs that are made up what is wrong inside is not `certain`.
    """
    problems = [replace(one, id=f"{step_id}.{one.id}") for one in inner.problems]
    if not certain:
        problems = [replace(one, verdict="not_checked") if one.verdict == "failed" else one for one in problems]
    return replace(
        outer,
        log=[*outer.log, *({**line, "step": f"{step_id}.{line['step']}"} for line in inner.log)],
        steps=[*outer.steps, *({**step, "id": f"{step_id}.{step['id']}"} for step in inner.steps)],
        files=[*outer.files, *({**item, "path": f"{step_id}/{item['path']}"} for item in inner.files)],
        problems=[*outer.problems, *problems],
    )


def make_plan(ctx: OpContext, renderer: Renderer, order: Order) -> Plan:
    """The plan of an order: files, resources, names, and the verdicts of all checks."""
    template = order.template
    tried = dry_run(ctx, renderer, order, collect=True)
    names, unknown = _names(ctx, tried)
    body: dict[str, Any] = {
        "files": [{key: value for key, value in item.items() if key != "content_base64"} for item in tried.files],
        "resources": _resources(tried.files),
        "names": names,
    }
    judged = {
        "kind": "scaffold",
        "template": template.ref,
        "document": template.document,
        "values": order.values,
        "entity_owner": order.bound.owner if order.bound else None,
        **body,
        "files": list(tried.files),
        "principal": {
            "subject": ctx.principal.subject,
            "roles": sorted(ctx.principal.roles),
            "ownership": sorted(ctx.principal.ownership),
        },
    }
    checks = [asdict(result) for result in [*tried.problems, *unknown, *_check(ctx, judged)]]
    bound = {
        "template": template.ref,
        "etag": template.etag,
        "snapshot": order.snapshot,
        "values": order.values,
        "entity": order.bound.etag if order.bound else None,
        **body,
    }
    return Plan(
        id=ctx.platform.new_id(),
        hash=digest({"template": template.ref, **bound, "checks": checks}),
        template_ref=template.ref,
        template_etag=template.etag,
        values=order.values,
        files=list(tried.files),
        resources=body["resources"],
        names=body["names"],
        checks=checks,
        created_by=ctx.principal.subject,
        created_at=ctx.platform.clock.now(),
        log=list(tried.log),
    )


def _check(ctx: OpContext, judged: Mapping[str, Any]) -> list[CheckResult]:
    results = []
    for check in ctx.platform.registry.all("plan_check", PlanCheck):
        try:
            result = check.check(judged)
            if result is not None:
                results.append(result)
        except TaxiwayError as error:
            results.append(CheckResult(check.key, check.key, "failed", f"the check itself failed: {error.detail}"))
    done = {result.id for result in results}
    return results + [result for result in NOT_INSTALLED if result.id not in done]


def _files(workspace: Path) -> list[dict[str, Any]]:
    files = []
    for name, path in workspace_files(workspace):
        content = path.read_bytes()
        item: dict[str, Any] = {"path": name, "size": len(content), "executable": os.access(path, os.X_OK)}
        if len(content) <= MAX_PREVIEW:
            item["content_base64"] = base64.b64encode(content).decode()
        files.append(item)
    return files


def _resources(files: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The resources that a `score.yaml` at the root asks for."""
    for item in files:
        if item["path"] == "score.yaml" and "content_base64" in item:
            try:
                workload = yaml.safe_load(base64.b64decode(item["content_base64"]))
            except yaml.YAMLError as error:
                raise InputError(f"the template makes a score.yaml that is not YAML: {error}") from error
            resources = workload.get("resources") if isinstance(workload, Mapping) else None
            return [
                {"name": str(name), "type": spec.get("type"), "class": spec.get("class", "default")}
                for name, spec in (resources.items() if isinstance(resources, Mapping) else ())
                if isinstance(spec, Mapping)
            ]
    return []


def _names(ctx: OpContext, tried: DryRun) -> tuple[list[dict[str, Any]], list[CheckResult]]:
    """Names that the run would take, and whether somebody has them; and those that cannot be looked for."""
    names: list[dict[str, Any]] = []
    unknown: list[CheckResult] = []
    for step in tried.steps:
        for values in step["inputs"]:
            action = ctx.platform.registry.get("action", step["action"], Action)
            asked = getattr(action, "names", None)
            try:
                found = asked(values) if asked is not None else ()
            except TaxiwayError as error:
                detail = f"whether the name is free is not known: {error.detail}"
                unknown.append(CheckResult(f"name:{step['id']}", "Names", "not_checked", detail))
                continue
            names += [{"kind": kind, "name": name, "taken": taken} for kind, name, taken in found]
    for item in tried.files:
        if item["path"].endswith("catalog-info.yaml") and "content_base64" in item:
            for ref in _refs(base64.b64decode(item["content_base64"])):
                names.append(
                    {"kind": "entity", "name": ref, "taken": catalog.get_entity(ctx.platform, ref) is not None}
                )
    return names, unknown


def _refs(content: bytes) -> list[str]:
    """References of the entities in a catalog file. None of a broken one: the step that registers it says why."""
    refs = []
    try:
        for document in yaml.safe_load_all(content):
            metadata = document.get("metadata") if isinstance(document, Mapping) else None
            if isinstance(metadata, Mapping) and document.get("kind") and metadata.get("name"):
                refs.append(f"{document['kind']}:{metadata.get('namespace') or 'default'}/{metadata['name']}".lower())
    except yaml.YAMLError:
        return []
    return refs
