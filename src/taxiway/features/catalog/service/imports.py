"""Starting an import, and reading its report. The work is done by a run of kind `import` (`import_work`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taxiway.core.context import OpContext
from taxiway.core.cursors import last_seen
from taxiway.features.catalog.importers.formats import FORMATS, KINDS
from taxiway.features.catalog.refs import full_ref
from taxiway.features.catalog.service.import_files import document_text, put_document, report_lines
from taxiway.features.catalog.validation import is_name
from taxiway.kit.paging import encode_cursor
from taxiway.model.errors import ConflictError, FieldError, InputError, NotFoundError
from taxiway.model.run import RunSpec, StepDefinition

CREATE = "catalog.location.create"
KIND = "import"
MAX_DOCUMENTS = 1000
MAX_BYTES = 100_000_000
"""Of all documents of an import together."""


@dataclass(frozen=True)
class ImportRequest:
    """What to import. Documents are (name, text, digest of a text sent before); one of the two last is set."""

    format: str
    name: str
    documents: Sequence[tuple[str, str | None, str | None]]
    apply: bool = False
    owner: str | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    base: str | None = None


def start_import(ctx: OpContext, request: ImportRequest) -> str:
    """Start a run that converts documents, and applies them when it is asked to; its id.

    The rights are those of registering a location that belongs to `owner`.
    """
    owner = None if request.owner is None else full_ref(request.owner, "group")
    ctx.authorize(CREATE, owner)
    _check(request)
    documents = []
    total = 0
    for name, text, digest in request.documents:
        kept = put_document(ctx, text) if text is not None else digest or ""
        total += len(document_text(ctx.platform, ctx.principal.subject, kept))
        documents.append({"name": name, "digest": kept})
        if total > MAX_BYTES:
            raise InputError(
                f"the documents have more than {MAX_BYTES} bytes together: import them in parts",
                code="catalog.import_size",
            )
    spec = RunSpec(
        kind=KIND,
        title=f"Import {request.format}/{request.name}" + ("" if request.apply else " (dry run)"),
        steps=(StepDefinition("import", "Convert and apply" if request.apply else "Convert", "catalog:import"),),
        input={
            "format": request.format,
            "name": request.name,
            "owner": owner,
            "apply": request.apply,
            "kinds": dict(request.kinds),
            "base": request.base,
            "documents": documents,
        },
        owner=owner,
    )
    return ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))


def _check(request: ImportRequest) -> None:
    errors = []
    if request.format not in FORMATS:
        errors.append(FieldError("/format", "known are " + ", ".join(sorted(FORMATS))))
    if not is_name(request.name):
        errors.append(FieldError("/name", "must be 1 to 63 letters, digits, '-', '_' and '.'"))
    if not 1 <= len(request.documents) <= MAX_DOCUMENTS:
        errors.append(FieldError("/documents", f"must be 1 to {MAX_DOCUMENTS} documents"))
    for index, (_, text, digest) in enumerate(request.documents):
        if (text is None) == (digest is None):
            errors.append(FieldError(f"/documents/{index}", "give content or digest"))
    for foreign, kind in request.kinds.items():
        if kind not in KINDS:
            errors.append(FieldError(f"/kinds/{foreign}", "known are " + ", ".join(sorted(KINDS))))
    if request.base is not None and not request.base.startswith("/"):
        errors.append(FieldError("/base", "must be an absolute path"))
    if errors:
        first = "; ".join(f"{error.pointer}: {error.detail}" for error in errors[:3])
        raise InputError(f"this cannot be imported: {first}", code="catalog.bad_import", errors=errors[:20])


@dataclass(frozen=True)
class ReportPage:
    """Lines of a report, as JSON texts."""

    lines: Sequence[bytes]
    next_cursor: str | None


def read_report(ctx: OpContext, run_id: str, cursor: str | None, limit: int) -> ReportPage:
    """A page of what became of each document. ConflictError while the run has no report."""
    run = ctx.platform.runs.get(run_id)
    if run.kind != KIND:
        raise NotFoundError(f"the run {run_id} is no import", code="catalog.no_import")
    ctx.authorize(CREATE, run.owner)
    digest = next(
        (found for step in run.steps for found in (_digest(step.output), _digest(step.checkpoints)) if found), None
    )
    if digest is None:
        raise ConflictError(f"the import {run_id} has no report yet: it is {run.state}", code="catalog.no_report")
    found = list(report_lines(ctx.platform, digest, last_seen(cursor, int) or 0, limit + 1))
    more = len(found) > limit
    page = found[:limit]
    return ReportPage([line for line, _ in page], encode_cursor([page[-1][1]]) if more else None)


def _digest(said: Mapping[str, Any] | None) -> str | None:
    digest = (said or {}).get("report")
    return digest if isinstance(digest, str) else None
