"""Entities that somebody else's program pushes: newline-delimited JSON, one document a line, each request one change.

A pushed source is its sender's own, by name. What it sent stays until it sends it anew, or sends a complete set without
it. One that the settings declare an overlay adds fields to entities of other sources instead.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from taxiway.core.context import OpContext
from taxiway.core.store.database import Tx
from taxiway.features.catalog.model import PUSHED, ApplyResult
from taxiway.features.catalog.repository import configured
from taxiway.features.catalog.repository.entities import drop_problems
from taxiway.features.catalog.repository.kinds import load_kinds
from taxiway.features.catalog.service.apply import apply_judged, judge
from taxiway.features.catalog.service.overlaying import apply_layers, drop_former, judge_layers, overlay_of
from taxiway.features.catalog.service.removals import drop_owned, hold_back
from taxiway.features.catalog.service.standing_by import standby_of
from taxiway.features.catalog.sources.forms import LINES
from taxiway.features.catalog.sources.items import ReadRecord
from taxiway.features.catalog.sources.parsing import ParsedApart
from taxiway.features.catalog.sources.read import Parsed
from taxiway.kit.json_lines import lines_and_faults, pieces
from taxiway.kit.yaml12 import YamlDocument, YamlError
from taxiway.model.errors import InputError
from taxiway.plugin import SourcedEntity, SourceProblem

AT_ONCE = 100_000
"""Bytes that are parsed by one process at once."""
COUNTED = ("created", "updated", "unchanged", "deleted", "held", "problems")
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def push_entities(ctx: OpContext, name: str, body: bytes, *, complete: bool = False) -> ApplyResult:
    """Make the catalog hold the documents in `body`, visible when this returns.

    `complete` says that these are all of the source's: what else it had goes, or waits for review. Faults of single
    lines are in the result's problems and stored with the source; InputError when the name is none.
    """
    ctx.authorize("catalog.entity.push")
    if NAME.fullmatch(name) is None:
        raise InputError("a source's name is 1 to 63 of a-z, 0-9 and '-' between them", code="catalog.source_name")
    source_id = PUSHED + name
    overlay = overlay_of(ctx.platform, source_id)
    if overlay is not None:
        judged = judge_layers([_item(one, source_id) for one in lines_and_faults(body)], overlay, trusted=True)
    else:
        with ctx.platform.store.read() as conn:
            kinds = load_kinds(conn)
        with ParsedApart(source_id, kinds, standby_of(ctx.platform)) as parser:
            items = [_item(one, source_id) for one in _parsed(parser, body, source_id)]
        judged = judge(items, None, trusted=True, kinds=kinds, source_id=source_id)

    def work(tx: Tx) -> ApplyResult:
        # What this push names is judged anew; lines without a name were those of an earlier body.
        named = {*judged.records, *(problem.ref for problem in judged.problems if problem.ref)}
        drop_problems(tx.conn, source_id, named)
        whole = complete and not judged.unreadable
        held = hold_back(tx, source_id, named, whole=whole, overlay=overlay is not None)
        if overlay is not None:
            dropped = drop_owned(tx, ctx, source_id, held)
            result = apply_layers(tx, ctx, judged, source_id, overlay, full=complete, held=held)
            result = replace(result, deleted=[*dropped, *result.deleted])
        else:
            drop_former(tx, ctx, source_id)
            result = apply_judged(tx, ctx, judged, source_id, full=complete, held=held)
        counts = {name: len(getattr(result, name)) for name in COUNTED}
        configured.note_push(tx.conn, tx.now, source_id, counts, complete=complete)
        return result

    return ctx.platform.store.write(work)


def _parsed(parser: ParsedApart, body: bytes, location: str) -> Iterator[YamlDocument | YamlError | ReadRecord]:
    begun: deque[Callable[[], Parsed]] = deque()
    for above, piece in pieces(body, AT_ONCE):
        begun.append(parser.begin(piece, location, LINES, above))
        while begun and parser.is_full():
            yield from begun.popleft()()
    while begun:
        yield from begun.popleft()()


def _item(one: YamlDocument | YamlError | ReadRecord, location: str) -> SourcedEntity | SourceProblem:
    if isinstance(one, YamlDocument):
        return SourcedEntity(one.value, location, one.line)
    return SourceProblem(location, one.detail, one.line) if isinstance(one, YamlError) else one


def told(result: ApplyResult) -> dict[str, Sequence[object] | int]:
    """What came of a push: counts, and what is wrong with which line."""
    counts = {name: len(getattr(result, name)) for name in COUNTED[:-1]}
    problems = [
        {"line": problem.line, "ref": problem.ref, "detail": problem.detail, "remedy": problem.remedy}
        for problem in result.problems[:100]
    ]
    return {**counts, "problems": problems, "problem_count": len(result.problems)}
