"""Use cases of the scaffolder: read templates, plan, try, and start runs from them."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from taxiway.core.context import OpContext, Platform
from taxiway.core.store.database import Tx
from taxiway.features.catalog import service as catalog
from taxiway.features.catalog.sources.targets import repository_and_path
from taxiway.features.catalog.sources.urls import is_known_host
from taxiway.features.scaffolder import repository
from taxiway.features.scaffolder.binding import bind
from taxiway.features.scaffolder.deprecation import KEY as DEPRECATION
from taxiway.features.scaffolder.deprecation import deprecation_of
from taxiway.features.scaffolder.drafts import finish_draft
from taxiway.features.scaffolder.model import (
    MOST_DEEP,
    Order,
    Plan,
    Template,
    page_schema,
    parse_template,
    secret_fields,
)
from taxiway.features.scaffolder.planning import DryRun, dry_run, make_plan
from taxiway.features.scaffolder.quotas import refuse_beyond
from taxiway.features.scaffolder.rendering.client import Renderer
from taxiway.features.scaffolder.snapshot import TESTS, snapshot
from taxiway.features.scaffolder.starting import refuse, run_spec
from taxiway.features.scaffolder.validation import check_values, schema_errors, with_defaults
from taxiway.kit.canonical import digest
from taxiway.kit.clock import MICROSECONDS
from taxiway.model.entity import parse_ref
from taxiway.model.errors import ConflictError, InputError, NotFoundError, TooLargeError
from taxiway.model.run import Run
from taxiway.plugin import Action
from taxiway.plugin.actions import Tree

LOCATION = "backstage.io/managed-by-location"
PLAN_SECONDS = 24 * 3600
MAX_DIRECTORY = 10 * 1024 * 1024


@dataclass(frozen=True)
class Scaffolder:
    """The scaffolder of a platform: its rendering processes."""

    platform: Platform
    renderer: Renderer

    def template(self, ref: str) -> Template:
        """The template with this reference. NotFoundError when the catalog has none."""
        full = parse_ref(ref, default_kind="template")
        document = catalog.get_entity(self.platform, str(full))
        if document is None or full.kind != "template":
            raise NotFoundError(f"there is no template {full}", code="scaffolder.no_template")
        location = document["metadata"].get("annotations", {}).get(LOCATION, "")
        etag = document["metadata"].get("etag") or digest(document)
        return parse_template(document, str(full), _template_location(self.platform, location), etag)

    def parameter_schema(self, ref: str) -> dict[str, Any]:
        """Backstage's parameter schema: the pages of the form."""
        return form_of(self.template(ref), self.platform.clock.now())

    def actions(self) -> list[dict[str, Any]]:
        """Every action: id, description, schemas, in Backstage's shape."""
        return [
            {
                "id": action.key,
                "description": action.description,
                "examples": [],
                "schema": {"input": action.input_schema, "output": action.output_schema},
            }
            for action in self.platform.registry.all("action", Action)
        ]

    def order(
        self, template: Template, values: Mapping[str, Any], secrets: Mapping[str, str], folder: Path | None = None
    ) -> Order:
        """Check the answers and pin the template, unless its files are in a `folder` of the caller. InputError with a
        pointer per wrong answer."""
        hidden = secret_fields(template.pages)
        given = {**with_defaults(template.pages, values), **{n: v for n, v in secrets.items() if n in hidden}}
        check_values(template.pages, given)
        if template.secrets_schema:
            problems = schema_errors(template.secrets_schema, dict(secrets), ["secrets"])
            if problems:
                raise InputError("some secrets are missing", code="scaffolder.invalid_secrets", errors=problems)
        plain = {name: value for name, value in given.items() if name not in hidden}
        names = sorted({*secrets, *(name for name in hidden if name in given)})
        if folder is not None:
            return Order(template, "", plain, names, folder=folder)
        return Order(template, snapshot(self.platform, template.location, template.document), plain, names)

    def _bound(self, ctx: OpContext, order: Order) -> Order:
        return replace(order, bound=bind(ctx, order.template, order.values))

    def plan(self, ctx: OpContext, ref: str, values: Mapping[str, Any], secrets: Mapping[str, str]) -> Plan:
        """Make and keep a plan; nothing else changes."""
        ctx.authorize("scaffolder.plan")
        plan = make_plan(ctx, self.renderer, self._bound(ctx, self.order(self.template(ref), values, secrets)))

        def work(tx: Tx) -> None:
            repository.delete_plans_before(tx, tx.now - PLAN_SECONDS * MICROSECONDS)
            repository.insert_plan(tx, plan)

        self.platform.store.write(work)
        return plan

    def try_inside(
        self, ctx: OpContext, ref: str, values: Mapping[str, Any], secrets: Mapping[str, str], deep: int
    ) -> DryRun:
        """Try a golden path inside of another that is `deep` inside of others itself. Nothing is kept."""
        if deep >= MOST_DEEP:
            raise InputError(f"golden paths may be {MOST_DEEP} deep inside of each other", code="scaffolder.too_deep")
        order = self._bound(ctx, self.order(self.template(ref), values, secrets))
        return dry_run(ctx, self.renderer, replace(order, deep=deep + 1), collect=True)

    def get_plan(self, ctx: OpContext, plan_id: str) -> Plan:
        """A kept plan of the caller. NotFoundError when it is gone or somebody else's."""
        ctx.authorize("scaffolder.plan")
        with self.platform.store.read() as conn:
            plan = repository.get_plan(conn, plan_id)
        if plan is None or plan.created_by != ctx.principal.subject:
            raise NotFoundError("there is no such plan: make a new one", code="scaffolder.no_plan")
        return plan

    def create_task(
        self,
        ctx: OpContext,
        ref: str,
        values: Mapping[str, Any],
        secrets: Mapping[str, str],
        plan_hash: str | None = None,
        *,
        draft_id: str | None = None,
        wizard_id: str | None = None,
        parent_id: str | None = None,
        request_key: str | None = None,
    ) -> str:
        """Start a run of the template, after its plan was made and judged. Returns the run's id.

        `plan_hash` is the plan that the caller looked at: ConflictError when anything it depends on changed since.
        `draft_id` is a draft of the caller that is done with then, `wizard_id` the wizard that it came from. With a
        `request_key` that was used before it is the task of then, which neither its own names nor a quota that it is in
        refuse.
        """
        ctx.authorize("scaffolder.task.create")
        if request_key is not None:
            with self.platform.store.read() as conn:
                if (earlier := repository.run_of_request(conn, request_key)) is not None:
                    return earlier
        order = self._bound(ctx, self.order(self.template(ref), values, secrets))
        plan = make_plan(ctx, self.renderer, order)
        if plan_hash is not None and plan_hash != plan.hash:
            raise ConflictError(
                "the plan is stale: look at the new plan, then start again", code="scaffolder.stale_plan"
            )
        refuse(plan)
        hidden = secret_fields(order.template.pages)
        given = {**{name: str(values[name]) for name in hidden if name in values}, **secrets}
        folder = self.platform.new_id()
        references = {
            name: self.platform.secrets.put(f"scaffolder/{folder}/{name}", value) for name, value in given.items()
        }

        spec = run_spec(self.platform.registry, order, plan, references)
        spec = replace(spec, parent_id=parent_id, request_key=request_key)
        owner = spec.owner or ctx.principal.subject

        def work(tx: Tx) -> str:
            refuse_beyond(tx.conn, order.template.document, order.template.ref, owner)
            finish_draft(tx, ctx, draft_id, order.template.ref)
            if wizard_id is not None:
                repository.end_wizard(tx, wizard_id, order.template.ref, "task")
            return self.platform.runs.start(tx, ctx.principal, spec)

        try:
            return self.platform.store.write(work)
        except BaseException:  # no run will use them, so nothing else forgets them
            for reference in references.values():
                self.platform.secrets.delete(reference)
            raise

    def dry_run(
        self,
        ctx: OpContext,
        document: Mapping[str, Any],
        values: Mapping[str, Any],
        secrets: Mapping[str, str],
        directory: Sequence[Mapping[str, Any]],
    ) -> DryRun:
        """Try a template that is given in the request, with its files. Nothing is kept."""
        ctx.authorize("scaffolder.dry_run")
        metadata, version = document.get("metadata", {}), digest(document)
        if isinstance(metadata, Mapping):  # else it is refused with the rest
            metadata = {"name": "template", **metadata}
            document = {**document, "metadata": metadata}
        with tempfile.TemporaryDirectory() as folder:
            write_directory(Path(folder), directory)
            template = parse_template(
                document,
                f"template:default/{metadata['name']}".lower() if isinstance(metadata, Mapping) else "the template",
                f"file:{folder}/template.yaml",
                version,
            )
            return dry_run(ctx, self.renderer, self.order(template, values, secrets, Path(folder)))


def form_of(template: Template, now: int) -> dict[str, Any]:
    """The pages of a template's form in Backstage's shape."""
    spec = template.document["spec"]
    answer: dict[str, Any] = {
        "title": template.title,
        "description": template.description,
        "steps": [
            {
                "title": page.get("title") or "Please enter the following information",
                **({"description": page["description"]} if page.get("description") else {}),
                "schema": page_schema(page),
            }
            for page in template.pages
        ],
    }
    known = deprecation_of(spec)
    if known is not None:
        answer[DEPRECATION] = known.view(now)
    if spec.get("presentation"):
        answer["presentation"] = spec["presentation"]
    if template.document["metadata"].get("ui:options"):
        answer["ui:options"] = template.document["metadata"]["ui:options"]
    return answer


def task_view(run: Run) -> dict[str, Any]:
    """A run as Backstage's task."""
    states = {
        "queued": "open",
        "succeeded": "completed",
        "failed": "failed",
        "needs_attention": "failed",
        "cancelled": "cancelled",
        "undone": "cancelled",
    }
    document = run.definition.get("document", {})
    return {
        "id": run.id,
        "status": states.get(run.state, "processing"),
        "createdAt": run.created_at,
        "createdBy": run.created_by,
        "spec": {
            "apiVersion": document.get("apiVersion"),
            "parameters": run.input.get("values", {}),
            "steps": document.get("spec", {}).get("steps", []),
            "output": document.get("spec", {}).get("output", {}),
            "templateInfo": {"entityRef": run.input.get("template_ref")},
            "user": {"ref": run.created_by},
        },
    }


def _template_location(platform: Platform, annotation: str) -> str:
    """Where the catalog has a template from, as snapshots name it: `git:<repository>//<path>` on the built-in forge,
    whatever address that had then."""
    name, path = repository_and_path(annotation)
    is_elsewhere = not name or is_known_host(platform, annotation.removeprefix("url:"))
    return annotation if is_elsewhere else f"git:{name}//{path}"


def write_directory(root: Path, directory: Sequence[Mapping[str, Any]]) -> None:
    """The request's files below `root`. InputError for a path that leaves it, TooLargeError for more than
    `MAX_DIRECTORY` bytes."""
    tree, size = Tree(root), 0
    for item in directory:
        try:
            content = base64.b64decode(item["base64Content"])
        except ValueError as error:
            raise InputError("directoryContents holds text that is not base64") from error
        size += len(content)
        if size > MAX_DIRECTORY:
            raise TooLargeError(f"the template's files may have {MAX_DIRECTORY} bytes together")
        if item["path"].partition("/")[0] in TESTS:
            continue
        try:
            tree.write(item["path"], content, bool(item.get("executable")))
        except (InputError, OSError, ValueError) as error:
            told = error.detail if isinstance(error, InputError) else str(error).replace(str(root), ".")
            raise InputError(
                f"a path in directoryContents is not allowed: {told}", code="scaffolder.bad_path"
            ) from error
    (root / "template.yaml").touch()
