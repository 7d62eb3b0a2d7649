"""Repositories without a descriptor: found, given a proposed one, and listed; pull requests for many at once.

A repository whose state is that of the last look costs what its source needs to tell so, and nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import orjson

from taxiway.core.context import OpContext
from taxiway.core.cursors import position_of
from taxiway.core.store.database import Tx
from taxiway.features.catalog.kinds import shipped
from taxiway.features.catalog.model import Problem
from taxiway.features.catalog.onboarding_guess import READ_FILES, guess, has_descriptor
from taxiway.features.catalog.repository import onboarding as rows
from taxiway.features.catalog.repository.entities import known_by_refs
from taxiway.features.catalog.service.apply import judge
from taxiway.features.catalog.service.edit_source import EDIT
from taxiway.features.catalog.service.onboarding_people import Systems, people_of, read_systems
from taxiway.features.catalog.service.onboarding_sources import host_keys, host_named
from taxiway.features.catalog.sources.memory_tree import MemoryTree
from taxiway.features.catalog.sources.read import read_target
from taxiway.features.catalog.sources.targets import DEFAULT_FILE, Target
from taxiway.kit.paging import Page, page_of
from taxiway.kit.yaml_writing import write_document
from taxiway.model.entity import ref_of
from taxiway.model.errors import (
    InputError,
    NotFoundError,
    RateLimitedError,
    TaxiwayError,
    TimedOutError,
    TooLargeError,
)
from taxiway.model.run import RunSpec, StepDefinition
from taxiway.plugin import HostedRepository, RepositorySource

LOOK = "catalog.onboarding.look"
KIND = "onboard"
BATCH = 100
MOST = 500
"""Repositories in one run."""


@dataclass
class Looked:
    """What a look at all repositories came to."""

    unchanged: int = 0
    looked_at: int = 0
    missing: int = 0
    gone: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Wish:
    """A repository that is to get a descriptor; `text` where it was edited."""

    source: str
    name: str
    text: str | None = None


def start_look(ctx: OpContext, *, afresh: bool = False) -> str:
    """Start a run that looks for repositories without a descriptor; its id. `afresh` opens unchanged ones too, which
    makes sense when the catalog knows more people than last time."""
    ctx.authorize(LOOK)
    step = StepDefinition("look", "Look at every repository", "catalog:onboard")
    spec = RunSpec(
        kind=KIND, title="Look for repositories without a descriptor", steps=(step,), input={"afresh": afresh}
    )
    return ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))


def start_onboarding(ctx: OpContext, wishes: Sequence[Wish]) -> str:
    """Start a run that opens a pull request for each repository; its id. InputError names what is not fit for one."""
    if not 0 < len(wishes) <= MOST:
        raise InputError(f"choose 1 to {MOST} repositories", code="catalog.onboarding_many")
    items = []
    for wish in wishes:
        row = get_row(ctx, wish.source, wish.name)
        ctx.authorize(EDIT, row["owner"])
        if row["status"] == "has":
            raise InputError(f"{wish.name} has a descriptor: edit that one", code="catalog.onboarding_invalid")
        text = wish.text if wish.text is not None else orjson.loads(row["proposal"])["text"]
        found = problems_of(text)
        if found:
            raise InputError(f"{wish.name}: {found[0].detail}", code="catalog.onboarding_invalid")
        items.append({"source": wish.source, "name": wish.name, "text": text, "owner": row["owner"]})
    spec = RunSpec(
        kind=KIND,
        title=f"Onboard {items[0]['name']}" if len(items) == 1 else f"Onboard {len(items)} repositories",
        steps=[StepDefinition(f"repository-{n}", item["name"], "catalog:onboard") for n, item in enumerate(items)],
        input={"items": items},
        owner=ctx.principal.subject,
    )
    return ctx.platform.store.write(lambda tx: ctx.platform.runs.start(tx, ctx.principal, spec))


def list_repositories(
    ctx: OpContext, *, status: str | None, text: str | None, cursor: str | None, limit: int
) -> tuple[Page[dict[str, Any]], dict[str, int], int | None]:
    """A page by name, how many have each status, and when the last look was."""
    where = rows.seen_by(ctx.scope(EDIT))
    after = position_of(cursor, str, str)
    with ctx.platform.store.read() as conn:
        found = rows.page(conn, where, status=status, text=text, after=after, limit=limit + 1)
        counts, last = rows.counts(conn, where), rows.last_look(conn)
    page = page_of(found, limit, lambda row: [row["source"], row["name"]])
    return Page([shown(row) for row in page.items], page.next_cursor), counts, last


def get_row(ctx: OpContext, source: str, name: str) -> dict[str, Any]:
    """What is known of a repository that the caller may see. NotFoundError."""
    scope = ctx.scope(EDIT)
    with ctx.platform.store.read() as conn:
        row = rows.get(conn, source, name)
    if row is None or not (scope.everything or row["owner"] in scope.owners):
        raise NotFoundError(f"{name} was not found: look again", code="catalog.no_repository")
    return row


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A repository in a list."""
    names = ("source", "name", "status", "owner", "url", "pull", "looked_at")
    return {**{name: row[name] for name in names}, "proposal": orjson.loads(row["proposal"]) or None}


def problems_of(text: str) -> Sequence[Problem]:
    """What ingestion would say of a first descriptor. Files beside it are not looked into."""
    tree = MemoryTree({DEFAULT_FILE: text.encode()}, is_open=True)
    found = islice(read_target(Target(tree, DEFAULT_FILE), _refuse_target), 100)
    items = [item for item in found if item.location == tree.location(DEFAULT_FILE)]
    judged = judge(items, None, trusted=False, kinds=shipped(), source_id="")
    if not judged.problems and not judged.records:
        return [Problem(DEFAULT_FILE, "the text holds no entity", "Write one with apiVersion, kind, metadata, spec.")]
    return judged.problems


def look(
    ctx: OpContext, stopped: Callable[[], bool], log: Callable[..., None], *, afresh_since: int | None = None
) -> Looked:
    """Look at every repository of every host, `afresh_since` a moment also at what has not changed and was not looked
    at since. TimedOutError when `stopped` says so, RateLimitedError when a host wants a pause: what was found stays."""
    done, systems = Looked(), read_systems(ctx)
    paused: RateLimitedError | None = None
    keys = host_keys(ctx.platform)
    ctx.platform.store.write(lambda tx: rows.forget_others(tx.conn, keys))
    for key in keys:
        try:
            _look_at(ctx, host_named(ctx.platform, key), systems, done, stopped, log, afresh_since)
        except RateLimitedError as error:
            paused = error
            log(f"{key}: {error.detail}")
        except TaxiwayError as error:
            if isinstance(error, TimedOutError):
                raise
            done.failed += 1
            log(f"{key}: {error.detail}")
    log(
        f"{done.looked_at} looked at, {done.missing} without a descriptor, {done.unchanged} unchanged, {done.gone} gone"
    )
    if paused is not None:
        raise paused  # the step is tried again when the pause is over, and goes on where it stopped
    return done


def _look_at(
    ctx: OpContext,
    source: RepositorySource,
    systems: Systems,
    done: Looked,
    stopped: Callable[[], bool],
    log: Callable[..., None],
    afresh_since: int | None,
) -> None:
    with ctx.platform.store.read() as conn:
        known = rows.states(conn, source.key)
        done_before = known.keys() if afresh_since is None else rows.looked_since(conn, source.key, afresh_since)
    seen: set[str] = set()
    batch: list[dict[str, Any]] = []
    try:
        for repository in source.repositories():
            if stopped():
                raise TimedOutError("the look was cancelled: what was found so far stays", code="catalog.cancelled")
            seen.add(repository.name)
            is_same = bool(repository.state) and known.get(repository.name) == repository.state
            if is_same and repository.name in done_before:
                done.unchanged += 1
                continue
            try:
                batch.append(_row(ctx, source, repository, systems))
            except (NotFoundError, TooLargeError) as error:  # deleted meanwhile, or too much: the others are looked at
                done.failed += 1
                log(f"{repository.name}: {error.detail}")
                continue
            done.looked_at += 1
            done.missing += batch[-1]["status"] == "missing"
            if len(batch) == BATCH:
                ctx.platform.store.write(partial(_save, batch=batch))
                batch = []
    finally:
        ctx.platform.store.write(partial(_save, batch=batch))
    gone = set(known) - seen
    done.gone += len(gone)
    ctx.platform.store.write(lambda tx: rows.forget(tx.conn, source.key, gone))


def _save(tx: Tx, *, batch: Sequence[dict[str, Any]]) -> None:
    rows.save(tx.conn, [{**row, "looked_at": tx.now} for row in batch])


def _row(ctx: OpContext, source: RepositorySource, one: HostedRepository, systems: Systems) -> dict[str, Any]:
    facts = source.read(one, READ_FILES)
    people = people_of(ctx, facts, one.owner, systems)
    # Where the host knows no owner, the repository's own CODEOWNERS says who may see it and propose for it.
    owner = one.owner or next(iter(people.code_owners), None)
    row = {"source": source.key, "name": one.name, "state": one.state, "owner": owner, "url": one.url}
    if has_descriptor(facts.paths):
        return {**row, "status": "has", "proposal": "null"}
    found = guess(one, facts, people)
    main = found.main
    text = "---\n".join(write_document(document) for document in found.documents)
    with ctx.platform.store.read() as conn:
        is_taken = str(ref_of(main)) in known_by_refs(conn, [str(ref_of(main))])
    proposal = {
        "text": text,
        "kind": main["kind"],
        "name": main["metadata"]["name"],
        "type": main["spec"]["type"],
        "owner": main["spec"].get("owner"),
        "system": main["spec"].get("system"),
        "apis": main["spec"].get("providesApis", []),
        "reasons": found.reasons,
        "is_taken": is_taken,
        "is_ready": bool(main["spec"].get("owner")) and not is_taken,
    }
    return {**row, "status": "missing", "proposal": orjson.dumps(proposal).decode()}


def _refuse_target(kind: str, target: str) -> Target:
    raise InputError(f"{kind}:{target} is not followed here: register it by itself", code="catalog.not_followed")
