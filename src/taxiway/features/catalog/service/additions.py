"""New entities in repositories: their file is registered as soon as it is on the default branch, by a commit or when
its pull request is merged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from taxiway.core.context import OpContext, Platform
from taxiway.features.catalog.service import edits
from taxiway.features.catalog.service.edit_source import locations_of
from taxiway.features.catalog.service.kinds import known_kinds
from taxiway.features.catalog.service.locations import dry_run, register_location
from taxiway.features.catalog.service.onboarding_forge import ONBOARDING
from taxiway.features.catalog.sources.targets import DEFAULT_FILE, repository_and_path
from taxiway.features.pulls import service as pulls
from taxiway.model.errors import TaxiwayError
from taxiway.model.event import Event
from taxiway.plugin import SourcedEntity

MERGED = "dev.cdevents.change.merged."
PREFIXES = (edits.ADDITIONS, ONBOARDING)
MAX_FILES = 20


def add_entity(
    ctx: OpContext, repository: str, path: str, change: edits.Change, etag: str | None, how: edits.How
) -> edits.Outcome:
    """Add an entity to a file of a repository; see `edits.preview_addition`."""
    made = edits.submit(ctx, lambda: edits.preview_addition(ctx, repository, path, change), etag, how, edits.ADDITIONS)
    if made.commit is not None:
        register_file(ctx, repository, path or DEFAULT_FILE)
    return made


def register_file(ctx: OpContext, repository: str, path: str) -> bool:
    """Register a file of a repository unless it is; whether it was not."""
    if is_registered(ctx.platform, repository, path):
        return False
    register_location(ctx, "git", f"{repository}//{path}", on_conflict="refresh")
    return True


def is_registered(platform: Platform, repository: str, path: str) -> bool:
    """Whether a registered location leads right to a file of a repository."""
    return any(_path(item.target) == path for item in locations_of(platform, repository))


def _path(target: str) -> str:
    if target.startswith(("http:", "https:")):
        return repository_and_path(target)[1]
    return target.removeprefix("git:").partition("//")[2].strip("/") or DEFAULT_FILE


class FollowAdditions:
    """Registers files that a merged pull request of ours brought. Safe to repeat."""

    key = "catalog_follow_additions"
    types = (MERGED,)

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handle(self, event: Event) -> None:
        """One sealed event."""
        if not str(event.data.get("head", "")).startswith(PREFIXES):
            return
        name, number = str(event.data["repository"]), int(event.data["number"])
        ctx = self._platform.system("catalog")
        try:
            row = pulls.get_pull(ctx, name, number)
            acting = ctx.acting_as(replace(ctx.principal, on_behalf_of=str(row["author"])))
            files = pulls.list_files(ctx, name, number, None, MAX_FILES)["items"]
        except TaxiwayError as error:
            self._platform.log.warning("catalog.not_registered", repository=name, pull=number, error=error.detail)
            return
        for path in (str(file["path"]) for file in files):
            if path.endswith((".yaml", ".yml")):
                self._register(acting, name, path)

    def _register(self, acting: OpContext, name: str, path: str) -> None:
        # Others may have put more into the pull request: one file must not keep the rest from being registered.
        try:
            if _describes(acting, name, path):
                register_file(acting, name, path)
        except TaxiwayError as error:
            self._platform.log.warning("catalog.not_registered", repository=name, path=path, error=error.detail)


def _describes(ctx: OpContext, repository: str, path: str) -> bool:
    """Whether a file holds documents of the catalog, faulty or not."""
    known = known_kinds(ctx.platform)
    items, _ = dry_run(ctx, "git", f"{repository}//{path}")
    documents = [item.document for item in items if isinstance(item, SourcedEntity)]
    return any(isinstance(one, Mapping) and known.has(str(one.get("kind"))) for one in documents)
