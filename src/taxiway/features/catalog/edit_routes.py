"""Operations that change entities where they live, in repositories of the built-in forge."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.catalog.edit_fields import ENTERED, FormField, Shape, fields_of, value_at
from taxiway.features.catalog.kinds import Kinds
from taxiway.features.catalog.service import additions, edits
from taxiway.features.catalog.service.edit_source import EDIT, Unwritten, find_written, may_commit
from taxiway.features.catalog.service.kinds import known_kinds
from taxiway.features.catalog.sources.targets import DEFAULT_FILE
from taxiway.features.pulls import service as pulls
from taxiway.kit.yaml12 import YamlError, load_all
from taxiway.kit.yaml_editing import MAX_BYTES

operations = Operations("catalog")
BASE = "/api/catalog/v1/edits"
ONE = f"{BASE}/{{kind}}/{{namespace}}/{{name}}"
Part = Annotated[str, Path(max_length=253)]
IfMatch = Annotated[str | None, Header(max_length=100)]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class FormFieldView(BaseModel):
    """A usual field of a kind: a JSON Pointer, what it takes, and what it has. `choice` suggests its options; `enum`
    and `enums` take nothing else."""

    pointer: str
    title: str
    shape: Shape
    required: bool
    default_kind: str | None
    options: list[str]
    description: str | None
    minimum: float | None
    maximum: float | None
    value: Any = None


class EditForm(BaseModel):
    """The usual fields of a kind, and the kinds that people enter one by one."""

    kind: str
    fields: list[FormFieldView]
    kinds: list[str]


class EditableView(BaseModel):
    """Where an entity is written, and its document's own text. When it cannot be edited here: why, and what to do."""

    ref: str
    is_editable: bool
    reason: str | None = None
    remedy: str | None = None
    repository: str | None = None
    path: str | None = None
    branch: str | None = None
    commit: str | None = None
    line: int | None = None
    etag: str | None = None
    may_commit: bool = False
    is_protected: bool = False
    text: str | None = None
    fields: list[FormFieldView] = []


class _Change(BaseModel):
    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any] | None = None
    text: str | None = Field(None, max_length=MAX_BYTES)
    message: Line | None = None
    how: Literal["pull", "commit"] = "pull"


class EditBody(_Change):
    """`fields`, JSON Pointers to new values (null removes one); or `document`, the whole value; or `text`, the
    document's own text, with `fields` that change it then. `how` says whether to open a pull request or to commit."""

    fields: dict[str, Any] | None = Field(None, max_length=100)

    @model_validator(mode="after")
    def _is_one(self) -> EditBody:
        if (self.document is None) == (self.fields is None and self.text is None):
            raise ValueError("give fields, a text, or a document")
        return self

    def change(self) -> edits.Change:
        """As the service takes it."""
        return edits.Change(self.fields, self.document, self.text, self.message)


class AdditionBody(_Change):
    """A new entity for a file of a repository: its `document`, or its `text`."""

    repository: Line
    path: Line = DEFAULT_FILE

    @model_validator(mode="after")
    def _is_one(self) -> AdditionBody:
        if (self.document is None) == (self.text is None):
            raise ValueError("give one of document and text")
        return self

    def change(self) -> edits.Change:
        """As the service takes it."""
        return edits.Change(None, self.document, self.text, self.message)


class EditProblem(BaseModel):
    """What the catalog would say of a change. `line` counts in the document's own text."""

    line: int | None
    code: str
    detail: str
    remedy: str


class EditPreview(BaseModel):
    """What a change would do: a unified diff of the file, the document's own text, and what is wrong with it."""

    ref: str
    repository: str
    path: str
    etag: str
    title: str
    is_changed: bool
    may_commit: bool
    is_protected: bool
    diff: str
    text: str
    fields: list[FormFieldView]
    problems: list[EditProblem]


class EditOutcome(BaseModel):
    """What was made: a pull request by its number, or a commit."""

    repository: str
    pull: int | None
    commit: str | None


@operations.get(f"{BASE}/form", EDIT, response=EditForm)
def get_edit_form(ctx: Ctx, kind: Annotated[str, Query(max_length=63)] = "Component") -> Response:
    """The usual fields of a kind, for a form."""
    kinds = known_kinds(ctx.platform)
    entered = [*ENTERED, *sorted(kinds.sources)]
    return json_bytes({"kind": kind, "fields": [_field(item) for item in fields_of(kind, kinds)], "kinds": entered})


@operations.get(ONE, "catalog.entity.read", response=EditableView)
def get_edit(ctx: Ctx, kind: Part, namespace: Part, name: Part) -> Response:
    """Where an entity is written, and its text for whoever may edit it. The ETag is the file's."""
    ref = _ref(kind, namespace, name)
    found = find_written(ctx, ref)
    if isinstance(found, Unwritten):
        return json_bytes({"ref": ref, "is_editable": False, "reason": found.reason, "remedy": found.remedy})
    file, part = found.file, found.part
    there = file.repository
    body = {
        "ref": ref,
        "is_editable": True,
        "repository": there.name,
        "path": file.path,
        "branch": there.default_branch,
        "commit": file.commit,
        "line": part.line,
        "etag": file.etag,
        "may_commit": may_commit(ctx, file),
        "is_protected": pulls.is_protected(ctx.platform, there.name, there.default_branch),
        "text": file.text[part.start : part.end].replace("\r\n", "\n"),
        "fields": [
            _field(item, value_at(part.value, item))
            for item in fields_of(str(part.value["kind"]), known_kinds(ctx.platform))
        ],
    }
    return json_bytes(body, headers={"etag": f'"{file.etag}"'})


@operations.post(f"{ONE}/preview", EDIT, effect="read", response=EditPreview)
def preview_edit(ctx: Ctx, kind: Part, namespace: Part, name: Part, body: EditBody) -> Response:
    """What a change of an entity would do: the diff of its file, and what is wrong with it. Nothing is changed."""
    return json_bytes(_preview(ctx, edits.preview_edit(ctx, _ref(kind, namespace, name), body.change())))


@operations.post(ONE, EDIT, status=201, response=EditOutcome)
def edit_entity(
    ctx: Ctx, kind: Part, namespace: Part, name: Part, body: EditBody, if_match: IfMatch = None
) -> Response:
    """Change an entity where it is written, by a pull request or a commit; every other byte of the file stays.

    With `If-Match`, the ETag of an earlier answer, the change is refused when the file is another one by now.
    """
    made = edits.edit_entity(ctx, _ref(kind, namespace, name), body.change(), _etag(if_match), body.how)
    return _made(made)


@operations.post(f"{BASE}/preview", EDIT, effect="read", response=EditPreview)
def preview_addition(ctx: Ctx, body: AdditionBody) -> Response:
    """What adding an entity would do: the diff of the file, and what is wrong with it. Nothing is changed."""
    return json_bytes(_preview(ctx, edits.preview_addition(ctx, body.repository, body.path, body.change())))


@operations.post(BASE, EDIT, status=201, response=EditOutcome)
def add_entity(ctx: Ctx, body: AdditionBody, if_match: IfMatch = None) -> Response:
    """Add an entity to a file of a repository, by a pull request or a commit; the catalog takes it in from there."""
    made = additions.add_entity(ctx, body.repository, body.path, body.change(), _etag(if_match), body.how)
    return _made(made)


def _preview(ctx: Ctx, seen: edits.Preview) -> dict[str, Any]:
    there = seen.file.repository
    return {
        "ref": seen.ref,
        "repository": there.name,
        "path": seen.file.path,
        "etag": seen.file.etag,
        "title": seen.title,
        "is_changed": seen.edited != seen.file.text,
        "may_commit": may_commit(ctx, seen.file),
        "is_protected": pulls.is_protected(ctx.platform, there.name, there.default_branch),
        "diff": seen.diff,
        "text": seen.own.replace("\r\n", "\n"),
        "fields": _fields_of(seen.own, known_kinds(ctx.platform)),
        "problems": [
            {"line": item.line, "code": item.code, "detail": item.detail, "remedy": item.remedy}
            for item in seen.problems[:100]
        ],
    }


def _made(made: edits.Outcome) -> Response:
    place = f"/api/pulls/v1/pulls/{made.repository}/{made.pull}"
    headers = {"location": place} if made.pull is not None else {}
    body = {"repository": made.repository, "pull": made.pull, "commit": made.commit}
    return json_bytes(body, status=201, headers=headers)


def _fields_of(own: str, kinds: Kinds) -> list[dict[str, Any]]:
    try:
        value = next((document.value for document in load_all(own)), None)
    except YamlError:
        return []
    if not isinstance(value, dict):
        return []
    return [_field(item, value_at(value, item)) for item in fields_of(str(value.get("kind")), kinds)]


def _field(item: FormField, value: Any = None) -> dict[str, Any]:
    return {
        "pointer": item.pointer,
        "title": item.title,
        "shape": item.shape,
        "required": item.required,
        "default_kind": item.default_kind,
        "options": list(item.options),
        "description": item.description,
        "minimum": item.minimum,
        "maximum": item.maximum,
        "value": value,
    }


def _ref(kind: str, namespace: str, name: str) -> str:
    return f"{kind}:{namespace}/{name}".lower()


def _etag(if_match: str | None) -> str | None:
    if if_match is None or if_match.strip() == "*":
        return None
    return if_match.strip().removeprefix("W/").strip('"')
