"""Golden paths as values: a v1beta3 template's pages, steps and output, and the truth of rendered conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema_rs

from taxiway.features.scaffolder.extras import option_problems, options_of, spec_problems
from taxiway.kit.canonical import digest
from taxiway.kit.pointer import pointer
from taxiway.model.errors import FieldError, InputError
from taxiway.model.run import StepDefinition

MAP, MAP_OR_NONE = {"type": "object"}, {"type": ["object", "null"]}
PAGE = {"type": "object", "properties": {"properties": MAP_OR_NONE}}
SHAPE = jsonschema_rs.validator_for(
    {
        "required": ["metadata", "spec"],
        "properties": {
            "metadata": {**MAP, "required": ["name"], "properties": {"annotations": MAP_OR_NONE}},
            "spec": {
                **MAP,
                "properties": {
                    "parameters": {**PAGE, "type": ["object", "array", "null"], "items": PAGE},
                    "steps": {"type": ["array", "null"], "items": {"properties": {"input": MAP_OR_NONE}}},
                    "output": MAP_OR_NONE,
                    "secrets": {**MAP_OR_NONE, "properties": {"schema": {"type": ["object", "boolean", "null"]}}},
                },
            },
        },
    }
)
"""What is read from a template without a further look; the rest is judged by what uses it."""
AFTER_FAILURE = re.compile(r"\b(always|failure)\(\s*\)")
OUTPUT_STEP = "taxiway-output"
MOST_DEEP = 5
"""How deep golden paths may be inside of each other."""


@dataclass(frozen=True)
class Template:
    """A validated template. `document` is the entity as read; `location` is where its files are relative to."""

    ref: str
    title: str
    description: str
    owner: str | None
    document: Mapping[str, Any]
    pages: Sequence[Mapping[str, Any]]
    steps: Sequence[StepDefinition]
    output: Mapping[str, Any]
    secrets_schema: Mapping[str, Any] | None
    location: str
    etag: str


@dataclass(frozen=True)
class Bound:
    """The entity that a day-2 template works on: its reference, owner, and ETag."""

    ref: str
    owner: str | None
    etag: str


@dataclass(frozen=True)
class Order:
    """What somebody asks for: a template, its snapshot, the answers, the names of given secrets, and the entity that a
    day-2 template works on. Of a template that came with the request there is no snapshot: `folder` has its files."""

    template: Template
    snapshot: str
    values: Mapping[str, Any]
    secrets: Sequence[str] = ()
    bound: Bound | None = None
    folder: Path | None = None
    deep: int = 0
    """How many golden paths this one is inside of."""


@dataclass(frozen=True)
class Draft:
    """A half-filled form. `holder` may go on with it; `reached` is the last page that was open, from 0."""

    id: str
    template_ref: str
    title: str
    values: Mapping[str, Any]
    reached: int
    holder: str
    created_by: str
    created_at: int
    updated_at: int
    handed_by: str | None = None
    note: str = ""
    version: int = 1


@dataclass(frozen=True)
class Plan:
    """What a run would do, bound to the template's version and the answers. `hash` changes with any of them."""

    id: str
    hash: str
    template_ref: str
    template_etag: str
    values: Mapping[str, Any]
    files: Sequence[Mapping[str, Any]]
    resources: Sequence[Mapping[str, Any]]
    names: Sequence[Mapping[str, Any]]
    checks: Sequence[Mapping[str, Any]]
    created_by: str
    created_at: int
    log: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


@dataclass(frozen=True)
class Task:
    """A run of a golden path, as far as figures need it."""

    template_ref: str
    state: str
    created_at: int
    ended_at: int | None


@dataclass(frozen=True)
class Reached:
    """How many wizards of a golden path came as far as page `page`, from 0, and no further. `outcome` is `task` where
    one was started, `draft` where the form was kept, None where neither; `is_idle`: nothing came of it for a while."""

    template_ref: str
    page: int
    outcome: str | None
    is_idle: bool
    count: int


@dataclass(frozen=True)
class Version:
    """A version of a golden path: the template as it is, where its files are pinned, and the answers for it."""

    document: Mapping[str, Any]
    snapshot: str
    values: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Twelve hex digits that change with the template's text or files."""
        return version_name(self.document, self.snapshot)


@dataclass(frozen=True)
class Service:
    """A service that a golden path made. `pending` is what an open pull request would bring it to, with its number;
    `declined` names versions that somebody does not want."""

    subject: str
    repository: str
    owner: str | None
    template_ref: str
    version: Version
    outputs: Mapping[str, Mapping[str, Any]]
    run_id: str
    created_at: int
    upgraded_at: int | None = None
    pending: Mapping[str, Any] | None = None
    declined: tuple[str, ...] = ()


def version_name(document: Mapping[str, Any], snapshot: str) -> str:
    """What `Version.name` says."""
    return digest({"spec": document.get("spec"), "snapshot": snapshot}).removeprefix("sha256:")[:12]


def parse_template(document: Mapping[str, Any], ref: str, location: str, etag: str) -> Template:
    """The template in an entity document. InputError when it is not a v1beta3 template or a step has no action."""
    if document.get("apiVersion") != "scaffolder.backstage.io/v1beta3" or document.get("kind") != "Template":
        raise InputError(f"{ref} is not a scaffolder.backstage.io/v1beta3 Template", code="scaffolder.not_a_template")
    wrong = [FieldError(pointer(list(error.instance_path)), error.message) for error in SHAPE.iter_errors(document)]
    if wrong:
        raise InputError(f"the template {ref} is not usable", code="scaffolder.bad_template", errors=wrong)
    spec, metadata = document["spec"], document["metadata"]
    pages = pages_of(document)
    problems = spec_problems(spec)
    steps: list[StepDefinition] = []
    for index, step in enumerate(spec.get("steps") or []):
        if not isinstance(step, Mapping) or not isinstance(step.get("action"), str):
            problems.append(FieldError(pointer(["spec", "steps", index]), "a step needs an action"))
            continue
        problems += option_problems(step, ["spec", "steps", index])
        steps.append(_step(index, step))
    doubled = {s.id for s in steps if sum(1 for t in steps if t.id == s.id) > 1}
    problems += [FieldError("/spec/steps", f"two steps have the id '{name}'") for name in sorted(doubled)]
    if not steps and not problems:
        problems.append(FieldError("/spec/steps", "a template needs steps"))
    if problems:
        raise InputError(f"the template {ref} is not usable", code="scaffolder.bad_template", errors=problems)
    return Template(
        ref=ref,
        title=metadata.get("title") or metadata["name"],
        description=metadata.get("description") or "",
        owner=spec.get("owner"),
        document=document,
        pages=pages,
        steps=steps,
        output=spec.get("output") or {},
        secrets_schema=(spec.get("secrets") or {}).get("schema"),
        location=location,
        etag=etag,
    )


def _step(index: int, step: Mapping[str, Any]) -> StepDefinition:
    identifier = str(step.get("id") or f"step-{index + 1}")
    return StepDefinition(
        id=identifier,
        name=str(step.get("name") or step["action"]),
        action=step["action"],
        input=step.get("input") or {},
        condition=step.get("if"),
        each=step.get("each"),
        options=options_of(step),
    )


def pages_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The parameter pages of a template's document, one of them or more."""
    parameters = (document.get("spec") or {}).get("parameters") or []
    listed = [parameters] if isinstance(parameters, Mapping) else parameters
    return list(listed) if isinstance(listed, list) else []


def page_schema(page: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema of a parameter page, without the page's own title and description."""
    return {"type": "object", **{key: value for key, value in page.items() if key not in ("title", "description")}}


def is_true(value: Any) -> bool:
    """Whether a rendered condition lets the step run: false, null, "", 0, NaN and [] do not, everything else does."""
    return not (value is None or value is False or value in ("", 0) or value == [] or value != value)


def runs_after_failure(condition: Any) -> bool:
    """Whether a step's `if` calls `always()` or `failure()`."""
    return isinstance(condition, str) and AFTER_FAILURE.search(condition) is not None


def secret_fields(pages: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Names of top-level parameters that are secrets (`ui:field: Secret` or a password widget)."""
    found = set()
    for page in pages:
        for name, schema in (page.get("properties") or {}).items():
            if isinstance(schema, Mapping) and (
                schema.get("ui:field") == "Secret" or schema.get("ui:widget") == "password"
            ):
                found.add(name)
    return frozenset(found)


def is_secret(schema: Any) -> bool:
    """Whether an answer to a question is a secret by any of the ways to say so, at any depth of a form."""
    if not isinstance(schema, Mapping):
        return False
    marks = schema.get("ui:field") == "Secret" or schema.get("ui:widget") == "password"
    return bool(marks or schema.get("writeOnly") or schema.get("format") == "password")
