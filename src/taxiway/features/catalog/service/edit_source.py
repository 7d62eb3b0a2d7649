"""Where an entity is written down, and whether it can be changed there from here. Where not: why, and what to do."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from taxiway.core.context import OpContext, Platform
from taxiway.core.permissions import decide
from taxiway.features.catalog.edit_text import BOM, Part, find_part
from taxiway.features.catalog.model import IMPORT, PUSHED, SYSTEM_SOURCES, Location
from taxiway.features.catalog.repository import filters, reading
from taxiway.features.catalog.repository import locations as rows
from taxiway.features.catalog.repository.entities import Known, known_by_refs
from taxiway.features.catalog.sources.targets import forge_of, repository_and_path
from taxiway.features.pulls import service as pulls
from taxiway.features.pulls.service.hosts import owner_of, pull_host
from taxiway.kit.yaml_editing import MAX_BYTES
from taxiway.model.errors import ConflictError, NotFoundError, TaxiwayError, TooLargeError
from taxiway.model.workload import Repository

EDIT = "catalog.entity.edit"
READ = "catalog.entity.read"
PUSH = "repositories.write"


@dataclass(frozen=True)
class SourceFile:
    """A file on the default branch of a repository of the forge. `text` has no byte order mark; `etag` names its
    content."""

    repository: Repository
    owner: str | None
    path: str
    commit: str
    text: str
    has_bom: bool = False
    etag: str = ""

    def encoded(self, text: str) -> bytes:
        """Another text for the file, as bytes."""
        return ((BOM if self.has_bom else "") + text).encode()


@dataclass(frozen=True)
class Written:
    """An entity with its document in a file. `location` is what was registered, if that is its source."""

    known: Known
    location: Location | None
    file: SourceFile
    part: Part


@dataclass(frozen=True)
class Unwritten:
    """Why an entity cannot be edited here, and what to do instead."""

    reason: str
    remedy: str


def find_written(ctx: OpContext, ref: str) -> Written | Unwritten:
    """Where an entity that the caller may see is written. NotFoundError when there is none."""
    known = visible_entity(ctx, ref)
    decision = decide(ctx.platform.permissions, ctx.principal, EDIT, known.owner)
    if not decision.allowed:
        owner = known.owner or "the platform team"
        return Unwritten(f"You may not edit it: {decision.reason}.", f"Ask {owner} to change it.")
    with ctx.platform.store.read() as conn:
        source = rows.get(conn, known.source_id)
    refused = _refused(known, source)
    if refused is not None:
        return refused
    return _in_forge(ctx.platform, known, source)


def find_editable(ctx: OpContext, ref: str) -> Written:
    """The same, for somebody who wants to write. NotAllowedError, or ConflictError with the reason and the remedy."""
    known = visible_entity(ctx, ref)
    ctx.authorize(EDIT, known.owner)
    found = find_written(ctx, ref)
    if isinstance(found, Unwritten):
        raise ConflictError(f"{found.reason} {found.remedy}", code="catalog.not_editable")
    return found


def visible_entity(ctx: OpContext, ref: str) -> Known:
    """What is stored of an entity that the caller may see. NotFoundError."""
    where = filters.visible_to(ctx.scope(READ))
    with ctx.platform.store.read() as conn:
        found = known_by_refs(conn, [ref]).get(ref)
        if found is None or not reading.texts_by_refs(conn, [ref], where):
            raise NotFoundError(f"there is no entity {ref}: look for it in the catalog", code="catalog.no_entity")
    return found


def read_file(platform: Platform, there: Repository, path: str) -> SourceFile | Unwritten:
    """A file as it is on the default branch; its text is empty when there is none."""
    if there.archived:
        return Unwritten(f"{there.name} is archived.", "Bring its entities into another repository.")
    forge = forge_of(platform)
    commit = forge.resolve(there.name, f"refs/heads/{there.default_branch}")
    if commit is None:
        return Unwritten(f"{there.name} has no commit on {there.default_branch}.", "Push one.")
    try:
        content = forge.read_file(there.name, commit, path, MAX_BYTES) or b""
        text = content.decode()
    except TooLargeError:
        return Unwritten(f"{path} is larger than {MAX_BYTES} bytes.", f"Change it in a clone of {there.name}.")
    except UnicodeDecodeError:
        return Unwritten(f"{path} is not UTF-8.", f"Save it in UTF-8 and push it to {there.name}.")
    etag = hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
    file = SourceFile(there, owner_of(there), path, commit, text.removeprefix(BOM), text.startswith(BOM), etag)
    try:
        pull_host(platform)
    except TaxiwayError as error:
        return Unwritten(error.detail, "")
    return file


def may_commit(ctx: OpContext, file: SourceFile) -> bool:
    """Whether the caller may commit to the default branch without a pull request."""
    there = file.repository
    if pulls.is_protected(ctx.platform, there.name, there.default_branch):
        return False
    return decide(ctx.platform.permissions, ctx.principal, PUSH, file.owner).allowed


def _refused(known: Known, source: Location | None) -> Unwritten | None:
    if known.source_id in SYSTEM_SOURCES:
        return Unwritten("It ships with Taxiway.", "Describe your own under another name.")
    if known.source_id.startswith(PUSHED):
        name = known.source_id.removeprefix(PUSHED)
        return Unwritten(f"It is pushed by '{name}'.", f"Change it where '{name}' has it from; it will push it again.")
    if source is not None and known.ref == source.entity_ref:
        return Unwritten("It stands for a registered location.", "Unregister the location, and register another one.")
    if source is not None and source.type == IMPORT:
        return Unwritten(f"It was imported ({source.target}).", "Change it there, then import it again.")
    if known.location.startswith("file:"):
        file = known.location.removeprefix("file:")
        return Unwritten(f"It is read from {file} on the server.", "Change that file, then refresh the entity.")
    return None


def _in_forge(platform: Platform, known: Known, source: Location | None) -> Written | Unwritten:
    name, path = repository_and_path(known.location)
    there = forge_of(platform).get_repository(name) if name else None
    if there is None:
        return Unwritten(
            f"It is read from {known.location}, which is not on the built-in forge.",
            "Change it there; the catalog follows.",
        )
    file = read_file(platform, there, path)
    if isinstance(file, Unwritten):
        return file
    part = find_part(file.text, known.ref)
    if part is None:
        return Unwritten(
            f"{path} in {there.name} does not describe it any more, or has a fault before it does.",
            "Look at its problems, and at the file in the repository.",
        )
    return Written(known, source, replace(file, path=path), part)


def locations_of(platform: Platform, repository: str) -> Sequence[Location]:
    """What is registered of a repository."""
    with platform.store.read() as conn:
        return rows.listed(conn, repository, 1000)
