"""The sources that the settings name: which there are, what reads them, and when one is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

import taxiway
from taxiway.core.context import OpContext, Platform
from taxiway.core.settings_sources import SourceSettings
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import CONFIGURED
from taxiway.features.catalog.repository import configured as rows
from taxiway.kit.canonical import digest
from taxiway.model.access import EVERYTHING
from taxiway.model.errors import InputError, NotFoundError, TaxiwayError
from taxiway.model.run import Run, RunSpec, StepDefinition
from taxiway.plugin import EntitySource

LIVE = frozenset({"queued", "running", "waiting", "cancelling"})
TO_BEGIN = frozenset({"queued", "waiting"})
"""States of runs that begin to read later: a run that waits is called again from its start."""
MAX_HINTS = 200
SCHEDULE = "catalog_source_"


def named(platform: Platform, source_id: str) -> SourceSettings:
    """The settings of `source:<name>` or `<name>`. NotFoundError when there is no such source."""
    name = source_id.removeprefix(CONFIGURED)
    for item in platform.settings.catalog.sources:
        if item.name == name:
            return item
    raise NotFoundError(
        f"there is no source {name} in the settings: add it to catalog.sources", code="catalog.no_source"
    )


def opened(platform: Platform, settings: SourceSettings) -> tuple[EntitySource, Any]:
    """What reads a source, and its options. InputError when the type is unknown or an option is wrong."""
    if not platform.registry.has("entity_source", settings.type):
        types = ", ".join(platform.registry.keys("entity_source")) or "none is installed"
        raise InputError(
            f"the source {settings.name} has the type '{settings.type}', which no plugin reads (known: {types})",
            code="catalog.source_type",
        )
    source: EntitySource = platform.registry.get("entity_source", settings.type)
    try:
        return source, source.options.model_validate(settings.options)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(str(at) for at in e['loc'])}: {e['msg']}" for e in error.errors())
        raise InputError(
            f"the source {settings.name} is not set up right: {faults}", code="catalog.source_settings"
        ) from None


def settings_digest(settings: SourceSettings) -> str:
    """Tells one way of setting a source up from another; how often it is read does not count. Another Taxiway may judge
    otherwise, so it reads everything anew."""
    return digest({**settings.model_dump(mode="json", exclude={"every"}), "": taxiway.__version__})


def schedule(platform: Platform) -> None:
    """Register the turns of every source. Called when the platform is assembled."""
    for item in platform.settings.catalog.sources:
        platform.runs.schedules.register(SCHEDULE + item.name, item.every, partial(_due, platform, item.name))


def start_new(platform: Platform) -> None:
    """Start reading the sources that were never read, or are set up otherwise than when they were."""
    with platform.store.read() as conn:
        known = {row["id"]: row for row in rows.listed(conn, CONFIGURED)} if platform.settings.catalog.sources else {}
    for item in platform.settings.catalog.sources:
        row = known.get(CONFIGURED + item.name)
        if row is None or row["settings"] != settings_digest(item):
            _due(platform, item.name)
    for item in platform.settings.catalog.sources:
        try:
            opened(platform, item)
        except TaxiwayError as error:
            platform.log.error("catalog.source", source=item.name, problem=error.detail)


def read_now(ctx: OpContext, source_id: str) -> str:
    """Start a run that reads a source whole; the id of the one that does so already when there is one."""
    ctx.authorize("catalog.source.refresh")
    return start_reading(ctx, named(ctx.platform, source_id))


def start_reading(
    ctx: OpContext, settings: SourceSettings, hints: Sequence[Mapping[str, Any]] = (), *, changed: bool = False
) -> str:
    """Start a run of kind `ingest` for a source: whole, or with `hints` only what they touch. Its id, or that of a run
    that does the same. `changed`: what it reads has changed just now, and a reading that has begun may have missed it.
    """
    hints = list(hints) if len(hints) <= MAX_HINTS else []
    enough = TO_BEGIN if changed else LIVE
    for run in _live(ctx.platform, settings.name):
        if run.state in enough and list(run.input.get("hints") or ()) == hints:
            return run.id
    return _start(ctx, settings, hints)


def _start(ctx: OpContext, settings: SourceSettings, hints: Sequence[Mapping[str, Any]]) -> str:
    given: dict[str, Any] = {"source": settings.name, **({"hints": list(hints)} if hints else {})}

    def work(tx: Tx) -> str:
        spec = RunSpec(
            kind="ingest",
            title=f"Read source {settings.name}" + (" (what changed)" if hints else ""),
            steps=(StepDefinition("ingest", "Read and apply", "catalog:source", given),),
            input=given,
            subject=subject(settings.name),
        )
        return ctx.platform.runs.start(tx, ctx.principal, spec)

    return ctx.platform.store.write(work)


def read_changed(ctx: OpContext, type: str) -> None:
    """Read every source of a type again, because what it reads has changed just now."""
    for settings in ctx.platform.settings.catalog.sources:
        if settings.type == type:
            start_reading(ctx, settings, changed=True)


def earlier_reading(platform: Platform, name: str, run_id: str) -> str | None:
    """The run that reads the source already and was there before `run_id`, or None."""
    earlier = [run.id for run in _live(platform, name) if run.id < run_id]
    return max(earlier, default=None)


def subject(name: str) -> str:
    """What runs that read a source are about."""
    return f"catalog-source:{name}"


def last_run(platform: Platform, name: str) -> Run | None:
    """The newest run of a source."""
    found = platform.runs.list(
        EVERYTHING, filters={"kind": "ingest", "subject": subject(name)}, limit=1, cursor=None
    ).items
    return found[0] if found else None


def _live(platform: Platform, name: str) -> list[Run]:
    filters = {"kind": "ingest", "subject": subject(name)}
    found = platform.runs.list(EVERYTHING, filters=filters, limit=50, cursor=None).items
    return [run for run in found if run.state in LIVE]


def _due(platform: Platform, name: str) -> None:
    start_reading(platform.system("catalog"), named(platform, name))
