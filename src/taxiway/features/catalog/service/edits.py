"""Edits of entities where they live: judged as ingestion judges, shown as a diff, then proposed as a pull request or
committed to the source file. The catalog follows the repository; nothing is written into it from here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal

import orjson

from taxiway.core.context import OpContext
from taxiway.core.permissions import decide
from taxiway.features.catalog.edit_text import (
    Part,
    appended,
    diff_of,
    merged,
    part_at,
    with_text,
    with_value,
    with_values,
)
from taxiway.features.catalog.model import Location, Problem
from taxiway.features.catalog.repository import reading
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service.apply import judge
from taxiway.features.catalog.service.edit_source import (
    EDIT,
    SourceFile,
    Unwritten,
    Written,
    find_editable,
    may_commit,
    read_file,
)
from taxiway.features.catalog.service.reading import read_items
from taxiway.features.catalog.sources.targets import DEFAULT_FILE, Target, forge_of
from taxiway.features.catalog.sources.trees import GitTree, Tree, inside, is_pattern
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.model import person
from taxiway.features.pulls.service.hosts import owner_of, repository_of
from taxiway.kit.plain import read_json
from taxiway.kit.yaml_writing import write_document
from taxiway.model.errors import ConflictError, FieldError, InputError, NotAllowedError, PreconditionError
from taxiway.model.workload import FileChange

How = Literal["pull", "commit"]
EDITS, ADDITIONS = "taxiway/edit-", "taxiway/add-"
"""Branches of pull requests that come from here."""
AT_MOST = 1000


@dataclass(frozen=True)
class Change:
    """What is to be different: fields by JSON Pointer (None removes one), the whole value, or the document's own text.

    Fields may come with a text, which they then change; otherwise exactly one of the three is given. `message` is the
    title of the pull request or commit, if not the usual one."""

    fields: Mapping[str, Any] | None = None
    value: Mapping[str, Any] | None = None
    text: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a change would do. `problems` are what ingestion would say of it, with lines of the document's own text."""

    file: SourceFile
    edited: str
    own: str
    ref: str
    title: str
    problems: Sequence[Problem] = ()
    location: Location | None = field(default=None, repr=False)

    @property
    def diff(self) -> str:
        """The file before and after."""
        return diff_of(self.file.text, self.edited, self.file.path)


@dataclass(frozen=True)
class Outcome:
    """What was made: a commit on the default branch, or a pull request by its number."""

    repository: str
    commit: str | None = None
    pull: int | None = None


def preview_edit(ctx: OpContext, ref: str, change: Change) -> Preview:
    """What changing an entity would do. InputError for a change that cannot be made at all."""
    _refuse_strange(change)
    written = find_editable(ctx, ref)
    file = written.file
    edited, part = _edited(ctx, written, change)
    own = edited[part.start : part.end]
    problems = _judge(ctx, file, own, ref, written.location)
    title = (change.message or "").strip() or _title(ref, change)
    return Preview(file, edited, own, ref, title, problems, written.location)


def edit_entity(ctx: OpContext, ref: str, change: Change, etag: str | None, how: How) -> Outcome:
    """Make a change. PreconditionError when the file is not the one of `etag` any more, InputError for one that is not
    valid or changes nothing."""
    return submit(ctx, lambda: preview_edit(ctx, ref, change), etag, how, EDITS)


def preview_addition(ctx: OpContext, repository: str, path: str, change: Change) -> Preview:
    """What adding an entity to a file of a repository would do; a file that is there gets one more document."""
    _refuse_strange(change)
    there = repository_of(ctx.platform, repository)
    ctx.authorize(EDIT, owner_of(there))
    path = inside(path or DEFAULT_FILE)
    if is_pattern(path) or path.startswith(".") or not path.endswith((".yaml", ".yml")):
        raise InputError(f"'{path}' is no name for a YAML file: use {DEFAULT_FILE}", code="catalog.bad_path")
    file = read_file(ctx.platform, there, path)
    if isinstance(file, Unwritten):
        raise ConflictError(f"{file.reason} {file.remedy}", code="catalog.not_editable")
    own = change.text if change.text is not None else write_document(change.value or {})
    own = own if own.endswith("\n") else f"{own}\n"
    problems = _judge(ctx, file, own, None, None)
    name = _name_of(own)
    title = (change.message or "").strip() or f"Add {name or 'an entity'} to the catalog"
    return Preview(file, appended(file.text, own), own, name, title, problems)


def submit(ctx: OpContext, look: Callable[[], Preview], etag: str | None, how: How, prefix: str) -> Outcome:
    """Make what `look` shows, unless it is not valid; on a branch that begins with `prefix` where it is proposed."""
    for last in (False, False, True):
        seen = look()
        if etag is not None and etag != seen.file.etag:
            raise PreconditionError(
                f"{seen.file.path} changed since it was read: look at it as it is now, then repeat the change",
                code="catalog.file_moved",
            )
        _refuse(seen)
        try:
            return _commit(ctx, seen) if how == "commit" else _propose(ctx, seen, prefix)
        except ConflictError as error:
            # Something else in the repository moved between reading and writing: the file may be the same.
            if last or error.code not in ("repositories.moved", "pulls.base_moved"):
                raise
    raise AssertionError("not reached")


def _refuse_strange(change: Change) -> None:
    # Numbers, texts and depths that JSON's own parser lets through, and that no file could hold.
    try:
        read_json(orjson.dumps([change.fields, change.value]))
    except (TypeError, ValueError) as error:
        raise InputError(f"a value cannot be written to a file: {error}", code="catalog.bad_field") from error


def _refuse(seen: Preview) -> None:
    if seen.problems:
        errors = [FieldError(f"line {item.line or 1}", item.detail) for item in seen.problems[:20]]
        raise InputError(f"not a valid entity: {seen.problems[0].detail}", code="catalog.invalid_edit", errors=errors)
    if seen.edited == seen.file.text:
        raise InputError("nothing would change: change something first", code="catalog.no_change")


def _commit(ctx: OpContext, seen: Preview) -> Outcome:
    file, there = seen.file, seen.file.repository
    if not may_commit(ctx, file):
        raise NotAllowedError(
            f"{there.default_branch} of {there.name} is protected, or you may not push to it: open a pull request",
            code="not_allowed.repositories.write",
        )
    content = {file.path: FileChange(file.encoded(seen.edited))}
    by = person(ctx.principal)
    commit = forge_of(ctx.platform).commit(
        there.name, there.default_branch, content, message=seen.title, author=by, expect=file.commit
    )
    return Outcome(there.name, commit=commit)


def _propose(ctx: OpContext, seen: Preview, prefix: str) -> Outcome:
    file, there = seen.file, seen.file.repository
    word = re.sub(r"[^a-z0-9]+", "-", seen.ref.rpartition("/")[2].lower()).strip("-")[:40]
    head = f"{prefix}{word or 'entity'}-{ctx.platform.new_id()[-8:]}"
    body = f"Proposed by {person(ctx.principal)} in the catalog."
    content = {file.path: FileChange(file.encoded(seen.edited))}
    proposal = pulls.Proposal(there.name, head, content, seen.title[:200], body, expect=file.commit)
    row = pulls.propose_change(_proposer(ctx, file.owner), proposal)
    return Outcome(there.name, pull=int(row["number"]))


def _proposer(ctx: OpContext, owner: str | None) -> OpContext:
    # Who owns an entity may propose a change of its description, also where the repository is somebody else's: its
    # owners judge the pull request.
    may = all(
        decide(ctx.platform.permissions, ctx.principal, name, owner).allowed
        for name in ("pulls.propose", "pulls.write")
    )
    if may:
        return ctx
    system = ctx.platform.system("catalog")
    return system.acting_as(replace(system.principal, on_behalf_of=person(ctx.principal)))


def _edited(ctx: OpContext, written: Written, change: Change) -> tuple[str, Part]:
    """The file with the change, and the document's part of it."""
    text, part = written.file.text, written.part
    if change.text is not None:
        text, part = _taken_over(text, part, with_text(text, part, change.text))
    if change.value is not None:
        ref = written.known.ref
        with ctx.platform.store.read() as conn:
            stored = orjson.loads(reading.texts_by_refs(conn, [ref]).get(ref, "{}"))
        return _taken_over(text, part, with_value(text, part, merged(part.value, stored, change.value)))
    if change.fields:
        return _taken_over(text, part, with_values(text, part, change.fields))
    return text, part


def _taken_over(old: str, part: Part, new: str) -> tuple[str, Part]:
    end = len(new) - (len(old) - part.end)
    return new, part_at(new, part.start, end)


def _title(ref: str, change: Change) -> str:
    name = ref.rpartition("/")[2]
    names = [pointer.lstrip("/").replace("/", ".") for pointer in change.fields or {}]
    if 0 < len(names) <= 3:
        return f"{name}: change {', '.join(names)}"[:200]
    return f"{name}: change its description in the catalog"


class _Overlay:
    """A tree in which one file holds another text."""

    def __init__(self, tree: Tree, path: str, text: str) -> None:
        self._tree, self._path, self._text = tree, path, text
        self.state = tree.state

    def read(self, path: str) -> bytes:
        return self._text.encode() if inside(path) == self._path else self._tree.read(path)

    def match(self, pattern: str) -> Sequence[str]:
        return self._tree.match(pattern)

    def location(self, path: str) -> str:
        return self._tree.location(path)


def _judge(ctx: OpContext, file: SourceFile, own: str, ref: str | None, location: Location | None) -> list[Problem]:
    """What ingestion would say of a text. An edit keeps its reference; an addition takes one that is free."""
    tree = _Overlay(GitTree(forge_of(ctx.platform), file.repository.name), file.path, own)
    target = Target(tree, file.path, file.repository.name, file.repository.owner)
    trusted = location is not None and location.trusted
    items = list(islice(read_items(ctx.platform, target, trusted), AT_MOST))
    with ctx.platform.store.read() as conn:
        kinds = load_kinds(conn)
    source_id = location.id if location else ""
    judged = judge(items, location.reference if location else None, trusted, kinds, source_id)
    problems = list(judged.problems)
    if problems:
        return problems
    here = [name for name, record in judged.records.items() if record.location == tree.location(file.path)]
    if ref is None:
        return _taken(ctx, file, here)
    if here != [ref]:
        detail = f"it would be {here[0] if here else 'nothing'} instead of {ref}"
        remedy = "Keep kind, namespace and name. Rename it by a change of the file in the repository."
        return [Problem(file.path, detail, remedy, 1, ref)]
    return []


def _taken(ctx: OpContext, file: SourceFile, refs: Sequence[str]) -> list[Problem]:
    if not refs:
        return [Problem(file.path, "the text holds no entity", "Write one with apiVersion, kind, metadata and spec.")]
    with ctx.platform.store.read() as conn:
        there = known_by_refs(conn, refs)
    remedy = "Take another name, or edit that one."
    return [Problem(file.path, f"there is an entity {ref} already", remedy, 1, ref, "conflict") for ref in there]


def _name_of(own: str) -> str:
    match = re.search(r"^[ \t]+name:[ \t]*['\"]?([A-Za-z0-9._-]+)", own, re.MULTILINE)
    return match[1].lower() if match else ""
