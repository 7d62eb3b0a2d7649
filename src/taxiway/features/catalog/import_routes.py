"""Operations that import from other portals: send documents, start, and read the report of a run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.catalog import views
from taxiway.features.catalog.routes import JSON
from taxiway.features.catalog.service import imports
from taxiway.features.catalog.service.import_files import put_document
from taxiway.kit.paging import MAX_LIMIT

operations = Operations("catalog")
BASE = "/api/catalog/v1/imports"
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Text without control characters."""
Format = Literal["backstage", "backstage-config", "cortex", "opslevel", "port"]


class DocumentText(BaseModel):
    """The text of a document: JSON, JSON lines or YAML."""

    model_config = ConfigDict(extra="forbid")
    content: str = Field(max_length=10_000_000)


class DocumentKept(BaseModel):
    """A kept document, to be named by its digest."""

    digest: str


class ImportDocument(BaseModel):
    """A document: its name, and its text or the digest of one that was sent before."""

    model_config = ConfigDict(extra="forbid")
    name: Line = Field(max_length=300)
    content: str | None = Field(None, max_length=10_000_000)
    digest: str | None = Field(None, max_length=100)


class ImportInput(BaseModel):
    """What to import. `name` names the source: the same name again follows what changed. Without `apply` nothing is
    changed. `kinds` maps foreign types to kinds; `base` is the folder of relative files in a configuration."""

    model_config = ConfigDict(extra="forbid")
    format: Format
    name: str = Field(max_length=63)
    documents: list[ImportDocument] = Field(max_length=imports.MAX_DOCUMENTS)
    apply: bool = False
    owner: Line | None = Field(None, max_length=400)
    kinds: dict[Line, str] = Field({}, max_length=200)
    base: Line | None = Field(None, max_length=1000)


class ImportField(BaseModel):
    """What became of a field: JSON pointers into the document and into the entity, and why."""

    field: str
    fate: Literal["carried", "changed", "not_carried", "added"]
    to: str | None
    note: str


class ImportItem(BaseModel):
    """What became of one thing in a document. `reason` says why it was refused, `problem` what the catalog says."""

    document: str
    at: str
    line: int
    source: str
    outcome: Literal["entity", "location", "definition", "refused"]
    kind: str | None
    ref: str | None
    reason: str | None
    problem: str | None
    location: dict[str, Any] | None
    fields: list[ImportField]
    entity: dict[str, Any] | None


class ImportReport(BaseModel):
    """A page of a report, in the order of the documents."""

    items: list[ImportItem]
    next_cursor: str | None


@operations.post(f"{BASE}/documents", imports.CREATE, status=201, response=DocumentKept)
def add_import_document(ctx: Ctx, body: DocumentText) -> Response:
    """Send a document for an import whose documents are too large for one request."""
    return json_bytes({"digest": put_document(ctx, body.content)}, status=201)


@operations.post(BASE, imports.CREATE, status=202, response=views.Started)
def create_import(ctx: Ctx, body: ImportInput) -> Response:
    """Convert the documents of another portal in a run, and apply them when asked to.

    Without `apply` the run only writes the report. What was applied is a source of its own: undo the run, or unregister
    the location of type `import`, and it is gone.
    """
    documents = [(one.name, one.content, one.digest) for one in body.documents]
    request = imports.ImportRequest(body.format, body.name, documents, body.apply, body.owner, body.kinds, body.base)
    run_id = imports.start_import(ctx, request)
    return json_bytes({"run_id": run_id}, status=202, headers={"location": f"/api/runs/v1/runs/{run_id}"})


@operations.get(f"{BASE}/{{run_id}}/report", imports.CREATE, response=ImportReport)
def get_import_report(
    ctx: Ctx,
    run_id: Annotated[str, Path(max_length=100)],
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """What became of each thing in the documents, and of each of its fields."""
    page = imports.read_report(ctx, run_id, cursor, limit)
    body = b'{"items":[' + b",".join(line.strip() for line in page.lines) + b'],"next_cursor":'
    return Response(body + orjson.dumps(page.next_cursor) + b"}", media_type=JSON)
