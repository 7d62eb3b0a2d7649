"""Use cases of adoption: a repository that another tool made from a golden path becomes a service of it.

What made it is read from its traces, with which version and answers is inferred, and both are proposed as the record
`.taxiway/scaffold.yaml` in a pull request: who merges it has read it, and may have corrected the answers in it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from taxiway.core.context import OpContext, Platform
from taxiway.core.cursors import last_seen
from taxiway.features.catalog import service as catalog
from taxiway.features.pulls.service.hosts import forge, owner_of, repository_of
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.adoption.inferring import Inferred, fields_of, infer
from taxiway.features.scaffolder.adoption.traces import CATALOG_FILE, FILES, Trace, plain_address, subject_of, traces_of
from taxiway.features.scaffolder.adoption.versions import versions_of
from taxiway.features.scaffolder.model import Version, parse_template
from taxiway.features.scaffolder.record import FILE
from taxiway.features.scaffolder.service import Scaffolder
from taxiway.features.scaffolder.upgrading import render
from taxiway.kit.paging import Page, page_of
from taxiway.kit.pointer import pointer
from taxiway.model.entity import parse_ref, ref_of
from taxiway.model.errors import ConflictError, FieldError, InputError, NotFoundError, TooLargeError
from taxiway.model.run import RunSpec, StepDefinition
from taxiway.model.workload import Repository
from taxiway.plugin.actions import workspace_files

ADOPTS = "taxiway.dev/adopts"
"""Annotation of a template: addresses of the copier or cookiecutter templates that it replaces, with commas between."""
REPOSITORY = "taxiway.dev/repository"
"""Annotation of an entity: the repository of the built-in forge that it is described in."""
KIND = "adopt"
STEPS = (
    StepDefinition("infer", "Find the version and the answers", "taxiway:adopt:infer", recovery="idempotent"),
    StepDefinition("propose", "Open the pull request", "taxiway:adopt:propose", recovery="idempotent"),
)
MAX_FILES, MAX_FILE, MAX_BYTES = 5_000, 500_000, 32 * 1024 * 1024
LEAST_LIKENESS = 0.3
"""Below it a repository has hardly a line of the template's: it was not made from it."""


@dataclass(frozen=True)
class AdoptionOrder:
    """A repository of the built-in forge; the template where its traces do not tell it; answers that are known."""

    repository: str
    template_ref: str | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposed:
    """What is to be recorded of a repository as of the commit `head`."""

    subject: str
    template_ref: str
    head: str
    trace: Trace | None
    inferred: Inferred


def list_candidates(ctx: OpContext, limit: int, cursor: str | None) -> Page[dict[str, Any]]:
    """Repositories with a trace of a template and without a record, by name. A page may have fewer than `limit`
    although more follow: the next one goes on."""
    scope, git = ctx.scope("scaffolder.read"), forge(ctx.platform)
    there = git.list_repositories(last_seen(cursor, str) or "", limit + 1)
    page = page_of(list(there), limit, lambda item: [item.name])
    rows, replaced = [], _replaced(ctx)
    for item in page.items:
        if item.archived or not (scope.everything or owner_of(item) in scope.owners):
            continue
        head = git.resolve(item.name, f"refs/heads/{item.default_branch}")
        if head is None or _trace_files(ctx, item.name, head, (FILE,)):
            continue
        files = _trace_files(ctx, item.name, head, FILES)
        if traces := traces_of(files):
            rows.append(
                {
                    "repository": item.name,
                    "subject": subject_of(files.get(CATALOG_FILE)),
                    "owner": owner_of(item),
                    "tool": traces[0].tool,
                    "source": traces[0].template,
                    "template": _template_of(replaced, traces[0]),
                }
            )
    return Page(rows, page.next_cursor)


def plan_adoption(ctx: OpContext, scaffolder: Scaffolder, order: AdoptionOrder) -> dict[str, Any]:
    """What would be recorded, and how sure that is. Nothing is kept."""
    ctx.authorize("scaffolder.plan")
    return view(order.repository, propose(ctx, scaffolder, order))


def start_adoption(ctx: OpContext, scaffolder: Scaffolder, order: AdoptionOrder) -> str:
    """Start the run that infers and opens the pull request; returns its id."""
    ctx.authorize("scaffolder.task.create")
    there = repository_of(ctx.platform, order.repository)
    ctx.authorize("pulls.propose", owner_of(there))
    subject, _, _ = _standing(ctx, order)
    spec = RunSpec(
        kind=KIND,
        title=f"Adopt {order.repository}",
        steps=list(STEPS),
        input={"order": asdict(order)},
        subject=subject,
        owner=owner_of(there),
    )
    return ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))


def propose(ctx: OpContext, scaffolder: Scaffolder, order: AdoptionOrder) -> Proposed:
    """Infer what made a repository. ConflictError when it has a record or was hardly made from this template,
    InputError when nothing tells which template did."""
    subject, head, traces = _standing(ctx, order)
    trace = traces[0] if traces else None
    ref = order.template_ref and str(parse_ref(order.template_ref, default_kind="template"))
    ref = ref or (_template_of(_replaced(ctx), trace) if trace else None)
    if ref is None:
        told = f"no template here says that it replaces {trace.template} ({ADOPTS})" if trace else "it has no trace"
        raise InputError(f"which golden path made {order.repository} is unknown: {told}. Name the template")
    versions, files = versions_of(ctx, scaffolder, ref), _files(ctx, order.repository, head)
    _refuse_unasked(order.answers, versions[0], ref)
    known = {**_answers_of(traces, versions[0], ref), **order.answers}
    draw = partial(_draw, ctx, scaffolder, ref)
    inferred = infer(ref, versions, files, known, draw)
    if inferred.likeness < LEAST_LIKENESS:
        alike = f"{order.repository} and what {ref} makes are {inferred.likeness:.0%} alike"
        raise ConflictError(f"{alike}: it was not made from it. Name another template", code="scaffolder.unlike")
    return Proposed(subject, ref, head, trace, inferred)


def view(name: str, proposed: Proposed) -> dict[str, Any]:
    """A proposal as the API shows it."""
    found = proposed.inferred
    return {
        "repository": name,
        "subject": proposed.subject,
        "template": proposed.template_ref,
        "version": found.version.name,
        "commit": proposed.head,
        "likeness": round(found.likeness, 3),
        "trace": asdict(proposed.trace) if proposed.trace else None,
        "answers": [
            {"name": key, "value": value, "origin": found.origins[key], "lines": found.lines.get(key, 0)}
            for key, value in found.version.values.items()
        ],
    }


def claim_problem(platform: Platform, conn: Connection, subject: str, there: Repository) -> str | None:
    """Why a repository may not become the service `subject`: what it says of itself may be anybody's name."""
    service = repository.get_service(conn, subject)
    if service is not None and service.repository != there.name:
        return f"{subject} is a service in {service.repository} already"
    document = catalog.get_entity(platform, subject)
    described = (document or {}).get("metadata", {}).get("annotations", {}).get(REPOSITORY)
    if document is not None and described != there.name and catalog.owner_of(document) != owner_of(there):
        return f"{subject} is an entity of {catalog.owner_of(document) or 'nobody'} and not described by {there.name}"
    return None


def _standing(ctx: OpContext, order: AdoptionOrder) -> tuple[str, str, list[Trace]]:
    """The entity of a repository, its newest commit, and its traces."""
    there = repository_of(ctx.platform, order.repository)
    ctx.authorize("pulls.read", owner_of(there))
    head = forge(ctx.platform).resolve(there.name, f"refs/heads/{there.default_branch}")
    if head is None:
        raise NotFoundError(f"{there.name} is empty: push what is to be adopted first")
    files = _trace_files(ctx, there.name, head, (*FILES, FILE))
    with ctx.platform.store.read() as conn:
        known = repository.service_of_repository(conn, there.name)
    if known is not None or FILE in files:
        raise ConflictError(f"{there.name} has a record ({FILE}): there is nothing to adopt", code="scaffolder.adopted")
    subject = subject_of(files.get(CATALOG_FILE))
    if subject is None:
        raise InputError(
            f"{there.name} has no component in {CATALOG_FILE}: add one first, for example with catalog onboard",
            code="scaffolder.no_entity",
        )
    with ctx.platform.store.read() as conn:
        problem = claim_problem(ctx.platform, conn, subject, there)
    if problem is not None:
        raise ConflictError(
            f"{problem}: give the component in {CATALOG_FILE} a name of its own", code="scaffolder.not_its_entity"
        )
    return subject, head, traces_of(files)


def _trace_files(ctx: OpContext, name: str, head: str, paths: Sequence[str]) -> dict[str, bytes]:
    found = {}
    for path in paths:
        try:
            content = forge(ctx.platform).read_file(name, head, path, 200_000)
        except TooLargeError:
            continue
        if content is not None:
            found[path] = content
    return found


def _template_of(replaced: Mapping[str, str], trace: Trace) -> str | None:
    """The template that a trace stands for: by its reference, or by what it says that it replaces."""
    if trace.tool == "backstage":
        try:
            return str(parse_ref(trace.template, default_kind="template"))
        except InputError:
            return None
    return replaced.get(plain_address(trace.template))


def _replaced(ctx: OpContext) -> dict[str, str]:
    """Templates here by the addresses of those that they say to replace; the first that says so."""
    found: dict[str, str] = {}
    for document in catalog.list_entities(ctx.platform, kind="template"):
        addresses = str(document["metadata"].get("annotations", {}).get(ADOPTS, ""))
        for part in addresses.split(","):
            if part.strip():
                found.setdefault(plain_address(part), str(ref_of(document)))
    return found


def _answers_of(traces: list[Trace], version: Version, ref: str) -> dict[str, Any]:
    """Answers that a tool wrote down, for the questions of the template that are named alike."""
    fields = fields_of(parse_template(version.document, ref, "", version.name))
    by_plain = {_plain(name): name for name in fields}
    return {
        by_plain[_plain(name)]: value
        for trace in reversed(traces)
        for name, value in trace.answers.items()
        if _plain(name) in by_plain
    }


def _refuse_unasked(answers: Mapping[str, Any], version: Version, ref: str) -> None:
    asked = fields_of(parse_template(version.document, ref, "", version.name))
    unasked = sorted(answers.keys() - asked.keys())
    if unasked:
        raise InputError(
            f"{ref} does not ask for {', '.join(unasked)}; it asks for {', '.join(asked)}",
            code="scaffolder.invalid_values",
            errors=[FieldError(pointer(["answers", name]), "no question has this name") for name in unasked],
        )


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _files(ctx: OpContext, name: str, head: str) -> dict[str, bytes]:
    """The files of a commit. TooLargeError where they are more than can be compared."""
    scratch = ctx.platform.settings.data / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    found: dict[str, bytes] = {}
    size = 0
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        root = Path(folder, "tree")
        forge(ctx.platform).export(name, head, root)
        for path, full in workspace_files(root):
            if full.stat().st_size > MAX_FILE:
                continue
            found[path] = full.read_bytes()
            size += len(found[path])
            if len(found) > MAX_FILES or size > MAX_BYTES:
                raise TooLargeError(
                    f"{name} has more than {MAX_FILES} files, or {MAX_BYTES} bytes: too much to compare"
                )
    return found


def _draw(ctx: OpContext, scaffolder: Scaffolder, ref: str, version: Version) -> dict[str, bytes]:
    made = render(ctx, scaffolder.renderer, ref, version, {})
    return {path: change.content for path, change in made.items() if path != FILE and change.content is not None}
