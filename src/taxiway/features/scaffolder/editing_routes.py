"""The template editor over HTTP: the files of a template, and the lint of files that are sent."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from taxiway.core.http.context import Ctx
from taxiway.core.http.headers import json_bytes
from taxiway.core.operations import Operations
from taxiway.features.catalog.service.edit_source import Unwritten
from taxiway.features.pulls import service as pulls
from taxiway.features.scaffolder import editing
from taxiway.features.scaffolder.routes import DirectoryFile, scaffolder_of

operations = Operations("scaffolder")
BASE = "/api/scaffolder/v1"
Part = Annotated[str, Path(max_length=253)]


class TemplateFileView(BaseModel):
    """A file beside a template: its text, or base64 of bytes that are none."""

    path: str
    text: str | None
    content_base64: str | None
    executable: bool


class TemplateFiles(BaseModel):
    """A template as it is now. `entry` is its own file. When it cannot be changed where it lives: why, and what to
    do; else the repository, the folder in it, the branch and the commit. `reads_outside` says that it uses files that
    are not among these."""

    ref: str
    title: str
    entry: str
    is_editable: bool
    reason: str | None
    remedy: str | None
    repository: str | None
    folder: str | None
    branch: str | None
    commit: str | None
    is_protected: bool
    reads_outside: bool
    files: list[TemplateFileView]


class LintRequest(BaseModel):
    """Files of a template to judge; `entry` is the path of the template itself."""

    model_config = ConfigDict(extra="forbid")
    entry: str = Field("template.yaml", max_length=1000)
    files: list[DirectoryFile] = Field(min_length=1, max_length=editing.MOST_FILES)


class LintFinding(BaseModel):
    """One thing that is wrong, with the file beside the template, its line, and what to do."""

    level: Literal["error", "warning", "note"]
    code: str
    path: str
    line: int | None
    message: str
    remedy: str


class LintAnswer(BaseModel):
    """What is wrong, errors of the template itself first. `template` is the document as it was read, and `form` what
    its wizard asks, in the shape of the parameter schema; where it is not usable yet, `reason` says why."""

    findings: list[LintFinding]
    template: dict[str, Any] | None
    form: dict[str, Any] | None
    reason: str | None


@operations.get(f"{BASE}/templates/{{namespace}}/{{name}}/files", "scaffolder.dry_run", response=TemplateFiles)
def get_template_files(ctx: Ctx, namespace: Part, name: Part) -> Response:
    """A golden path with the files in its folder, for an editor."""
    found = editing.open_template(ctx, scaffolder_of(ctx), f"template:{namespace}/{name}".lower())
    files = []
    for item in found.files:
        text = item.text
        content = base64.b64encode(item.content).decode() if text is None else None
        files.append({"path": item.path, "text": text, "content_base64": content, "executable": item.executable})
    return json_bytes(
        {
            "ref": found.ref,
            "title": found.title,
            "entry": found.entry,
            **_place(ctx, found),
            "reads_outside": found.reads_outside,
            "files": files,
        }
    )


@operations.post(f"{BASE}/lint", "scaffolder.dry_run", effect="read", response=LintAnswer)
def lint_template(ctx: Ctx, body: LintRequest) -> Response:
    """Judge a golden path that is sent with its files, as `taxiway template lint` does. Nothing is kept."""
    files = [item.model_dump() for item in body.files]
    found = editing.lint_files(ctx, scaffolder_of(ctx), body.entry, files)
    names = ("level", "code", "path", "line", "message", "remedy")
    return json_bytes(
        {
            "findings": [{name: getattr(one, name) for name in names} for one in found.findings],
            "template": found.document,
            "form": found.form,
            "reason": found.reason,
        }
    )


def _place(ctx: Ctx, found: editing.OpenTemplate) -> dict[str, Any]:
    written = found.written
    if isinstance(written, Unwritten):
        nowhere = dict.fromkeys(("repository", "folder", "branch", "commit"))
        told = {"reason": written.reason, "remedy": written.remedy}
        return {"is_editable": False, **told, **nowhere, "is_protected": False}
    there, file = written.file.repository, written.file
    return {
        "is_editable": True,
        "reason": None,
        "remedy": None,
        "repository": there.name,
        "folder": file.path.rpartition("/")[0],
        "branch": there.default_branch,
        "commit": file.commit,
        "is_protected": pulls.is_protected(ctx.platform, there.name, there.default_branch),
    }
