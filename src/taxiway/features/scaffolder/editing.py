"""What the template editor works with: the files of a template as they are, and what the lint says of files that are
sent. The portal calls it through `editing_routes`.

Nothing is written anywhere: a change is proposed through pull requests, as any other change of a repository.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.features.catalog.service.edit_source import Unwritten, Written, find_written
from taxiway.features.catalog.service.lint import Finding
from taxiway.features.scaffolder.authoring.lint import lint
from taxiway.features.scaffolder.authoring.reading import read_file
from taxiway.features.scaffolder.authoring.trying import known_actions
from taxiway.features.scaffolder.model import parse_template
from taxiway.features.scaffolder.rendering.client import RendererForAWhile
from taxiway.features.scaffolder.service import MAX_DIRECTORY, Scaffolder, form_of, write_directory
from taxiway.features.scaffolder.snapshot import reads_outside, template_files
from taxiway.kit.plain import read_json
from taxiway.model.errors import InputError, TaxiwayError, TooLargeError

MOST_FILES = 1_000
MOST_STEPS = 200
MOST_FINDINGS = 200
LINT_SECONDS = 10.0
TEXT = "utf-8"


@dataclass(frozen=True)
class TemplateFile:
    """A file of a template, by its path beside the template."""

    path: str
    content: bytes
    executable: bool

    @property
    def text(self) -> str | None:
        """Its text; None for bytes that are none."""
        try:
            return None if b"\0" in self.content else self.content.decode(TEXT)
        except UnicodeDecodeError:
            return None


@dataclass(frozen=True)
class OpenTemplate:
    """A template with its files. `entry` is the template's own; `written` says where it lives, or why it cannot be
    changed there."""

    ref: str
    title: str
    entry: str
    files: Sequence[TemplateFile]
    written: Written | Unwritten
    reads_outside: bool


@dataclass(frozen=True)
class Judged:
    """What was found in files. `document` and `form` are those of the first template, where it is usable; else
    `reason`."""

    findings: Sequence[Finding]
    document: Mapping[str, Any] | None = None
    form: Mapping[str, Any] | None = None
    reason: str | None = None


def open_template(ctx: OpContext, scaffolder: Scaffolder, ref: str) -> OpenTemplate:
    """The template `ref` with the files in its folder, as they are now. NotFoundError when the caller sees no such
    template, TooLargeError when its files are too many to edit here."""
    ctx.authorize("scaffolder.dry_run")
    written = find_written(ctx, ref)
    template = scaffolder.template(ref)
    commit = written.file.commit if isinstance(written, Written) else None
    files: list[TemplateFile] = []
    size = 0
    entry, listed = template_files(ctx.platform, template.location, commit)
    for path, content, executable in listed:
        size += len(content)
        if size > MAX_DIRECTORY or len(files) >= MOST_FILES:
            raise TooLargeError(
                f"the folder of {ref} holds more than {MOST_FILES} files or {MAX_DIRECTORY} bytes: edit it in a clone",
                code="scaffolder.too_large_to_edit",
            )
        files.append(TemplateFile(path, content, executable))
    return OpenTemplate(ref, template.title, entry, files, written, reads_outside(template.document))


def lint_files(ctx: OpContext, scaffolder: Scaffolder, entry: str, files: Sequence[Mapping[str, Any]]) -> Judged:
    """What `taxiway template lint` says of the template `entry` among `files`, with the form that it asks.

    Bounded in files, bytes, steps and seconds; nothing outside of the files is read.
    """
    ctx.authorize("scaffolder.dry_run")
    if not any(item["path"] == entry for item in files):
        raise InputError(f"'{entry}' is not among the files: send the template too", code="scaffolder.no_entry")
    if any(".git" in PurePosixPath(item["path"]).parts for item in files):
        raise InputError("files below .git are no part of a template: leave them out", code="scaffolder.bad_path")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write_directory(root, files)
        (root / ".git").mkdir()  # the checkout ends here: nothing around the folder is looked at
        return _judged(ctx, scaffolder, root, root / entry)


def _judged(ctx: OpContext, scaffolder: Scaffolder, root: Path, file: Path) -> Judged:
    renderer = RendererForAWhile(scaffolder.renderer, LINT_SECONDS)
    subjects, findings = read_file(file, renderer, known_actions(ctx.platform))
    refused = next((one.message for one in findings if one.level == "error"), None)
    for subject in subjects:
        if len(subject.steps) > MOST_STEPS:
            raise TooLargeError(
                f"a template of more than {MOST_STEPS} steps is not judged here: run `taxiway template lint` beside it",
                code="scaffolder.too_large_to_edit",
            )
        findings += lint(subject)
    unique = [_relative(root, one) for one in dict.fromkeys(findings)]
    unique.sort(key=lambda found: (found.path != file.name, found.path, found.line or 0, found.code))
    shown = unique[:MOST_FINDINGS]
    if refused or not subjects:
        return Judged(shown, reason=refused or "there is no document of kind Template that can be read")
    try:
        document = read_json(orjson.dumps(subjects[0].document))
        template = parse_template(document, "this template", f"file:{file}", "")
    except TaxiwayError as error:
        return Judged(shown, reason=error.detail)
    except (TypeError, ValueError) as error:
        return Judged(shown, reason=f"it holds what JSON has not: {error}")
    return Judged(shown, document, form_of(template, ctx.platform.clock.now()))


def _relative(root: Path, finding: Finding) -> Finding:
    """With its path beside the template, and no path of this machine in its words."""
    path = (Path.cwd() / finding.path).resolve()
    shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else finding.path
    told = {
        name: getattr(finding, name).replace(f"{root}/", "").replace(str(root), ".") for name in ("message", "remedy")
    }
    return replace(finding, path=shown, **told)
