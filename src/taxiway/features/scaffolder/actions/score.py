"""`resource:add`: a pull request that gives a service another resource: only its Score file changes.

The service gets the resource with the first release behind the merge. Comments and layout of the file stay.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.features.environments.score import MAX_BYTES, parse_score
from taxiway.features.environments.service import service_entity
from taxiway.features.pulls.service.proposing import Proposal, propose_change
from taxiway.features.scaffolder.actions.pull_requests import check_back, opened, take_back
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.kit.yaml_editing import LayoutError, edit_document
from taxiway.model.errors import ConflictError, InputError, NotFoundError
from taxiway.model.workload import FileChange
from taxiway.plugin import Forge, StepContext
from taxiway.plugin.actions import FunctionAction, schema

FILE = "score.yaml"
OBJECT = {"type": "object"}
Values = Mapping[str, Any]


def score_actions(platform: Platform) -> list[FunctionAction]:
    """The actions of this module."""
    return [
        FunctionAction(
            key="resource:add",
            description="Open a pull request that adds a resource, such as a database, to a service's Score file",
            function=lambda ctx, values: _add(platform, ctx, values),
            input_schema=schema(
                ["entityRef", "name", "type"],
                entityRef="The service",
                name={"type": "string", "pattern": "^[a-z][a-z0-9-]{0,62}$", "description": "Its name in the file"},
                type="Its type, such as postgres",
                params={**OBJECT, "description": "Its parameters"},
                prefix={
                    "type": "string",
                    "pattern": "^[A-Z][A-Z0-9_]{0,62}$",
                    "description": "What the variables of the service begin with that get its outputs: DB for DB_HOST",
                },
                outputs={"type": "array", "items": {"type": "string"}, "description": "Those outputs: host, port …"},
                **{"class": "Its class; default is the usual one"},
            ),
            output_schema=schema(
                repository="The repository", remoteUrl="The pull request", pullRequestNumber={"type": "integer"}
            ),
            take_back=lambda ctx, created: take_back(platform, ctx, created),
            check_back=lambda created: check_back(platform, created),
        )
    ]


def _add(platform: Platform, ctx: StepContext, values: Values) -> Values:
    op = OpContext(platform, ctx.principal, f"run-{ctx.run_id}")
    service, name = service_entity(platform, values["entityRef"]), values["name"]
    if not service.repository:
        raise InputError(f"{service.ref} names no repository of the built-in forge: change its file where it is")
    forge: Forge = platform.registry.all("forge", Forge)[0]
    there = forge.get_repository(service.repository)
    raw = forge.read_file(there.name, there.head, FILE, MAX_BYTES) if there is not None and there.head else None
    if there is None or raw is None:
        raise NotFoundError(f"'{service.repository}' has no {FILE}: add one first", code="scaffolder.no_score")
    text = with_resource(raw.decode(), values)
    parse_score(text, f"{there.name}/{FILE}")
    if ctx.is_dry_run:
        ctx.log(f"would add the resource '{name}' ({values['type']}) to {there.name}/{FILE}")
        return {"repository": there.name, "remoteUrl": f"/pulls/{there.name}/1", "pullRequestNumber": 1}
    proposal = Proposal(
        repository=there.name,
        head=f"add-{name}",
        changes={FILE: FileChange(text.encode())},
        title=f"Add the resource {name} ({values['type']})",
        body=f"Asked for by {ctx.principal.subject}. Merge it, and the next release of {service.key} has it.",
        expect=there.head,
    )
    url, number, _ = opened(platform, ctx, propose_change(op, proposal))
    return {"repository": there.name, "remoteUrl": url, "pullRequestNumber": number}


def with_resource(text: str, values: Values) -> str:
    """A Score file with one more resource, and with the variables that are to have its outputs."""
    name = values["name"]
    try:
        document = next(iter(load_all(text)))
        value = copy.deepcopy(document.value)
        resources = dict(value.get("resources") or {})
        if name in resources:
            raise ConflictError(f"there is a resource '{name}' already: choose another name", code="scaffolder.taken")
        spec = {key: values[key] for key in ("type", "class", "params") if values.get(key)}
        value["resources"] = {**resources, name: spec}
        for container in value["containers"].values():
            variables = dict(container.get("variables") or {})
            for output in values.get("outputs") or ():
                variable = f"{values.get('prefix') or name.upper().replace('-', '_')}_{output.upper()}"
                if variable in variables:
                    detail = f"the variable {variable} is set already: choose another prefix"
                    raise ConflictError(detail, code="scaffolder.taken")
                variables[variable] = f"${{resources.{name}.{output}}}"
            if variables:
                container["variables"] = variables
        return edit_document(text, document.line, value)
    except (YamlError, LayoutError, KeyError, AttributeError, StopIteration) as error:
        raise InputError(
            f"{FILE} cannot be changed: {error}: change it by hand", code="scaffolder.bad_score"
        ) from error
